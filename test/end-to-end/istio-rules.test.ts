// Runs over one engine: documents become a plan, which knows no engine.
/** What documents ask for, as clients and services see it. Each rule is explained in docs/istio.md. */

import { type Answered, ask } from '../support/client.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { engine, UmbraProcess, until } from '../support/umbra.js';

const v1 = await Origin.listen((_received, response) => {
  response.setHeader('content-length', 2);
  response.setHeader('x-internal', 'secret');
  response.end('v1');
});
const v2 = await Origin.listen((_received, response) => {
  response.setHeader('content-length', 2);
  response.end('v2');
});
const umbra = await UmbraProcess.start({
  listen: [{ address: '127.0.0.1:0', engine }],
  admin: { address: '127.0.0.1:0' },
  threads: { proxy: 1, shadow: 1 },
  subsets: {
    reviews: { v1: `http://127.0.0.1:${v1.port}`, v2: `http://127.0.0.1:${v2.port}` },
    'reviews-v1': `http://127.0.0.1:${v1.port}`,
    'reviews-v2': `http://127.0.0.1:${v2.port}`,
  },
  versions: { base: `http://127.0.0.1:${v1.port}` },
  routes: [{ name: 'base', primary: 'base' }],
});
t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

const host = 'reviews.example.com';
const to = (subset: string, more: object = {}) => ({ destination: { host: 'reviews', subset }, ...more });

async function take(document: object): Promise<void> {
  const { status, text } = await umbra.admin('POST', '/api/apply', document);
  if (status !== 200) throw new Error(text);
}

async function rules(...http: object[]): Promise<void> {
  await take({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'reviews' },
    spec: { hosts: [host], http },
  });
}

const call = (target = '/', headers: Record<string, string> = {}): Promise<Answered> =>
  ask(umbra.port, { target, headers: { host, ...headers } });
const textOf = ({ body }: Answered): string => body.toString();
const field = ({ fields }: Answered, name: string): string | undefined =>
  fields.find(([given]) => given.toLowerCase() === name)?.[1];
const last = (origin: Origin) => origin.received[origin.received.length - 1];

t.test('first match wins: a header condition before the rule for all', async (t) => {
  await rules(
    { match: [{ headers: { 'end-user': { exact: 'jason' } } }], route: [to('v2')] },
    { route: [to('v1')] },
  );
  t.equal(textOf(await call('/', { 'end-user': 'jason' })), 'v2');
  t.equal(textOf(await call('/', { 'end-user': 'json' })), 'v1');
});

t.test('withoutHeaders takes out what has the header', async (t) => {
  await rules({ match: [{ withoutHeaders: { 'x-bot': {} } }], route: [to('v2')] }, { route: [to('v1')] });
  t.equal(textOf(await call()), 'v2');
  t.equal(textOf(await call('/', { 'x-bot': '1' })), 'v1');
});

t.test('weights split requests, and 0 gets none', async (t) => {
  await rules({ route: [to('v1', { weight: 50 }), to('v2', { weight: 50 })] });
  const seen = new Set<string>();
  await until(async () => {
    seen.add(textOf(await call()));
    return seen.size === 2;
  }, 'both versions have answered');
  await rules({ route: [to('v1', { weight: 0 }), to('v2', { weight: 100 })] });
  for (let i = 0; i < 20; i++) t.equal(textOf(await call()), 'v2');
});

t.test(
  'header rules: set, add and remove for the primary and for the client; the copy has those of the primary',
  async (t) => {
    await rules({
      route: [to('v1', { headers: { request: { set: { 'x-version': 'v1' } } } })],
      headers: {
        request: { set: { 'x-set': 'new' }, add: { 'x-added': '1' }, remove: ['x-gone'] },
        response: { set: { 'x-answer': 'yes' }, remove: ['x-internal'] },
      },
      mirror: { host: 'reviews', subset: 'v2' },
    });
    const copies = v2.received.length;
    const answer = await call('/', { 'x-set': 'old', 'x-gone': 'here' });
    const primary = last(v1);
    t.equal(fieldOf(primary, 'x-set'), 'new');
    t.equal(fieldOf(primary, 'x-added'), '1');
    t.equal(fieldOf(primary, 'x-gone'), null);
    t.equal(fieldOf(primary, 'x-version'), 'v1');
    t.equal(field(answer, 'x-answer'), 'yes');
    t.equal(field(answer, 'x-internal'), undefined);
    await until(() => v2.received.length === copies + 1, 'the copy is there');
    t.equal(fieldOf(last(v2), 'x-set'), 'new');
    t.equal(fieldOf(last(v2), 'x-gone'), null);
    t.equal(fieldOf(last(v2), 'x-added'), '1');
    t.equal(fieldOf(last(v2), 'host'), `${host}-shadow`);
  },
);

t.test(
  "commands in header values stand for what is known, and a destination's edits come last",
  async (t) => {
    await rules({
      route: [
        to('v1', {
          headers: {
            request: { set: { 'x-who': 'destination' } },
            response: { set: { 'x-by': '%UPSTREAM_HOST% %RESP(x-internal)%' } },
          },
        }),
      ],
      headers: {
        request: {
          set: { 'x-user': '%REQ(x-in)%', 'x-none': '%REQ(x-absent)%', 'x-who': 'rule' },
          add: { 'x-from': '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %PROTOCOL% 100%%' },
        },
        response: { set: { 'x-seen': '%REQ(x-user)% %REQ(:path)% %RESPONSE_CODE%' } },
      },
      rewrite: { uri: '/changed' },
      match: [{ uri: { exact: '/asked' } }],
    });
    const answer = await call('/asked', { 'x-in': 'jason', 'x-none': 'kept' });
    const primary = last(v1);
    t.equal(fieldOf(primary, 'x-user'), 'jason');
    t.equal(fieldOf(primary, 'x-none'), 'kept', 'a value that comes to nothing changes nothing');
    t.equal(fieldOf(primary, 'x-from'), '127.0.0.1 HTTP/1.1 100%');
    t.equal(fieldOf(primary, 'x-who'), 'destination');
    t.equal(field(answer, 'x-seen'), 'jason /changed 200');
    t.equal(field(answer, 'x-by'), `127.0.0.1:${v1.port} secret`);
    await rules({
      directResponse: { status: 203 },
      headers: { response: { set: { 'x-a': '%REQ(x-in)%' } } },
    });
    t.equal(field(await call('/', { 'x-in': 'own' }), 'x-a'), 'own');
  },
);

t.test('a command that umbra does not know is refused by its name, and nothing changes', async (t) => {
  await t.rejects(rules({ route: [to('v1')], headers: { request: { set: { 'x-a': '%STREAM_ID%' } } } }), {
    message: /has %STREAM_ID%, which umbra does not know/,
  });
});

t.test('corsPolicy answers preflight requests, and other responses say what pages may do', async (t) => {
  const corsPolicy = {
    allowOrigins: [{ exact: 'https://a.test' }],
    allowMethods: ['PUT'],
    maxAge: '1m',
    allowCredentials: true,
  };
  await rules(
    { corsPolicy, route: [to('v1')], match: [{ uri: { prefix: '/x' } }] },
    {
      corsPolicy,
      directResponse: { status: 204 },
    },
  );
  const origin = 'https://a.test';
  const before = v1.received.length;
  const preflight = (from: string) =>
    ask(umbra.port, {
      method: 'OPTIONS',
      target: '/x',
      headers: { host, origin: from, 'access-control-request-method': 'PUT' },
    });
  const allowed = await preflight(origin);
  t.equal(allowed.status, 200);
  t.equal(field(allowed, 'access-control-allow-origin'), origin);
  t.equal(field(allowed, 'access-control-allow-methods'), 'PUT');
  t.equal(field(allowed, 'access-control-max-age'), '60');
  t.equal(v1.received.length, before, 'the version is not asked');
  t.equal(field(await preflight('https://b.test'), 'access-control-allow-origin'), undefined);
  t.equal(v1.received.length, before + 1, 'preflight requests of other origins are forwarded, as in Istio');
  t.equal(field(await call('/x', { origin }), 'access-control-allow-credentials'), 'true');
  t.equal(field(await call('/x'), 'access-control-allow-credentials'), undefined);
  t.equal(field(await call('/', { origin }), 'access-control-allow-origin'), origin);
});

t.test('a version that closes without a response is answered 503, as in Envoy', async (t) => {
  await rules({ route: [to('v1')] });
  const answer = v1.answer;
  v1.answer = (_received, _response, request) => request.socket.destroy();
  t.equal((await call()).status, 503);
  v1.answer = answer;
  t.equal((await call()).status, 200);
});

t.test('endpoints of a ServiceEntry share requests by their weights', async (t) => {
  await take({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: 'weighted' },
    spec: {
      hosts: ['weighted'],
      ports: [{ number: 80, name: 'http', protocol: 'http' }],
      resolution: 'STATIC',
      endpoints: [v1, v2].map(({ port }, index) => ({
        address: '127.0.0.1',
        ports: { http: port },
        weight: index === 0 ? 9 : 1,
      })),
    },
  });
  await rules({ route: [{ destination: { host: 'weighted' } }] });
  const answers: string[] = [];
  for (let i = 0; i < 20; i++) answers.push(textOf(await call()));
  t.equal(answers.filter((text) => text === 'v2').length, 2);
});

t.test('timeout ends with the last byte of the response', async (t) => {
  await rules({ route: [to('v1')], timeout: '0.3s' });
  const answer = v1.answer;
  v1.answer = (_received, response) => {
    response.setHeader('content-length', 2);
    response.write('v');
  };
  await t.rejects(call(), 'the response is cut');
  v1.answer = answer;
  t.equal(textOf(await call()), 'v1');
});

t.test('the mirrored share: 0 % copies nothing, 100 % everything', async (t) => {
  const mirrored = async (value: number): Promise<number> => {
    await rules({
      route: [to('v1')],
      mirrors: [{ destination: { host: 'reviews', subset: 'v2' }, percentage: { value } }],
    });
    const before = (await umbra.atRest()).mirrors[0].sent;
    for (let i = 0; i < 20; i++) await call();
    return (await umbra.atRest()).mirrors[0].sent - before;
  };
  t.equal(await mirrored(0), 0);
  t.equal(await mirrored(100), 20);
});

t.test('fault.abort without a percentage answers every request, and no version receives them', async (t) => {
  await rules({ fault: { abort: { httpStatus: 418 } }, route: [to('v1')] });
  const before = v1.received.length;
  for (let i = 0; i < 5; i++) t.equal((await call()).status, 418);
  t.equal(v1.received.length, before);
});

t.test('fault.abort of 0 % answers none', async (t) => {
  await rules({ fault: { abort: { httpStatus: 418, percentage: { value: 0 } } }, route: [to('v1')] });
  for (let i = 0; i < 20; i++) t.equal((await call()).status, 200);
});

t.test('fault.delay lets every request wait, and it is answered then', async (t) => {
  await rules({ fault: { delay: { fixedDelay: '0.2s' } }, route: [to('v1')] });
  const began = performance.now();
  t.equal((await call()).status, 200);
  t.ok(performance.now() - began >= 190);
});

t.test('rewrite.uri takes the place of the matched prefix, rewrite.authority of the Host', async (t) => {
  await rules({
    match: [{ uri: { prefix: '/ratings' } }],
    rewrite: { uri: '/v1/bookRatings', authority: 'books.example.com' },
    route: [to('v1')],
  });
  t.equal((await call('/ratings/7?a=1')).status, 200);
  t.equal(last(v1).target, '/v1/bookRatings/7?a=1');
  t.equal(fieldOf(last(v1), 'host'), 'books.example.com');
  t.equal((await call('/other')).status, 404, 'and what no rule takes is answered 404');
});

t.test('redirect and directResponse answer without a version', async (t) => {
  await rules(
    { match: [{ uri: { exact: '/old' } }], redirect: { uri: '/new', authority: 'new.example.com' } },
    { directResponse: { status: 503, body: { string: 'closed' } } },
  );
  const moved = await call('/old');
  t.equal(moved.status, 301);
  t.equal(field(moved, 'location'), 'http://new.example.com/new');
  const closed = await call('/x');
  t.equal(closed.status, 503);
  t.equal(textOf(closed), 'closed');
});

t.test('retries repeat what retryOn says', async (t) => {
  await rules({ route: [to('v1')], retries: { attempts: 2, retryOn: '503' } });
  const answer = v1.answer;
  let calls = 0;
  v1.answer = (received, response, request) => {
    if (++calls < 3) {
      response.statusCode = 503;
      response.setHeader('content-length', 0);
      response.end();
    } else answer(received, response, request);
  };
  t.equal((await call()).status, 200);
  t.equal(calls, 3);
  v1.answer = answer;
});

t.test(
  'an HTTPRoute: whole elements of a path, a replaced prefix, header modifiers and a mirror',
  async (t) => {
    await take({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: {
        hostnames: ['shop.example.com'],
        rules: [
          {
            matches: [{ path: { value: '/shop' } }],
            filters: [
              {
                type: 'RequestHeaderModifier',
                requestHeaderModifier: { set: [{ name: 'x-shop', value: '1' }] },
              },
              {
                type: 'URLRewrite',
                urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
              },
              { type: 'RequestMirror', requestMirror: { backendRef: { name: 'reviews-v2', port: 80 } } },
            ],
            backendRefs: [{ name: 'reviews-v1', port: 80 }],
          },
        ],
      },
    });
    const get = (target: string) => ask(umbra.port, { target, headers: { host: 'shop.example.com' } });
    const targets: string[] = [];
    for (const target of ['/shop', '/shop/a']) {
      const copies = v2.received.length;
      t.equal((await get(target)).status, 200);
      t.equal(fieldOf(last(v1), 'x-shop'), '1');
      targets.push(last(v1).target);
      await until(() => v2.received.length === copies + 1, 'the copy is there');
      t.equal(last(v2).target, last(v1).target, 'the copy has the path of the primary');
    }
    t.equal((await get('/shopping')).status, 404);
    t.strictSame(targets, ['/', '/a']);
  },
);
