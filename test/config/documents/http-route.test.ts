import t from '../../support/tap.js';
import { grown, type RouteWords } from './grown.js';

const host = 'a.example.com';
const text = (rules: unknown, hostnames: unknown = [host]): string =>
  JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'r' },
    spec: { hostnames, rules },
  });
const backendRefs = [{ name: 'ratings', port: 80 }];
const rule = (words: object): RouteWords => grown(text([{ backendRefs, ...words }])).routes[0];
const filter = (type: string, words: object) => {
  const key =
    type === 'CORS' ? 'cors' : type === 'URLRewrite' ? 'urlRewrite' : type[0].toLowerCase() + type.slice(1);
  return { filters: [{ type, [key]: words }] };
};

t.test('a PathPrefix matches whole elements of the path', async (t) => {
  const match = (value: string) => rule({ matches: [{ path: { type: 'PathPrefix', value } }] }).match;
  t.strictSame(match('/abc'), [
    { host, path: { exact: '/abc' } },
    { host, path: { prefix: '/abc/' } },
  ]);
  t.strictSame(match('/abc/'), match('/abc'));
  t.strictSame(match('/'), { host });
});

t.test('without matches a rule takes everything, without hostnames every host', async (t) => {
  t.strictSame(grown(text([{ backendRefs }], null)).routes[0].match, {});
});

t.test(
  'headers, query parameters and the method of a match hold together; of one name the first counts',
  async (t) => {
    const match = {
      method: 'GET',
      headers: [
        { name: 'a', value: '1' },
        { name: 'A', value: '2' },
        { name: 'b', type: 'RegularExpression', value: 'x+' },
      ],
      queryParams: [{ name: 'q', value: 'z' }],
    };
    t.strictSame(rule({ matches: [match] }).match, {
      host,
      method: ['GET'],
      header: { a: { exact: '1' }, b: { regex: 'x+' } },
      query: { q: { exact: 'z' } },
    });
  },
);

t.test('weights are 1 unless given, and a weight of 0 gets nothing', async (t) => {
  const refs = (...weights: (number | undefined)[]) => [
    { name: 'ratings', port: 80, weight: weights[0] },
    { name: 'reviews', port: 80, weight: weights[1] },
  ];
  t.strictSame(rule({ backendRefs: refs(undefined, 9) }).primary, { ratings: 1, reviews: 9 });
  t.equal(rule({ backendRefs: refs(0, 9) }).primary, 'reviews');
});

t.test('a rule with nothing to forward to answers 500', async (t) => {
  t.strictSame(rule({ backendRefs: [] }).respond, { status: 500 });
  t.strictSame(rule({ backendRefs: [{ ...backendRefs[0], weight: 0 }] }).respond, { status: 500 });
});

t.test('RequestMirror copies all, a percentage or a fraction', async (t) => {
  const mirrors = (words: object) =>
    rule(filter('RequestMirror', { backendRef: { name: 'reviews', port: 80 }, ...words })).mirrors;
  t.strictSame(mirrors({}), [{ to: 'reviews', percent: 100, of: 'forwarded' }]);
  t.strictSame(mirrors({ percent: 42 }), [{ to: 'reviews', percent: 42, of: 'forwarded' }]);
  t.strictSame(mirrors({ fraction: { numerator: 5 } }), [{ to: 'reviews', percent: 5, of: 'forwarded' }]);
  t.strictSame(mirrors({ fraction: { numerator: 1, denominator: 3 } }), [
    { to: 'reviews', percent: 33.3333, of: 'forwarded' },
  ]);
});

t.test('several RequestMirror filters are several mirrors', async (t) => {
  const mirror = (name: string) => filter('RequestMirror', { backendRef: { name, port: 80 } }).filters[0];
  const route = rule({ backendRefs: [{ name: 'ratings' }], filters: [mirror('reviews'), mirror('ratings')] });
  t.strictSame(
    (route.mirrors as { to: string }[]).map(({ to }) => to),
    ['reviews', 'ratings'],
  );
});

t.test('header modifiers of a rule are for all, those of a backend for when it was chosen', async (t) => {
  const set = [{ name: 'x', value: '1' }];
  t.strictSame(rule(filter('RequestHeaderModifier', { set, remove: ['y'] })).headers, {
    request: { set: { x: '1' }, remove: ['y'] },
  });
  t.strictSame(rule(filter('ResponseHeaderModifier', { add: set })).headers, {
    response: { add: { x: '1' } },
  });
  const own = [{ ...backendRefs[0], ...filter('RequestHeaderModifier', { set }) }];
  t.strictSame(rule({ backendRefs: own }).versionHeaders, { ratings: { request: { set: { x: '1' } } } });
});

t.test('URLRewrite and RequestRedirect replace the path, or the prefix by whole elements', async (t) => {
  const full = { type: 'ReplaceFullPath', replaceFullPath: '/z' };
  t.strictSame(rule(filter('URLRewrite', { hostname: 'b.example.com', path: full })).rewrite, {
    host: 'b.example.com',
    path: { set: '/z' },
  });
  const matches = [{ path: { value: '/foo' } }];
  const path = { type: 'ReplacePrefixMatch', replacePrefixMatch: '/xyz' };
  const { routes } = grown(text([{ backendRefs, matches, ...filter('URLRewrite', { path }) }]));
  t.strictSame(
    routes.map(({ match, rewrite }) => [match, rewrite]),
    [
      [{ host, path: { exact: '/foo' } }, { path: { set: '/xyz' } }],
      [{ host, path: { prefix: '/foo/' } }, { path: { prefix: '/foo/', to: '/xyz/' } }],
    ],
  );
  const redirect = filter('RequestRedirect', { scheme: 'https', statusCode: 301, path });
  t.strictSame(
    grown(text([{ matches, ...redirect }])).routes.map((route) => route.redirect),
    [
      { status: 301, scheme: 'https', port: 443, path: { set: '/xyz' } },
      { status: 301, scheme: 'https', port: 443, path: { prefix: '/foo/', to: '/xyz/' } },
    ],
  );
  t.strictSame(grown(text([filter('RequestRedirect', {})])).routes[0].redirect, {
    status: 302,
    port: 'listener',
  });
});

t.test('timeouts.request is the timeout, backendRequest that of an attempt', async (t) => {
  t.equal(rule({}).timeout, 'off');
  t.match(rule({ timeouts: { request: '10s' } }), { timeout: '10s', timeouts: { until: 'end' } });
  t.equal(rule({ timeouts: { request: '10s', backendRequest: '2s' } }).timeout, '2s');
  const route = rule({
    timeouts: { request: '10s', backendRequest: '2s' },
    retry: { attempts: 2, codes: [503] },
  });
  t.equal(route.timeout, '10s');
  t.strictSame(route.retries, { attempts: 2, perTryTimeout: '2s', on: ['connect', 'reset', 503] });
});

t.test('a CORS filter becomes cors, and a * within an origin is any text', async (t) => {
  const cors = (words: object) => rule(filter('CORS', words)).cors;
  t.strictSame(
    cors({ allowOrigins: ['https://*.b.test', 'https://a.test', '*'], allowMethods: ['GET'], maxAge: 3600 }),
    {
      origins: [{ regex: 'https://.+\\.b\\.test' }, { exact: 'https://a.test' }, { exact: '*' }],
      methods: ['GET'],
      maxAge: '3600s',
    },
  );
  t.match(cors({ allowOrigins: ['*'], allowCredentials: true }), { maxAge: '5s', credentials: true });
});

t.test('a backend that is not there is reported, and its share is answered 500', async (t) => {
  const told = (ref: object) => grown(text([{ backendRefs: [ref] }]));
  t.match(told({ name: 'nowhere', port: 80 }), {
    routes: [{ respond: { status: 500 } }],
    told: [/warning: .*nowhere\.default\.svc\.cluster\.local has no endpoints/],
  });
  t.match(told({ name: 'x', kind: 'Bucket', group: 'example.com' }).told, [
    /`x` is not a Service: its share/,
  ]);
  const half = rule({
    backendRefs: [
      { ...backendRefs[0], weight: 3 },
      { name: 'nowhere', weight: 1 },
    ],
  });
  t.match(half, { primary: 'ratings', fault: { abort: { percent: 25, status: 500 } } });
});

t.test('a backend in another namespace needs a ReferenceGrant there', async (t) => {
  const base = 'subsets: { ratings.prod.svc: "http://127.0.0.1:80" }';
  const route = text([{ backendRefs: [{ name: 'ratings', namespace: 'prod', port: 80 }] }]);
  const grant = (from: object, to: object, namespace = 'prod'): string =>
    JSON.stringify({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ReferenceGrant',
      metadata: { name: 'g', namespace },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'default', ...from }],
        to: [{ group: '', kind: 'Service', ...to }],
      },
    });
  const primary = (...grants: string[]) => grown([route, ...grants], base).routes[0].primary;
  t.match(grown(route, base).told, [/`prod\/ratings` needs a ReferenceGrant/]);
  t.equal(primary(grant({}, {})), 'ratings.prod');
  t.equal(primary(grant({}, { name: 'ratings' })), 'ratings.prod');
  for (const other of [
    grant({}, { name: 'other' }),
    grant({}, { kind: 'Secret' }),
    grant({}, { group: 'x' }),
    grant({ namespace: 'x' }, {}),
    grant({ kind: 'Gateway' }, {}),
    grant({ group: 'x' }, {}),
    grant({}, {}, 'default'),
  ])
    t.equal(primary(other), undefined);
});

t.test('filters of the only backend of a rule count as those of the rule', async (t) => {
  const path = { type: 'ReplaceFullPath', replaceFullPath: '/z' };
  const own = (words: object) => rule({ backendRefs: [{ ...backendRefs[0], ...words }] });
  t.match(own(filter('URLRewrite', { path })), { primary: 'ratings', rewrite: { path: { set: '/z' } } });
  t.match(own(filter('RequestRedirect', { path })), { redirect: { path: '/z' } });
  const two = [{ ...backendRefs[0], ...filter('URLRewrite', { path }) }, { name: 'reviews' }];
  t.match(grown(text([{ backendRefs: two }])).told, [/only where the rule has one backend/]);
});

t.test('changes to requests that nothing forwards are reported', async (t) => {
  const both = [
    filter('RequestHeaderModifier', { set: [{ name: 'x', value: '1' }] }).filters[0],
    filter('RequestRedirect', {}).filters[0],
  ];
  const { routes, told } = grown(text([{ filters: both }]));
  t.match(told, [/`requestHeaderModifier` is ignored: nothing is forwarded here/]);
  t.equal(routes[0].headers, undefined);
});

t.test('a filter that umbra does not have is refused by its type', async (t) => {
  const { told } = grown(text([{ backendRefs, filters: [{ type: 'ExtensionRef' }] }]));
  t.match(told[0], /filters\[0\]\.type: expected RequestHeaderModifier/);
  t.match(
    grown(text([{ backendRefs, filters: [{ type: 'RequestMirror' }] }])).told[0],
    /needs `requestMirror`/,
  );
});

t.test('an HTTPRoute of a Service takes the requests to that Service and no others', async (t) => {
  const route = (parentRefs: object[]): unknown => {
    const { routes } = grown(
      JSON.stringify({
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: 'reviews' },
        spec: { parentRefs, rules: [{ backendRefs: [{ name: 'ratings', port: 9080 }] }] },
      }),
    );
    return routes[0].match;
  };
  const forms = ['ratings', 'ratings.default', 'ratings.default.svc', 'ratings.default.svc.cluster.local'];
  t.strictSame(
    route([{ group: '', kind: 'Service', name: 'ratings', port: 9080 }]),
    forms.map((host) => ({ host })),
  );
  t.strictSame(route([{ name: 'gateway' }]), {});
});

t.test('of two headers whose names differ in case the first counts', async (t) => {
  const { routes } = grown(
    JSON.stringify({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'a' },
      spec: {
        rules: [
          {
            matches: [
              {
                headers: [
                  { name: 'Version', value: 'one' },
                  { name: 'version', value: 'two' },
                ],
              },
            ],
            backendRefs: [{ name: 'ratings' }],
          },
        ],
      },
    }),
  );
  t.strictSame(routes[0].match, { header: { Version: { exact: 'one' } } });
});
