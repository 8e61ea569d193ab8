/** Two instances of a fleet whose changes meet in the bucket. */
import { loadAll } from '../../../config/load-all.js';
import { originOfPlan } from '../../../config/origin.js';
import type { Plan } from '../../../core/plan.js';
import { RunningPlan } from '../../../workers/main/running-plan.js';
import type { RouteChange } from '../../../workers/protocol/live-change.js';
import { begunRollout } from '../../core/rollout/begun.js';
import t from '../../support/tap.js';

const address = 'nats-kv://127.0.0.1:4222/plans/edge';
const text = `
versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" }
routes: [ { name: reviews, primary: v1 } ]
`;
const nats = { servers: ['127.0.0.1:4222'], secure: false, user: null, password: null };

class Bucket {
  text: string | null = null;
  revision = 0;
}

async function start(bucket: Bucket) {
  const origin = originOfPlan(address, text, []);
  const loaded = await loadAll({ origin, change: null, nowMs: 0, yaml: false });
  if (!loaded.ok) throw new Error('the configuration is wrong');
  const running = new RunningPlan({
    loaded,
    cores: 1,
    source: {
      place: { nats, bucket: 'plans', key: 'edge' },
      revision: 1,
      live: { place: `${address}.live`, text: bucket.text, revision: bucket.revision },
    },
    onLog: () => {},
    share: async (written, revision) => {
      if (revision !== bucket.revision)
        return { kind: 'newer', text: bucket.text, revision: bucket.revision };
      bucket.text = written;
      return { kind: 'kept', revision: ++bucket.revision };
    },
  });
  let plan: Plan = running.first;
  await running.begin({
    plan: () => plan,
    apply: async (next) => {
      plan = next;
    },
    hasRoomFor: () => true,
    show: () => {},
  });
  const set = (change: RouteChange) =>
    running.change({ what: 'live', route: 'reviews', change, by: 'rollout', mustShare: true });
  const shares = (): string =>
    plan.routes[0].primaries
      .map(({ version, weight }) => `${plan.versions[version].name}=${weight}`)
      .join(' ');
  return { set, shares, running };
}

t.test('a change that loses against another one and is refused leaves the other one in force', async (t) => {
  const bucket = new Bucket();
  const [a, b] = [await start(bucket), await start(bucket)];
  const record = { ...begunRollout(), revision: 1 };
  const change = (percent: number): RouteChange => ({
    weights: { v1: 100 - percent, v2: percent },
    rollout: { ...record, revision: 2 },
    after: null,
  });
  t.match(await a.set(change(1)), { ok: true, kept: true });
  t.match(await b.set(change(50)), { ok: false, status: 412, message: /another instance has changed/ });
  t.strictSame([a.shares(), b.shares()], ['v1=99 v2=1', 'v1=99 v2=1']);
  t.equal(b.running.live.revision, bucket.revision);
  await Promise.all([a, b].map(({ running }) => running.close()));
});
