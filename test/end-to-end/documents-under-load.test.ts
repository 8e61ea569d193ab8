// Runs over one engine: documents become a plan, which knows no engine.
/** Hundreds of documents come and go while requests are under way. */

import { lawHolds } from '../support/law.js';
import { Load } from '../support/load.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { engine, UmbraProcess } from '../support/umbra.js';

const services = 200;
const v1 = await Origin.listen();
const v2 = await Origin.listen();

/** What `Load` asks for is among the hosts of the first. */
function documents(percent: number): string {
  return Array.from({ length: services }, (_, index) =>
    JSON.stringify({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: `s${index}` },
      spec: {
        hosts: [index === 0 ? 'reviews.example.com' : `s${index}.example.com`],
        http: [
          {
            route: [{ destination: { host: `h${index % 20}`, subset: 'v1' } }],
            mirror: { host: `h${index % 20}`, subset: 'v2' },
            mirrorPercentage: { value: percent },
          },
        ],
      },
    }),
  ).join('\n---\n');
}

const endpoints = { v1: `http://127.0.0.1:${v1.port}`, v2: `http://127.0.0.1:${v2.port}` };
const config = {
  listen: [{ address: '127.0.0.1:0', engine }],
  admin: { address: '127.0.0.1:0' },
  threads: { proxy: 2, shadow: 1 },
  subsets: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`h${index}`, endpoints])),
  versions: { base: endpoints.v1 },
  routes: [{ name: 'base', primary: 'base' }],
};
const umbra = await UmbraProcess.start(config);
const load = new Load(umbra.port, 16);

t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

async function post(what: 'apply' | 'delete', text: string): Promise<number> {
  const files = [{ file: 'all.yaml', text }];
  return (await umbra.admin('POST', `/api/${what}`, { files })).status;
}

t.test(
  'no request fails, every change is in force when it is answered, and every copy is accounted for',
  async (t) => {
    await load.more(50);
    t.equal(v2.received.length, 0);
    t.equal(await post('apply', documents(100)), 200);
    await load.more(100);
    t.equal(await post('apply', documents(50)), 200);
    await load.more(50);
    t.equal(await post('delete', documents(50)), 200);
    await load.more(50);
    await load.stop();
    t.strictSame(load.failures, []);
    const stats = await lawHolds(t, umbra);
    t.equal(stats.generation, 4);
    const [mirror] = stats.mirrors;
    t.match(mirror, { route: 's0', to: 'h0_v2' });
    // All of the hundred but those that had begun before.
    t.ok(mirror.eligible >= 84, `${mirror.eligible} copies`);
  },
);
