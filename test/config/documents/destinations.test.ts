import t from '../../support/tap.js';
import { grown, reviews, subsets } from './grown.js';

const document = (kind: string, name: string, spec: object, more: object = {}): string =>
  JSON.stringify({ apiVersion: 'networking.istio.io/v1', kind, metadata: { name, ...more }, spec });
const to = (...destinations: object[]): string =>
  reviews(destinations.map((destination) => ({ route: [{ destination }] })));
const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
const http = 'http://';

t.test('labels of a subset choose among the endpoints of a ServiceEntry', async (t) => {
  const { versions } = grown([
    document('ServiceEntry', 'app', {
      hosts: ['app'],
      ports,
      resolution: 'STATIC',
      endpoints: [
        { address: '10.0.0.1', labels: { version: 'v1' } },
        { address: '10.0.0.2', labels: { version: 'v2' }, ports: { http: 8080 } },
        { address: 'fd00::2', labels: { version: 'v2' } },
        { address: '10.0.0.3', labels: { version: 'v2' }, weight: 9 },
        { address: '10.0.0.4', labels: { version: 'v2' }, weight: 0 },
      ],
    }),
    document('DestinationRule', 'app', {
      host: 'app',
      subsets: [{ name: 'v2', labels: { version: 'v2' } }],
    }),
    to({ host: 'app', subset: 'v2' }, { host: 'app' }),
  ]);
  t.strictSame(versions.app_v2.endpoints, [
    `${http}10.0.0.2:8080`,
    `${http}[fd00::2]:80`,
    { url: `${http}10.0.0.3:80`, weight: 9 },
    // A weight of 0 is none, and none is 1.
    `${http}10.0.0.4:80`,
  ]);
  t.equal((versions.app.endpoints as string[]).length, 5);
});

t.test('a workloadSelector chooses WorkloadEntry documents of its namespace', async (t) => {
  const workload = (name: string, address: string, version: string, more: object = {}) =>
    document('WorkloadEntry', name, { address, labels: { app: 'app', version } }, more);
  const { versions } = grown([
    document('ServiceEntry', 'app', {
      hosts: ['app.example.com'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP', targetPort: 9000 }],
      resolution: 'STATIC',
      workloadSelector: { labels: { app: 'app' } },
    }),
    workload('a', '10.0.0.1', 'v1'),
    workload('b', 'unix:///run/app.sock', 'v2'),
    workload('c', '10.0.0.9', 'v1', { namespace: 'other' }),
    document('DestinationRule', 'app', {
      host: 'app.example.com',
      subsets: [
        { name: 'v1', labels: { version: 'v1' } },
        { name: 'v2', labels: { version: 'v2' } },
      ],
    }),
    to({ host: 'app.example.com', subset: 'v1' }, { host: 'app.example.com', subset: 'v2' }),
  ]);
  t.strictSame(versions['app.example.com_v1'].endpoints, [`${http}10.0.0.1:9000`]);
  t.strictSame(versions['app.example.com_v2'].endpoints, ['unix:/run/app.sock']);
});

t.test('with resolution DNS and no endpoints the host itself is the endpoint', async (t) => {
  const entry = (resolution: string) =>
    document('ServiceEntry', 'app', {
      hosts: ['app.example.com'],
      ports: [
        { number: 9000, name: 'tcp', protocol: 'TCP' },
        { number: 443, name: 'https', protocol: 'HTTPS' },
      ],
      resolution,
    });
  const errors = (...texts: string[]) => grown(texts).told.filter((line) => !line.includes('warning'));
  const { versions } = grown([entry('DNS'), to({ host: 'app.example.com' })]);
  t.strictSame(versions['app.example.com'].endpoints, ['https://app.example.com:443']);
  t.match(errors(entry('NONE'), to({ host: 'app.example.com' })), [/resolution: NONE needs `endpoints`/]);
  const port = (number: number) => to({ host: 'app.example.com', port: { number } });
  t.match(errors(entry('DNS'), port(9000)), [/port 9000 is TCP: umbra speaks HTTP$/]);
  t.match(errors(entry('DNS'), port(1)), [/has no port 1, which a destination asks for/]);
});

const rule = (spec: object, name = 'reviews', more: object = {}): string =>
  document('DestinationRule', name, { host: 'reviews', ...spec }, more);
const v1 = { host: 'reviews', subset: 'v1' };
const policyOf = (trafficPolicy: object) => grown([rule({ trafficPolicy }), to(v1)]);

t.test('connectionPool becomes the pool of the version', async (t) => {
  const connectionPool = {
    tcp: { maxConnections: 7, connectTimeout: '30ms', idleTimeout: '1h' },
    http: { http1MaxPendingRequests: 3, idleTimeout: '5m' },
  };
  t.strictSame(policyOf({ connectionPool }).versions.reviews_v1.connections, {
    max: 7,
    connectTimeout: '30ms',
    idle: '300s',
    queue: { max: 3 },
  });
});

t.test('requests at once are connections of HTTP/1.1, and connections times streams of HTTP/2', async (t) => {
  const bounds = (words: { tcp?: object; http?: object }) => {
    const { connections, streams, protocol } = policyOf({ connectionPool: words }).versions.reviews_v1;
    return [(connections as { max?: number }).max, streams, protocol];
  };
  const h2UpgradePolicy = 'UPGRADE';
  t.strictSame(bounds({ http: { http2MaxRequests: 10 } }), [10, undefined, undefined]);
  t.strictSame(bounds({ tcp: { maxConnections: 7 }, http: { http2MaxRequests: 10 } }), [
    7,
    undefined,
    undefined,
  ]);
  t.strictSame(bounds({ http: { h2UpgradePolicy } }), [undefined, undefined, 'http2']);
  t.strictSame(bounds({ http: { h2UpgradePolicy: 'DO_NOT_UPGRADE' } }), [undefined, undefined, undefined]);
  t.strictSame(bounds({ http: { h2UpgradePolicy, http2MaxRequests: 10 } }), [1, { max: 10 }, 'http2']);
  t.strictSame(bounds({ http: { h2UpgradePolicy, http2MaxRequests: 200 } }), [2, { max: 100 }, 'http2']);
  const maxConcurrentStreams = 50;
  t.strictSame(bounds({ http: { h2UpgradePolicy, http2MaxRequests: 120, maxConcurrentStreams } }), [
    3,
    { max: 40 },
    'http2',
  ]);
  t.strictSame(bounds({ http: { maxConcurrentStreams } }), [undefined, { max: 50 }, undefined]);
  t.strictSame(bounds({ http: { http2MaxRequests: 0, maxConcurrentStreams: 0 } }), [
    undefined,
    undefined,
    undefined,
  ]);
  t.match(policyOf({ connectionPool: { http: { http2MaxRequests: 9 } } }).told, [
    /`spec.trafficPolicy.connectionPool.http.http2MaxRequests` is not as in its reference: .* per proxy/,
  ]);
});

t.test('the protocol of a port is that of the version', async (t) => {
  const protocolOf = (protocol: string) => {
    const entry = document('ServiceEntry', 'app', {
      hosts: ['app.example.com'],
      ports: [{ number: 80, name: 'x', protocol }],
      resolution: 'DNS',
    });
    return grown([entry, to({ host: 'app.example.com' })]).versions['app.example.com'].protocol;
  };
  t.strictSame(['HTTP2', 'grpc', 'GRPC-Web'].map(protocolOf), ['http2', 'http2', 'http2']);
  t.strictSame(['HTTP', 'HTTPS'].map(protocolOf), [undefined, undefined]);
});

t.test('outlierDetection becomes ejection, with the defaults of Istio; 0 turns it off', async (t) => {
  const ejection = (outlierDetection: object) => policyOf({ outlierDetection }).versions.reviews_v1.ejection;
  t.strictSame(ejection({}), { failures: 0, errors: 5, baseTime: '30s', maxTime: '300s', maxPercent: 10 });
  t.strictSame(ejection({ consecutiveGatewayErrors: 2, baseEjectionTime: '10m', maxEjectionPercent: 100 }), {
    failures: 2,
    errors: 5,
    baseTime: '600s',
    maxTime: '600s',
    maxPercent: 100,
  });
  t.equal(ejection({ consecutive5xxErrors: 0 }), 'off');
});

t.test('tls makes endpoints https and says how they are checked', async (t) => {
  const { versions } = policyOf({
    tls: { mode: 'SIMPLE', caCertificates: 'ca.pem', sni: 'reviews.internal', insecureSkipVerify: true },
  });
  t.strictSame(versions.reviews_v1.endpoints, ['https://127.0.0.1:9080']);
  t.strictSame(versions.reviews_v1.tls, { ca: 'ca.pem', serverName: 'reviews.internal', verify: false });
  t.match(policyOf({ tls: { mode: 'ISTIO_MUTUAL' } }).told, [/no identity in a mesh/]);
  t.match(policyOf({ tls: { mode: 'MUTUAL' } }).told, [/MUTUAL needs `clientCertificate` and `privateKey`/]);
});

t.test('a policy is judged when it is applied, also where no destination uses it', async (t) => {
  const judged = (trafficPolicy: object) =>
    grown([document('DestinationRule', 'all', { host: '*.local', trafficPolicy })]).told;
  t.match(judged({ tls: { mode: 'ISTIO_MUTUAL' } }), [/no identity in a mesh/]);
  t.match(judged({ tls: { mode: 'MUTUAL' } }), [/MUTUAL needs `clientCertificate` and `privateKey`/]);
  t.match(judged({ tls: { mode: 'SIMPLE', privateKey: 'k' } }), [/`tls.privateKey` is ignored: .* SIMPLE/]);
  t.match(judged({ loadBalancer: { simple: 'PASSTHROUGH' } }), [/endpoints that it knows/]);
  t.match(
    grown([rule({ subsets: [{ name: 'x', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } }] })]).told,
    [/no identity in a mesh/],
  );
});

t.test('a DestinationRule with a wildcard is for the hosts that have none of their own', async (t) => {
  const max = (host: string, name: string, http1MaxPendingRequests: number) =>
    document('DestinationRule', name, {
      host,
      trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests } } },
    });
  const queue = (...rules: string[]) =>
    (grown([...rules, to(v1)]).versions.reviews_v1.connections as { queue: unknown } | undefined)?.queue;
  t.strictSame(queue(max('*.local', 'a', 1)), { max: 1 });
  t.strictSame(queue(max('*.local', 'a', 1), max('*.svc.cluster.local', 'b', 2)), { max: 2 });
  t.strictSame(queue(max('*.local', 'a', 1), max('reviews', 'b', 3)), { max: 3 });
  t.equal(queue(max('*.example.com', 'a', 1)), undefined);
});

t.test('a port that no endpoint of `subsets` has is reported', async (t) => {
  const told = (number: number) => grown(to({ ...v1, port: { number } })).told;
  t.strictSame(told(9080), []);
  t.match(told(80), [/port 80 is ignored: the endpoints of `subsets` have ports of their own/]);
});

t.test(
  'a ServiceEntry without addresses, and ports without HTTP, are reported when they are applied',
  async (t) => {
    const told = (spec: object) =>
      grown([document('ServiceEntry', 'app', { hosts: ['app'], ports, ...spec })]).told;
    t.match(told({}), [/with NONE and without `endpoints` it has no addresses/]);
    t.match(told({ resolution: 'DYNAMIC_DNS' }), [/with DYNAMIC_DNS and without/]);
    t.strictSame(told({ resolution: 'DNS' }), []);
    t.match(told({ resolution: 'DNS', ports: [...ports, { number: 70, name: 'x', protocol: 'tcp' }] }), [
      /port 70 has no effect: umbra speaks HTTP$/,
    ]);
  },
);

t.test('a protocol may be written in any case', async (t) => {
  const spec = { hosts: ['app'], resolution: 'STATIC', endpoints: [{ address: '10.0.0.1' }] };
  const entry = (protocol: string) =>
    document('ServiceEntry', 'app', { ...spec, ports: [{ number: 80, name: 'x', protocol }] });
  for (const protocol of ['http', 'Http', 'HTTP'])
    t.strictSame(grown([entry(protocol), to({ host: 'app' })]).versions.app.endpoints, [
      `${http}10.0.0.1:80`,
    ]);
});

t.test('loadBalancer.simple is ignored with a warning where umbra balances in its own way', async (t) => {
  t.match(policyOf({ loadBalancer: { simple: 'ROUND_ROBIN' } }).told, [/warning: .*is ignored/]);
  t.strictSame(policyOf({ loadBalancer: { simple: 'LEAST_REQUEST' } }).told, []);
  t.match(policyOf({ loadBalancer: { simple: 'PASSTHROUGH' } }).told, [/endpoints that it knows/]);
});

t.test('the policy of a subset takes the place of that of the host, part by part', async (t) => {
  const { versions } = grown([
    rule({
      trafficPolicy: {
        connectionPool: { tcp: { maxConnections: 7 } },
        outlierDetection: { consecutive5xxErrors: 1 },
      },
      subsets: [{ name: 'v1', trafficPolicy: { connectionPool: { http: { http1MaxPendingRequests: 1 } } } }],
    }),
    to(v1),
  ]);
  t.strictSame(versions.reviews_v1.connections, { connectTimeout: '10s', queue: { max: 1 } });
  t.match(versions.reviews_v1.ejection, { errors: 1 });
});

t.test('of two definitions of one subset the older one counts, with a warning', async (t) => {
  const max = (maxConnections: number) => ({
    subsets: [{ name: 'v1', trafficPolicy: { connectionPool: { tcp: { maxConnections } } } }],
  });
  const { versions, told } = grown([
    rule(max(2), 'young', { creationTimestamp: '2026-02-01T00:00:00Z' }),
    rule(max(1), 'old', { creationTimestamp: '2026-01-01T00:00:00Z' }),
    to(v1),
  ]);
  t.match(versions.reviews_v1.connections, { max: 1 });
  t.match(told.at(-1), /young: subset `v1` .* is ignored: destinationrule\/old is older/);
});

t.test('what umbra.yaml says of a subset goes before its DestinationRule', async (t) => {
  const base = `subsets: { reviews: { v1: { endpoints: "http://a:1", connections: { max: 3 }, health: { path: /h } } } }`;
  const connectionPool = { tcp: { maxConnections: 7 } };
  const { versions } = grown([rule({ trafficPolicy: { connectionPool } }), to(v1)], base);
  t.strictSame(versions.reviews_v1, {
    endpoints: ['http://a:1'],
    connections: { max: 3, connectTimeout: '10s' },
    health: { path: '/h' },
  });
  t.ok(subsets);
});
