import t from '../../support/tap.js';
import { grown, reviews, subsets, toV1 } from './grown.js';

const document = (
  apiVersion: string,
  kind: string,
  name: string,
  more: object = {},
  metadata: object = {},
) => ({
  apiVersion,
  kind,
  metadata: { name, ...metadata },
  ...more,
});
const bundle = (...documents: (object | string)[]): string =>
  documents.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n---\n');
const service = (spec: object, name = 'app') => document('v1', 'Service', name, { spec });
const toApp = (...more: object[]) =>
  document('networking.istio.io/v1', 'VirtualService', 'app', {
    spec: {
      hosts: ['app'],
      http: [{ route: [{ destination: { host: 'app', ...more[0] } }] }],
    },
  });

t.test('kinds that change nothing of what umbra takes are passed over with a line each', async (t) => {
  const kinds = [
    document('v1', 'Service', 'a'),
    document('apps/v1', 'Deployment', 'a'),
    document('v1', 'ServiceAccount', 'a'),
    document('v1', 'ConfigMap', 'a', {}, { namespace: 'prod' }),
    document('gateway.networking.k8s.io/v1alpha2', 'TCPRoute', 'a'),
  ];
  const { routes, told } = grown(bundle(...kinds, reviews([toV1])));
  t.equal(routes.length, 1);
  t.match(told, [
    /^1:\d+: warning: service\/a is passed over: it has no addresses here/,
    /^3:\d+: warning: deployment\/a is passed over: umbra does not carry it out/,
    /serviceaccount\/a is passed over/,
    /configmap\/prod\/a is passed over/,
    /tcproute\/a is passed over: umbra routes only HTTP/,
  ]);
  const strict = grown(bundle(...kinds), subsets, true).told;
  t.equal(strict.length, kinds.length);
  for (const line of strict) t.match(line, /can't be carried out/);
});

t.test('kinds that would change what the others mean are refused', async (t) => {
  for (const [apiVersion, kind] of [
    ['security.istio.io/v1', 'AuthorizationPolicy'],
    ['security.istio.io/v1', 'RequestAuthentication'],
    ['networking.istio.io/v1alpha3', 'EnvoyFilter'],
    ['gateway.networking.k8s.io/v1', 'BackendTLSPolicy'],
  ])
    t.match(grown(bundle(document(apiVersion!, kind!, 'a'))).told, [
      new RegExp(`${kind} can't be carried out`),
    ]);
});

t.test('lists in lists, and lists of one kind, are their items', async (t) => {
  const { kind, apiVersion, ...item } = JSON.parse(reviews([toV1])) as Record<string, unknown>;
  const list = { apiVersion, kind: 'VirtualServiceList', metadata: {}, items: [item] };
  const { routes, told } = grown(bundle({ apiVersion: 'v1', kind: 'List', items: [list] }));
  t.strictSame(told, []);
  t.equal(routes.length, 1);
});

t.test(
  'what a server says of a document that is being deleted, and HTTPRoute v1beta1, are no faults',
  async (t) => {
    const route = document(
      'gateway.networking.k8s.io/v1beta1',
      'HTTPRoute',
      'r',
      { spec: { rules: [{ backendRefs: [{ name: 'ratings', port: 9090 }] }] } },
      { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 },
    );
    t.strictSame(grown(bundle(route)).told, []);
  },
);

t.test('annotations that switch something in Istio or Gateway API are reported', async (t) => {
  const annotations = { 'networking.istio.io/exportTo': '.', 'kubectl.kubernetes.io/last-applied': 'x' };
  t.match(grown(reviews([toV1], { annotations })).told, [
    /annotation `networking.istio.io\/exportTo` is ignored/,
  ]);
});

t.test('a Service has the addresses of its EndpointSlices, of its Endpoints, or of its name', async (t) => {
  const ports = [
    { port: 80, name: 'http', targetPort: 9000 },
    { port: 70, name: 'tcp-x', targetPort: 'y' },
  ];
  const app = service({ ports });
  const slice = (name: string, addresses: string[], more: object = {}) =>
    document(
      'discovery.k8s.io/v1',
      'EndpointSlice',
      name,
      { addressType: 'IPv4', ports: [{ name: 'http', port: 9001 }], endpoints: [{ addresses, ...more }] },
      { labels: { 'kubernetes.io/service-name': 'app' } },
    );
  const endpoints = document('v1', 'Endpoints', 'app', {
    subsets: [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ name: 'http', port: 9001 }] }],
  });
  const found = (...documents: object[]) => {
    const { versions, told } = grown(bundle(...documents, toApp()), 'routes: []');
    return versions.app?.endpoints ?? told;
  };
  const unready = { conditions: { ready: false } };
  t.strictSame(
    found(app, slice('a', ['10.0.0.1']), slice('b', ['10.0.0.2']), slice('c', ['10.0.0.3'], unready)),
    ['http://10.0.0.1:9001', 'http://10.0.0.2:9001'],
  );
  t.strictSame(found(endpoints, app), ['http://10.0.0.9:9001']);
  t.strictSame(
    found(app, endpoints, slice('a', ['10.0.0.1'])),
    ['http://10.0.0.1:9001'],
    'slices say the same',
  );
  t.strictSame(found(service({ type: 'ExternalName', externalName: 'app.example.com', ports })), [
    'http://app.example.com:9000',
  ]);
  t.match(found(app), [/service\/app is passed over/, /app\.default\.svc\.cluster\.local has no endpoints/]);
});

t.test('a Service says by appProtocol or the name of its port what its version speaks', async (t) => {
  const spoken = (port: object) => {
    const external = service({
      type: 'ExternalName',
      externalName: 'app.example.com',
      ports: [{ port: 80, ...port }],
    });
    const { protocol, endpoints } = grown(bundle(external, toApp()), 'routes: []').versions.app!;
    return `${String(protocol)} ${String(endpoints).split(':')[0]}`;
  };
  for (const name of ['grpc', 'grpc-api', 'grpc-web', 'grpc-web-x', 'http2', 'http2-api'])
    t.equal(spoken({ name }), 'http2 http', name);
  for (const appProtocol of ['grpc', 'http2', 'kubernetes.io/h2c', 'GRPC-Web'])
    t.equal(spoken({ name: 'http', appProtocol }), 'http2 http', appProtocol);
  t.equal(spoken({ name: 'http' }), 'undefined http');
  t.equal(spoken({ name: 'grpcx' }), 'undefined http', 'the first part of the name is a whole word');
  t.equal(
    spoken({ name: 'grpc', appProtocol: 'kubernetes.io/ws' }),
    'undefined http',
    'appProtocol goes first',
  );
  t.equal(spoken({ name: 'x', appProtocol: 'kubernetes.io/wss' }), 'undefined https');
});
