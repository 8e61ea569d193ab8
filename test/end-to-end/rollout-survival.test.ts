// Runs over one engine: weights are chosen behind the engines, and takeover.test.ts has the ports of both.
/**
 * umbra is reloaded, loses its control thread, is replaced and is killed at each step of a rollout. The
 * rollout stays where it was, and its clients notice nothing.
 */
import { join } from 'node:path';
import { Sharing, sharingOf } from '../../workers/downstream/node/listening.js';
import { behaviour } from '../support/engines.js';
import { lawHolds } from '../support/law.js';
import { keyedClients, rolloutConfig, rolloutStatus, startRollout, twoVersions } from '../support/rollout.js';
import t from '../support/tap.js';
import { type ConfigWords, engine, UmbraProcess, until } from '../support/umbra.js';

t.setTimeout(110_000);

const loopback = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
const maySharePorts =
  process.platform === 'linux' && !(behaviour.countsLateHeads && sharingOf(loopback) !== Sharing.REUSE_PORT);

/** Where the rollout is, and what answers on its route: what no fault may change. */
async function placeOf(umbra: UmbraProcess) {
  const { state, step, percent, history } = await rolloutStatus(umbra);
  const { json } = await umbra.admin('GET', '/api/config');
  const { primary, mirrors } = (json as { routes: { primary: unknown; mirrors: unknown }[] }).routes[0]!;
  return { state, step, percent, history, primary, mirrors };
}

t.test('a rollout outlasts every fault of umbra at every step, and no client notices', async (t) => {
  const both = await twoVersions(t);
  const config = rolloutConfig(both, { state: join(t.testdir(), 'state'), drain: '20s' });
  let umbra = await UmbraProcess.startBreakable(config);
  t.teardown(() => umbra.stop());
  const { port } = umbra;
  const following: ConfigWords = {
    ...config,
    listen: [{ address: `127.0.0.1:${port}`, engine }],
    admin: { address: new URL(umbra.adminUrl).host },
  };
  const users = keyedClients(() => port);
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    reloaded: async () => {
      const before = umbra.err.match(/configuration reloaded/g)?.length ?? 0;
      umbra.signal('SIGHUP');
      await until(() => (umbra.err.match(/configuration reloaded/g)?.length ?? 0) > before, 'it is reloaded');
    },
    'without its control thread': () => umbra.makeThrow('control'),
    replaced: async () => {
      if (!maySharePorts) return;
      const first = umbra;
      umbra = await UmbraProcess.startBreakableInPlaceOf(first, following);
      t.strictSame(await first.ended, { code: 0, signal: null });
    },
    // A request in flight can't outlast it, so there is none.
    killed: () =>
      users.rest(async () => {
        umbra.signal('SIGKILL');
        await umbra.ended;
        umbra = await UmbraProcess.startBreakable(following);
      }),
  };
  const steps = ['running 0', 'running 10', 'running 50', 'watching 100'];
  await startRollout(t, umbra, { steps: 'mirror:10m-1h,10%:10m-1h,50%:10m-1h,100%', watch: '1h' });
  for (const step of steps) {
    const place = await until(async () => {
      const now = await placeOf(umbra).catch(() => null);
      return now !== null && `${now.state} ${now.percent}` === step && now;
    }, `${step} is in force`);
    for (const [name, make] of Object.entries(faults)) {
      const { asked } = users;
      await make();
      await until(async () => (await rolloutStatus(umbra).catch(() => null)) !== null, 'it can be asked');
      t.strictSame(await placeOf(umbra), place, `${step}: ${name}`);
      await until(() => users.asked > asked + 20, 'clients are answered');
    }
    await users.rest(async () => {
      await lawHolds(t, umbra);
    });
    const answer = await umbra.admin('POST', '/api/rollouts/reviews/promote', {});
    t.equal(answer.status, 200, answer.text);
  }
  t.match(await rolloutStatus(umbra), { state: 'released' });
  await users.end();
  t.strictSame(users.failures, []);
  t.equal(users.wentBack.size, 0, 'no key moved back');
});
