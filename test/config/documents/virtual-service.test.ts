import t from '../../support/tap.js';
import { grown, type RouteWords, reviews, ruleOf, toV1, toV2, v2 } from './grown.js';

const host = 'reviews.example.com';

t.test('rules keep their order, and the first that matches wins', async (t) => {
  const { routes } = grown(
    reviews([
      { match: [{ uri: { prefix: '/b' } }], ...toV2 },
      { match: [{ uri: { prefix: '/a' } }], ...toV1 },
    ]),
  );
  t.strictSame(
    routes.map(({ name, match, primary }) => [name, match, primary]),
    [
      ['reviews', { host, path: { prefix: '/b' } }, 'reviews_v2'],
      ['reviews_2', { host, path: { prefix: '/a' } }, 'reviews_v1'],
    ],
  );
});

t.test('a rule with a name is a route with that name', async (t) => {
  const { routes } = grown(reviews([{ name: 'canary group', ...toV1 }]));
  t.equal(routes[0].name, 'reviews_canary-group');
});

t.test('a short host stands for all forms of the name of the service, by its namespace', async (t) => {
  const document = (namespace: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a, namespace: ${namespace} }
spec: { hosts: [ratings], http: [{ route: [{ destination: { host: ratings.default.svc.cluster.local } }] }] }`;
  const hosts = (namespace: string) =>
    (grown(document(namespace)).routes[0].match as { host: string }[]).map(({ host }) => host);
  t.strictSame(hosts('default'), [
    'ratings',
    'ratings.default',
    'ratings.default.svc',
    'ratings.default.svc.cluster.local',
  ]);
  t.strictSame(hosts('prod'), [
    'ratings',
    'ratings.prod',
    'ratings.prod.svc',
    'ratings.prod.svc.cluster.local',
  ]);
  t.equal(grown(document('prod')).routes[0].name, 'prod__a');
});

t.test('a short host of a destination belongs to the namespace of the document', async (t) => {
  const { told } = grown(reviews([toV1], { namespace: 'prod' }));
  t.match(told[0], /prod\/reviews: subset `v1` of reviews\.prod\.svc\.cluster\.local is unknown/);
});

t.test('all conditions of a match hold together, and any match of a list is enough', async (t) => {
  const rule = {
    ...toV1,
    match: [
      {
        uri: { regex: '/r.*' },
        method: { exact: 'GET' },
        authority: { prefix: 'rev' },
        headers: { 'x-user': { exact: 'jason' }, 'x-any': {} },
        queryParams: { q: { prefix: 'a' } },
        withoutHeaders: { 'x-bot': {} },
      },
      { uri: { prefix: '/Up' }, ignoreUriCase: true, method: { regex: 'PUT|POST' } },
    ],
  };
  t.strictSame(ruleOf(rule).match, [
    {
      host,
      path: { regex: '/r.*' },
      method: ['GET'],
      header: { 'x-user': { exact: 'jason' }, 'x-any': { present: true }, host: { prefix: 'rev' } },
      query: { q: { prefix: 'a' } },
      without: { header: { 'x-bot': { present: true } } },
    },
    { host, path: { prefix: '/Up', ignoreCase: true }, method: ['PUT', 'POST'] },
  ]);
});

t.test('a match by port, by scheme, and by headers that an empty text fits', async (t) => {
  const match = (words: object) => ruleOf({ ...toV1, match: [words] }).match;
  t.strictSame(match({ port: 8080 }), { host, port: 8080 });
  t.strictSame(match({ scheme: { exact: 'https' } }), { host, scheme: 'https' });
  t.strictSame(match({ scheme: { prefix: 'http' } }), { host });
  t.match(grown(reviews([{ ...toV1, match: [{ scheme: { exact: 'ftp' } }] }])).told, [
    /neither http nor https/,
  ]);
  t.strictSame(match({ headers: { 'x-a': { regex: '*' } } }), { host, header: { 'x-a': { present: true } } });
  const without = (words: object) => match({ withoutHeaders: { 'x-a': words } });
  t.strictSame(without({ exact: 'a' }), { host, without: { header: { 'x-a': { exact: 'a' } } } });
  t.strictSame(
    without({ regex: 'a*' }),
    { host, header: { 'x-a': { present: true } }, without: { header: { 'x-a': { regex: 'a*' } } } },
    'an absent field counts as an empty one, which fits',
  );
});

t.test(
  'names of rules may repeat, and names of documents may be as long as those of Kubernetes',
  async (t) => {
    const names = (text: string) => grown(text).routes.map(({ name }) => name);
    const named = { name: 'x', ...toV1, match: [{ uri: { prefix: '/a' } }] };
    t.strictSame(names(reviews([named, named, { ...named, name: 'y' }])), [
      'reviews_x',
      'reviews_x.2',
      'reviews_y',
    ]);
    const long = names(reviews([toV1, toV1], { name: 'a'.repeat(253), namespace: 'default' }));
    t.ok(long.every((name) => name.length <= 128));
    t.equal(new Set(long).size, 2);
  },
);

t.test('corsPolicy becomes cors', async (t) => {
  const cors = (corsPolicy: object) => ruleOf({ ...toV1, corsPolicy }).cors;
  t.strictSame(cors({ allowOrigins: [{ prefix: 'https://a' }], allowHeaders: ['x-a'], maxAge: '24h' }), {
    origins: [{ prefix: 'https://a' }],
    headers: ['x-a'],
    maxAge: '86400s',
    unmatched: 'forward',
  });
  t.match(cors({ allowOrigin: ['https://a'], unmatchedPreflights: 'IGNORE' }), {
    origins: [{ exact: 'https://a' }],
    unmatched: 'answer',
  });
});

t.test(
  'a method by its beginning or an expression is tried on the methods of HTTP, and that is reported',
  async (t) => {
    const { routes, told } = grown(reviews([{ ...toV1, match: [{ method: { regex: 'P.*' } }] }]));
    t.strictSame(routes[0].match, { host, method: ['POST', 'PUT', 'PATCH'] });
    t.match(told, [/warning: .*match.method is tried on the methods of HTTP alone: POST, PUT, PATCH/]);
    const none = grown(reviews([{ ...toV1, match: [{ method: { prefix: 'X' } }] }])).told;
    t.match(none[0], /match.method: no method of HTTP fits/);
  },
);

t.test('one header in two spellings is reported', async (t) => {
  const headers = { Version: { exact: '1' }, version: { exact: '2' } };
  const { routes, told } = grown(reviews([{ ...toV1, match: [{ headers }] }]));
  t.match(told, [/warning: .*match.headers: `version` is there in another spelling too, and both must hold/]);
  t.strictSame(routes[0].match, { host, header: headers });
});

t.test('weights are kept, and a single destination takes everything whatever its weight says', async (t) => {
  const [one] = toV1.route;
  const [two] = toV2.route;
  const split = ruleOf({
    route: [
      { ...one, weight: 99 },
      { ...two, weight: 1 },
    ],
  });
  t.strictSame(split.primary, { reviews_v1: 99, reviews_v2: 1 });
  t.equal(ruleOf({ route: [{ ...one, weight: 0 }] }).primary, 'reviews_v1');
  t.equal(
    ruleOf({
      route: [
        { ...one, weight: 100 },
        { ...two, weight: 0 },
      ],
    }).primary,
    'reviews_v1',
  );
  t.match(
    grown(
      reviews([
        {
          route: [
            { ...one, weight: 0 },
            { ...two, weight: 0 },
          ],
        },
      ]),
    ).told,
    [/all weights are 0/],
  );
});

t.test('header changes of a destination are for when it was chosen, those of a rule for all', async (t) => {
  const changes = { request: { set: { a: '1' } }, response: { remove: ['b'] } };
  const route = ruleOf({
    route: [
      { ...toV1.route[0], weight: 50, headers: changes },
      { ...toV2.route[0], weight: 50 },
    ],
    headers: { request: { add: { c: '2' } } },
  });
  t.strictSame(route.versionHeaders, { reviews_v1: changes });
  t.strictSame(route.headers, { request: { add: { c: '2' } } });
});

t.test('the mirrored share', async (t) => {
  const percent = (words: object) =>
    (ruleOf({ ...toV1, ...words }).mirrors as { percent: number }[]).map((mirror) => mirror.percent);
  await t.test('is 100 % where none is given', async (t) => {
    t.strictSame(percent({ mirror: v2 }), [100]);
    t.strictSame(percent({ mirrors: [{ destination: v2 }] }), [100]);
  });
  await t.test('is mirrorPercentage.value, which is 0 where the value is left out', async (t) => {
    t.strictSame(percent({ mirror: v2, mirrorPercentage: { value: 12.5 } }), [12.5]);
    t.strictSame(percent({ mirror: v2, mirrorPercentage: {} }), [0]);
  });
  await t.test('is mirrorPercent or mirror_percent in old documents', async (t) => {
    t.strictSame(percent({ mirror: v2, mirrorPercent: 7 }), [7]);
    t.strictSame(percent({ mirror: v2, mirror_percent: 8 }), [8]);
  });
  await t.test('is of each mirror alone in mirrors', async (t) => {
    const mirrors = [
      { destination: v2, percentage: { value: 1 } },
      { destination: { host: 'ratings' }, percentage: { value: 99.9 } },
    ];
    t.strictSame(percent({ mirrors }), [1, 99.9]);
  });
  await t.test('is cut to steps of 0.0001', async (t) => {
    t.strictSame(percent({ mirror: v2, mirrorPercentage: { value: 0.12349 } }), [0.1234]);
  });
  await t.test('is refused above 100 or said twice', async (t) => {
    const told = (words: object) => grown(reviews([{ ...toV1, mirror: v2, ...words }])).told[0];
    t.match(told({ mirrorPercentage: { value: 101 } }), /expected a number from 0 to 100/);
    t.match(told({ mirrorPercent: 1, mirrorPercentage: { value: 1 } }), /only one of `mirrorPercentage`/);
  });
});

t.test('the Host of a copy gets -shadow, unless documents.mirrorHost says otherwise', async (t) => {
  const rule = reviews([{ ...toV1, mirror: v2 }]);
  const mirrors = (base: string) => grown(rule, base).routes[0].mirrors;
  const endpoints = 'subsets: { reviews: { v1: "http://a:1", v2: "http://b:1" } }';
  // The default of a mirror is shadow.
  t.strictSame(mirrors(endpoints), [{ to: 'reviews_v2', percent: 100, of: 'forwarded' }]);
  t.strictSame(mirrors(`${endpoints}\ndocuments: { mirrorHost: preserve }`), [
    { to: 'reviews_v2', percent: 100, of: 'forwarded', host: 'preserve' },
  ]);
});

t.test('there is no timeout unless one is given', async (t) => {
  t.equal(ruleOf(toV1).timeout, 'off');
  t.equal(ruleOf({ ...toV1, timeout: '0s' }).timeout, 'off');
  t.match(ruleOf({ ...toV1, timeout: '1m0.5s' }), { timeout: '60500ms', timeouts: { until: 'end' } });
  t.equal(ruleOf(toV1).timeouts, undefined);
});

t.test('retries repeat on what Istio repeats on, and there are none unless they are given', async (t) => {
  const retries = (words: object) => ruleOf({ ...toV1, retries: words }).retries;
  t.equal(ruleOf(toV1).retries, undefined);
  t.equal(retries({ attempts: 0 }), undefined);
  t.strictSame(retries({ attempts: 3 }), { attempts: 3, on: ['connect', 503] });
  t.strictSame(
    retries({ attempts: 1, perTryTimeout: '2s', retryOn: 'gateway-error,connect-failure, 502,409' }),
    { attempts: 1, perTryTimeout: '2s', on: ['gateway-error', 'connect', 502, 409] },
  );
  t.strictSame(retries({ attempts: 1, retryOn: '5xx' }), { attempts: 1, on: ['5xx', 'connect', 'reset'] });
  t.match(grown(reviews([{ ...toV1, retries: { attempts: 1, retryOn: 'cancelled,reset' } }])).told, [
    /warning: .*`cancelled` is ignored/,
  ]);
});

t.test('a fault', async (t) => {
  const fault = (words: object, more: object = {}): RouteWords => ruleOf({ ...toV1, ...more, fault: words });
  await t.test('concerns all requests where no percentage is given', async (t) => {
    t.strictSame(fault({ delay: { fixedDelay: '5s' }, abort: { httpStatus: 503 } }).fault, {
      delay: { percent: 100, for: '5s' },
      abort: { percent: 100, status: 503 },
    });
  });
  await t.test('concerns the share that percentage or percent says', async (t) => {
    t.strictSame(fault({ abort: { httpStatus: 400, percentage: { value: 0.1 } } }).fault, {
      abort: { percent: 0.1, status: 400 },
    });
    t.strictSame(fault({ delay: { fixedDelay: '10ms', percent: 3 } }).fault, {
      delay: { percent: 3, for: '10ms' },
    });
  });
  await t.test('names a status of gRPC', async (t) => {
    t.strictSame(fault({ abort: { grpcStatus: 'DATA_LOSS', percentage: { value: 5 } } }).fault, {
      abort: { percent: 5, grpcStatus: 'DATA_LOSS' },
    });
  });
  await t.test('turns timeout and retries off', async (t) => {
    const route = fault({ abort: { httpStatus: 503 } }, { timeout: '1s', retries: { attempts: 2 } });
    t.equal(route.timeout, 'off');
    t.equal(route.retries, undefined);
  });
  await t.test('needs a delay or an abort, and what they do', async (t) => {
    const told = (words: object) => grown(reviews([{ ...toV1, fault: words }])).told[0];
    t.match(told({}), /expected `delay`, `abort` or both/);
    t.match(told({ delay: { percent: 1 } }), /`fixedDelay` is missing/);
    t.match(told({ abort: {} }), /expected `httpStatus` or `grpcStatus`/);
    t.match(told({ abort: { grpcStatus: '14' } }), /expected OK, CANCELLED, UNKNOWN/);
  });
});

t.test('rewrite.uri takes the place of what was matched', async (t) => {
  const { routes } = grown(
    reviews([
      {
        match: [
          { uri: { prefix: '/a' } },
          { uri: { exact: '/b' } },
          { uri: { prefix: '/a' }, method: { exact: 'GET' } },
        ],
        rewrite: { uri: '/c', authority: 'other.example.com' },
        ...toV1,
      },
    ]),
  );
  t.strictSame(
    routes.map(({ name, match, rewrite }) => [name, match, rewrite]),
    [
      [
        'reviews',
        [
          { host, path: { prefix: '/a' } },
          { host, path: { prefix: '/a' }, method: ['GET'] },
        ],
        { path: { prefix: '/a', to: '/c' }, host: 'other.example.com' },
      ],
      ['reviews_1-2', { host, path: { exact: '/b' } }, { path: { set: '/c' }, host: 'other.example.com' }],
    ],
  );
  t.strictSame(ruleOf({ ...toV1, rewrite: { uri: '/c' } }).rewrite, { path: { prefix: '/', to: '/c' } });
  t.strictSame(
    ruleOf({ ...toV1, rewrite: { uriRegexRewrite: { match: '/(.*)', rewrite: '/x/\\1' } } }).rewrite,
    {
      path: { regex: '/(.*)', to: '/x/\\1' },
    },
  );
});

t.test('redirect and directResponse answer in the place of a version', async (t) => {
  t.strictSame(ruleOf({ redirect: { uri: '/x', authority: 'a.example.com:81' } }).redirect, {
    status: 301,
    host: 'a.example.com',
    port: 81,
    path: '/x',
  });
  t.strictSame(
    ruleOf({ redirect: { scheme: 'https', derivePort: 'FROM_PROTOCOL_DEFAULT', redirectCode: 308 } })
      .redirect,
    { status: 308, scheme: 'https', port: 443 },
  );
  t.strictSame(ruleOf({ directResponse: { status: 503, body: { string: 'no' } } }).respond, {
    status: 503,
    body: 'no',
  });
  t.strictSame(ruleOf({ directResponse: { status: 200, body: { bytes: 'aMOp' } } }).respond, {
    status: 200,
    body: 'hé',
  });
  t.match(grown(reviews([{ ...toV1, redirect: { uri: '/x' } }])).told, [/exactly one of `route`/]);
});

t.test('a version name is host, subset and port, short in the usual namespace', async (t) => {
  const { versions } = grown(reviews([toV1, { route: [{ destination: { host: 'ratings' } }] }]));
  t.strictSame(Object.keys(versions), ['reviews_v1', 'ratings']);
});

t.test('a destination without a subset has the endpoints of all subsets', async (t) => {
  const { versions } = grown(reviews([{ route: [{ destination: { host: 'reviews' } }] }]));
  t.strictSame(versions.reviews.endpoints, ['http://127.0.0.1:9080', 'http://127.0.0.1:9081']);
});

t.test('what has no effect in a rule is reported', async (t) => {
  const told = (rule: object): string => grown(reviews([rule])).told.join('\n');
  const redirect = { redirect: { uri: '/a' } };
  for (const [key, value] of Object.entries({
    timeout: '1s',
    retries: { attempts: 2 },
    mirror: v2,
    mirrors: [{ destination: v2 }],
    mirrorPercentage: { value: 5 },
  }))
    t.match(
      told({ ...redirect, [key]: value }),
      new RegExp(`\`${key}\` is ignored: the rule answers by itself`),
    );
  t.match(
    told({ directResponse: { status: 200 }, headers: { request: { set: { a: 'b' } } } }),
    /`headers.request` is ignored/,
  );
  t.match(
    told({ ...toV1, mirrorPercentage: { value: 5 } }),
    /`mirrorPercentage` is ignored: the rule has no `mirror`/,
  );
});
