// Runs over both engines.
/** Routes of two listeners on two ports, as clients see them. */

import { ask } from '../support/client.js';
import { Origin } from '../support/origin.js';
import { freePort } from '../support/ports.js';
import t from '../support/tap.js';
import { engine, UmbraProcess } from '../support/umbra.js';

const named = (name: string) => Origin.listen((_received, response) => response.end(name));
const [v1, v2] = [await named('v1'), await named('v2')];
const ports = [await freePort(), await freePort()] as const;
const umbra = await UmbraProcess.start({
  listen: ports.map((port) => ({ address: `127.0.0.1:${port}`, engine })),
  admin: { address: '127.0.0.1:0' },
  threads: { proxy: 1, shadow: 1 },
  subsets: { v1: `http://127.0.0.1:${v1.port}`, v2: `http://127.0.0.1:${v2.port}` },
  versions: { base: `http://127.0.0.1:${v1.port}` },
  routes: [{ name: 'base', match: { host: 'base' }, primary: 'base' }],
});
t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

const document = (kind: string, name: string, spec: object) => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name },
  spec,
});

t.test('a route takes the requests of the listener that it names', async (t) => {
  const listeners = ports.map((port, index) => ({ name: `l${index}`, port, protocol: 'HTTP' }));
  const route = (index: number, rule: object) =>
    document('HTTPRoute', `r${index}`, {
      parentRefs: [{ name: 'g', sectionName: `l${index}` }],
      rules: [rule],
    });
  const items = [
    document('Gateway', 'g', { listeners }),
    route(0, { backendRefs: [{ name: 'v1', port: v1.port }] }),
    route(1, { backendRefs: [{ name: 'v2', port: v2.port }] }),
    document('HTTPRoute', 'redirect', {
      parentRefs: [{ name: 'g' }],
      hostnames: ['old.example.com'],
      rules: [{ filters: [{ type: 'RequestRedirect', requestRedirect: { hostname: 'new.example.com' } }] }],
    }),
  ];
  const list = { apiVersion: 'v1', kind: 'List', items };
  const { status, text } = await umbra.admin('POST', '/api/apply', list);
  t.equal(status, 200, text);
  const get = async (port: number, host: string) => ask(port, { headers: { host } });
  for (const [index, port] of ports.entries()) {
    t.equal((await get(port, 'any')).body.toString(), `v${index + 1}`);
    const { fields } = await get(port, 'old.example.com');
    const location = fields.find(([name]) => name.toLowerCase() === 'location')?.[1];
    t.equal(location, `http://new.example.com:${port}/`, 'the port of the listener');
  }
});
