import t from '../../support/tap.js';
import { grown, type RouteWords, subsets } from './grown.js';

const host = 'a.example.com';
const isGrpc = { 'content-type': { regex: '(?i)application/grpc([+; ].*)?' } };
const document = (kind: string, name: string, spec: object, more: object = {}): string =>
  JSON.stringify({
    apiVersion:
      kind === 'ReferenceGrant' ? 'gateway.networking.k8s.io/v1beta1' : 'gateway.networking.k8s.io/v1',
    kind,
    metadata: { name, ...more },
    spec,
  });
const text = (rules: unknown): string => document('GRPCRoute', 'r', { hostnames: [host], rules });
const backendRefs = [{ name: 'ratings' }];
const rule = (words: object): RouteWords => grown(text([{ backendRefs, ...words }])).routes[0];
const matched = (method: object) => (rule({ matches: [{ method }] }).match as { path: unknown }).path;

t.test('a method is the path of its calls', async (t) => {
  t.strictSame(matched({ service: 'a.B', method: 'Get' }), { exact: '/a.B/Get' });
  t.strictSame(matched({ type: 'Exact', service: 'a.B' }), { prefix: '/a.B/' });
  t.strictSame(matched({ method: 'Get' }), { regex: '/[^/]+/Get' });
  const type = 'RegularExpression';
  t.strictSame(matched({ type, service: 'a|b', method: 'Get.*' }), { regex: '/(?:a|b)/(?:Get.*)' });
  t.strictSame(matched({ type, service: 'a.+' }), { regex: '/(?:a.+)/(?:[^/]+)' });
  t.strictSame(matched({ type, method: 'G' }), { regex: '/(?:[^/]+)/(?:G)' });
});

t.test('a method needs a name of a service or a method', async (t) => {
  const told = (method: object) => grown(text([{ backendRefs, matches: [{ method }] }])).told[0];
  t.match(told({}), /method: expected `service`, `method` or both/);
  t.match(told({ service: '', method: '' }), /expected `service`, `method` or both/);
  t.match(told({ service: 'a/b' }), /`a\/b` is not the name of a service/);
  t.match(told({ service: 'a', method: 'b.c' }), /`b.c` is not the name of a method/);
});

t.test('every match is one of gRPC calls, with its headers', async (t) => {
  t.strictSame(rule({}).match, { host, header: isGrpc });
  const headers = [
    { name: 'a', value: '1' },
    { name: 'A', value: '2' },
    { name: 'b', type: 'RegularExpression', value: 'x+' },
  ];
  t.strictSame(rule({ matches: [{ headers }] }).match, {
    host,
    header: { ...isGrpc, a: { exact: '1' }, b: { regex: 'x+' } },
  });
});

t.test('the longer service comes first, then the longer method, then more headers', async (t) => {
  const header = (name: string) => ({ name, value: '1' });
  const matches = [
    undefined,
    { headers: [header('a')] },
    { method: { type: 'RegularExpression', service: 'a.*' } },
    { method: { service: 'a.B' } },
    { method: { service: 'a.B', method: 'Get' } },
    { method: { service: 'a.B', method: 'Get' }, headers: [header('a')] },
    { method: { service: 'a.B', method: 'List' } },
    { method: { service: 'a.Longer' } },
  ];
  const rules = matches.map((match, index) => ({
    name: `n${index}`,
    backendRefs,
    ...(match === undefined ? {} : { matches: [match] }),
  }));
  t.strictSame(
    grown(text(rules)).routes.map(({ name }) => name),
    [7, 6, 5, 4, 3, 2, 1, 0].map((index) => `grpcroute_r_n${index}`),
  );
});

t.test('weights, mirrors and header modifiers are those of HTTPRoute', async (t) => {
  const route = rule({
    backendRefs: [
      { name: 'ratings', weight: 9 },
      {
        name: 'reviews',
        filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }],
      },
    ],
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: '1' }] } },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: { add: [{ name: 'b', value: '2' }] } },
      { type: 'RequestMirror', requestMirror: { backendRef: { name: 'reviews' }, percent: 5 } },
      {
        type: 'RequestMirror',
        requestMirror: { backendRef: { name: 'ratings' }, fraction: { numerator: 1, denominator: 3 } },
      },
    ],
  });
  t.strictSame(route.primary, { ratings: 9, reviews: 1 });
  t.strictSame(route.versionHeaders, { reviews: { request: { remove: ['x'] } } });
  t.strictSame(route.headers, { request: { set: { a: '1' } }, response: { add: { b: '2' } } });
  t.strictSame(route.mirrors, [
    { to: 'reviews', percent: 5, of: 'forwarded' },
    { to: 'ratings', percent: 33.3333, of: 'forwarded' },
  ]);
  t.equal(route.timeout, 'off');
});

t.test('filters are complete, and each modifier is there once', async (t) => {
  const told = (...filters: object[]) => grown(text([{ backendRefs, filters }])).told[0];
  const remove = { type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['a'] } };
  t.match(told(remove, remove), /only one `requestHeaderModifier` is possible/);
  t.match(told({ type: 'RequestMirror' }), /of type RequestMirror needs `requestMirror`/);
  t.match(
    told({ type: 'ExtensionRef', extensionRef: {} }),
    /type: expected RequestHeaderModifier, ResponseHeaderModifier or RequestMirror/,
  );
});

t.test('a share without a backend is UNAVAILABLE, which 503 is for gRPC', async (t) => {
  t.strictSame(rule({ backendRefs: [] }).respond, { status: 503 });
  const { routes, told } = grown(text([{ backendRefs: [...backendRefs, { name: 'nobody' }] }]));
  t.match(routes[0], { fault: { abort: { percent: 50, status: 503 } } });
  t.match(told, [/nobody\.default\.svc\.cluster\.local has no endpoints/]);
});

t.test('a backend in another namespace needs a ReferenceGrant from GRPCRoute', async (t) => {
  const base = `${subsets}  other.prod.svc.cluster.local: "http://127.0.0.1:9092"\n`;
  const route = text([{ backendRefs: [{ name: 'other', namespace: 'prod' }] }]);
  const grant = (kind: string) =>
    document(
      'ReferenceGrant',
      'g',
      {
        from: [{ group: 'gateway.networking.k8s.io', kind, namespace: 'default' }],
        to: [{ group: '', kind: 'Service' }],
      },
      { namespace: 'prod' },
    );
  t.equal(grown([route, grant('GRPCRoute')], base).routes[0].primary, 'other.prod');
  const { routes, told } = grown([route, grant('HTTPRoute')], base);
  t.strictSame(routes[0].respond, { status: 503 });
  t.match(told, [/`prod\/other` needs a ReferenceGrant: its share is answered UNAVAILABLE/]);
});

t.test('its backends speak HTTP/2, whatever other routes say of them, unless umbra.yaml does', async (t) => {
  const http = document('HTTPRoute', 'h', { hostnames: ['b.example.com'], rules: [{ backendRefs }] });
  for (const texts of [
    [text([{ backendRefs }]), http],
    [http, text([{ backendRefs }])],
  ])
    t.equal(grown(texts).versions.ratings!.protocol, 'http2');
  t.equal(grown(http).versions.ratings!.protocol, undefined);
  const own = 'subsets: { ratings: { endpoints: "http://127.0.0.1:9090", protocol: http1 } }';
  t.equal(grown(text([{ backendRefs }]), own).versions.ratings!.protocol, 'http1');
});

t.test('a host has routes of one kind: the older document has it', async (t) => {
  const at = (createdS: number) => ({ creationTimestamp: new Date(createdS * 1000).toISOString() });
  const of = (kind: string, name: string, hostnames: readonly string[], createdS: number) =>
    document(kind, name, { hostnames, rules: [{ backendRefs }] }, at(createdS));
  const { routes, told } = grown([
    of('GRPCRoute', 'late', [host, 'b.example.com'], 3),
    of('HTTPRoute', 'first', [host], 1),
    of('GRPCRoute', 'other', ['*.example.com'], 2),
    // Whoever has no effect has no host either.
    of('HTTPRoute', 'last', ['b.example.com'], 4),
  ]);
  t.strictSame(
    routes.map(({ name }) => name).filter((name) => !name.includes('unmatched')),
    ['httproute_first', 'httproute_last', 'grpcroute_other'],
  );
  t.match(told, [/grpcroute\/late: it has no effect: .* httproute\/first has one of its hosts/]);
  t.equal(told.length, 1);
});
