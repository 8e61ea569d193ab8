import t from '../../support/tap.js';
import { grown, subsets } from './grown.js';

const listen =
  'listen: [{ address: "0.0.0.0:80" }, { address: "0.0.0.0:443", tls: { cert: c.pem, key: k.pem } }]';
const base = `${subsets}\n${listen}`;
const json = (...documents: object[]): string => documents.map((one) => JSON.stringify(one)).join('\n---\n');

const gateway = (...listeners: object[]) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'g' },
  spec: { gatewayClassName: 'any', listeners },
});
const listener = (name: string, hostname?: string, port = 80, protocol = 'HTTP') => ({
  name,
  hostname,
  port,
  protocol,
});
const route = (hostnames: string[], parent: object = {}) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'r' },
  spec: {
    parentRefs: [{ name: 'g', ...parent }],
    hostnames,
    rules: [{ backendRefs: [{ name: 'ratings', port: 9090 }] }],
  },
});
const matchesOf = (...documents: object[]): unknown[] => {
  const { routes } = grown(json(...documents), base);
  return routes.filter(({ name }) => !name.includes('unmatched')).map(({ match }) => match);
};

t.test('a route has the hosts and the port that it and the listeners of its Gateway share', async (t) => {
  const two = gateway(listener('a', 'a.example.com'), listener('b', '*.b.example.com', 443, 'HTTPS'));
  t.strictSame(matchesOf(two, route([])), [
    { host: 'a.example.com', port: 80 },
    { host: '*.b.example.com', port: 443 },
  ]);
  t.strictSame(matchesOf(two, route(['*.example.com'], { sectionName: 'a' })), [
    { host: 'a.example.com', port: 80 },
  ]);
  t.strictSame(matchesOf(two, route(['x.b.example.com', 'c.example.com'])), [
    { host: 'x.b.example.com', port: 443 },
  ]);
  t.strictSame(matchesOf(two, route([], { port: 443 })), [{ host: '*.b.example.com', port: 443 }]);
});

t.test('a route that no listener takes is reported, and takes nothing', async (t) => {
  const told = (...documents: object[]) => grown(json(...documents), base);
  const one = gateway(listener('a', 'a.example.com'));
  t.match(told(one, route(['b.example.com'])), { routes: [], told: [/no listener of its Gateways takes/] });
  t.match(told(one, route([], { sectionName: 'x' })).told, [
    /has no listener that fits/,
    /no listener of its/,
  ]);
  t.match(told(route([], { sectionName: 'x' })).told, [
    /sectionName is ignored: Gateway default\/g is not among/,
  ]);
  t.match(told(route([], { port: 81 })).told, [/port 81 is ignored/]);
});

t.test('a listener that `listen` has not is reported, and its port is no condition', async (t) => {
  const { told, routes } = grown(json(gateway(listener('a', undefined, 8080)), route([])), base);
  t.match(told, [/listener `a` on port 8080: `listen` of umbra.yaml has no such port/]);
  t.strictSame(routes[0]!.match, {});
  const secure = grown(json(gateway(listener('a', undefined, 80, 'HTTPS'))), base).told;
  t.match(secure, [/has that port without `tls`/]);
  t.match(grown(json(gateway(listener('a', undefined, 90, 'TCP'))), base).told, [
    /umbra does not listen for TCP/,
  ]);
  const passthrough = gateway({ ...listener('a', undefined, 443, 'TLS'), tls: { mode: 'Passthrough' } });
  t.match(grown(json(passthrough), base).told[0], /umbra routes only HTTP/);
});

t.test(
  "Istio's Gateway does the same for VirtualServices, and its files are those of `listen`",
  async (t) => {
    const istio = (...servers: object[]) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'g' },
      spec: { servers },
    });
    const server = (hosts: string[], tls: object = {}) => ({
      port: { number: 443, name: 'https', protocol: 'HTTPS' },
      hosts,
      tls: { mode: 'SIMPLE', serverCertificate: 'c.pem', privateKey: 'k.pem', ...tls },
    });
    const service = (hosts: string[], gateways: string[]) => ({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'v' },
      spec: { hosts, gateways, http: [{ route: [{ destination: { host: 'ratings' } }] }] },
    });
    t.strictSame(matchesOf(istio(server(['x/*.example.com'])), service(['a.example.com', 'b.org'], ['g'])), [
      { host: 'a.example.com', port: 443 },
    ]);
    t.strictSame(matchesOf(istio(server(['*'])), service(['*'], ['default/g', 'mesh'])), [{ port: 443 }, {}]);
    t.strictSame(grown(json(istio(server(['*']))), base).told, []);
    t.match(grown(json(istio(server(['*'], { serverCertificate: 'x.pem' }))), base).told, [
      /`x.pem` is not that of/,
    ]);
    t.match(grown(json(istio(server(['*'], { privateKey: 'x.pem' }))), base).told, [
      /private key is not that of/,
    ]);
    t.match(grown(json(istio(server(['*'], { mode: 'MUTUAL' }))), base).told, [
      /MUTUAL can't be carried out/,
    ]);
    t.match(grown(json(service(['*'], ['other'])), base).told, [
      /gateway `other` is not among the documents/,
    ]);
  },
);

t.test('two Gateways with the same hosts on one port are reported', async (t) => {
  const other = { ...gateway(listener('b')), metadata: { name: 'h', namespace: 'prod' } };
  t.match(grown(json(gateway(listener('a')), other), base).told, [
    /gateway\/prod\/h: listener `b` takes hosts that Gateway\/default\/g takes on port 80 too/,
  ]);
});

t.test('the port of a parent that is a Service is that of the listener, or reported', async (t) => {
  const service = (port: number) => route([], { kind: 'Service', name: 'ratings', port });
  t.match(matchesOf(service(443)), [[{ host: 'ratings', port: 443 }, {}, {}, {}]]);
  const other = grown(json(service(9080)), base);
  t.match(other.told, [/port 9080 is ignored: `listen` of umbra.yaml has no such port/]);
});
