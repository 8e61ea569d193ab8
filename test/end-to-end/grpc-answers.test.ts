// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** What gRPC clients get in umbra's own words: a status and a text in fields, which they can read. */
import { type Asked2, ask2, http2Session } from '../support/http2-client.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

t.test('answers of umbra itself are Trailers-Only for gRPC, and as ever for all others', async (t) => {
  const v1 = await Origin.listen((_, response) => response.end('served'));
  const config = reviews(v1.port, null, {
    route: { match: { path: { prefix: '/reviews.' } }, timeout: '100ms' },
    umbra: {
      listen: [
        {
          address: '127.0.0.1:0',
          engine: 'node',
          protocols: 'h2',
          body: { max: '1KiB' },
          head: { max: '2KiB' },
        },
      ],
    },
  });
  config.versions.dead = { endpoints: 'http://127.0.0.1:1' };
  config.routes.push(
    { name: 'dead', match: { path: { exact: '/dead.Service/Call' } }, primary: 'dead' },
    {
      name: 'aborted',
      match: { path: { exact: '/aborted.Service/Call' } },
      primary: 'v1',
      fault: { abort: { status: 503, percent: 100 } },
    },
    {
      name: 'lost',
      match: { path: { exact: '/lost.Service/Call' } },
      primary: 'v1',
      fault: { abort: { grpcStatus: 'DATA_LOSS' } },
    },
    {
      name: 'chosen',
      match: { path: { exact: '/chosen.Service/Call' } },
      respond: { status: 200, headers: { 'grpc-status': '9' } },
    },
    {
      name: 'own',
      match: { path: { exact: '/own.Service/Call' } },
      respond: { status: 403, body: 'not for you, ü', headers: { 'x-by': 'umbra' } },
    },
  );
  const subsets = { calls: { endpoints: `http://127.0.0.1:${v1.port}`, protocol: 'http1' } };
  const umbra = await UmbraProcess.start({ ...config, subsets });
  const session = http2Session(umbra.url);
  t.teardown(async () => {
    session.destroy();
    await umbra.stop();
    await v1.close();
  });
  const call = async (target: string, asked: Asked2 = {}) => {
    const headers = { 'content-type': 'application/grpc+proto', te: 'trailers', ...asked.headers };
    const body = asked.body ?? Buffer.alloc(5);
    const answered = await ask2(session, { method: 'POST', target, ...asked, headers, body });
    t.equal(answered.status, 200);
    t.equal(answered.headers['content-type'], 'application/grpc');
    t.equal(answered.body.length, 0);
    return [answered.headers['grpc-status'], decodeURIComponent(String(answered.headers['grpc-message']))];
  };
  t.strictSame(await call('/nobody.Service/Call'), ['12', 'no route matches this request']);
  t.strictSame(await call('/dead.Service/Call'), ['14', 'upstream connection failed']);
  t.strictSame(await call('/aborted.Service/Call'), ['14', 'aborted on purpose']);
  t.strictSame(await call('/own.Service/Call'), ['7', 'not for you, ü']);
  t.strictSame(await call('/lost.Service/Call'), ['15', 'aborted on purpose']);
  t.match(await call('/chosen.Service/Call'), ['9'], 'a status that a route names itself');
  t.match(await call('/reviews.Service/Large', { body: Buffer.alloc(2000) }), ['8', /too large/]);
  t.match(await call('/reviews.Service/Call', { headers: { 'x-large': 'x'.repeat(4096) } }), [
    '8',
    /too large/i,
  ]);
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: 'calls' },
    spec: {
      hostnames: ['calls.example.com'],
      rules: [
        {
          matches: [{ method: { service: 'calls.Calls', method: 'Get' } }],
          backendRefs: [{ name: 'calls' }],
        },
        { matches: [{ method: { service: 'calls.Gone' } }], backendRefs: [{ name: 'nobody' }] },
      ],
    },
  };
  t.equal((await umbra.admin('POST', '/api/apply', route)).status, 200);
  const toHost = { ':authority': 'calls.example.com' };
  const typed = (type: string) => ({
    method: 'POST',
    headers: { ...toHost, 'content-type': type },
    body: Buffer.alloc(5),
  });
  t.match(await call('/calls.Calls/List', { headers: toHost }), ['12']);
  t.match(await call('/calls.Gone/Get', { headers: toHost }), ['14']);
  for (const [type, status] of [
    ['application/grpc', 200],
    ['Application/gRPC+proto', 200],
    ['application/json', 404],
  ] as const)
    t.equal((await ask2(session, { target: '/calls.Calls/Get', ...typed(type) })).status, status, type);
  const web = await ask2(session, {
    method: 'POST',
    target: '/nobody.Service/Call',
    headers: { 'content-type': 'application/grpc-web+proto' },
    body: Buffer.alloc(5),
  });
  t.equal(web.status, 404, 'gRPC-Web is answered in HTTP');
  t.equal(web.headers['grpc-status'], undefined);
  t.match(await ask2(session, { target: '/lost.Service/Call' }), {
    status: 500,
    headers: { 'grpc-status': undefined },
  });
  const own = await ask2(session, { target: '/own.Service/Call' });
  t.equal(own.status, 403);
  t.equal(own.headers['x-by'], 'umbra');
});

t.test('a call that takes longer than its route allows is DEADLINE_EXCEEDED', async (t) => {
  const message = Buffer.from([0, 0, 0, 0, 2, 1, 2]);
  const v1 = await Origin.listen((request, response) => {
    if (request.target === '/reviews.Service/Call') return;
    response.writeHead(200, { 'content-type': 'application/grpc' });
    response.write(request.target === '/reviews.Service/Begun' ? message : message.subarray(1));
  });
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, {
      route: { timeouts: { request: '500ms', until: 'end' } },
      umbra: { listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2' }] },
    }),
  );
  const session = http2Session(umbra.url);
  t.teardown(async () => {
    session.destroy();
    await umbra.stop();
    await v1.close();
  });
  const call = (method: string) =>
    ask2(session, {
      method: 'POST',
      target: `/reviews.Service/${method}`,
      headers: { 'content-type': 'application/grpc', te: 'trailers' },
      body: Buffer.alloc(5),
    });
  const timedOut = { 'grpc-status': '4', 'grpc-message': 'upstream timed out' };
  t.match(await call('Call'), { headers: timedOut, body: { length: 0 } });
  t.match(await call('Begun'), { headers: { 'grpc-status': undefined }, body: message, trailers: timedOut });
  await t.rejects(call('Cut'), { message: /NGHTTP2_INTERNAL_ERROR/ }, 'a message is incomplete');
  const { versions } = await umbra.stats();
  t.equal(versions.v1!.primary!.failures.timeout, 3);
});
