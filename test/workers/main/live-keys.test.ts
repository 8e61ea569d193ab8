/** Growing the share of one version by live changes never gives one of its keys to another version. */
import fc from 'fast-check';
import { compilePlan } from '../../../config/compile.js';
import { loadConfig } from '../../../config/load.js';
import { MirrorSlots } from '../../../config/slots.js';
import { withLive } from '../../../core/live/live-plan.js';
import { type LiveState, noLiveState } from '../../../core/live/live-state.js';
import type { Plan } from '../../../core/plan.js';
import { seededRandom } from '../../../core/route/random.js';
import { Sampler } from '../../../core/route/sampler.js';
import { WeightedPrimaries } from '../../../core/route/weighted-primaries.js';
import { changeLive } from '../../../workers/main/live-asks.js';
import { request } from '../../core/route/support.js';
import t from '../../support/tap.js';

const names = ['v1', 'v2', 'v3', 'v4'];
const sampler = new Sampler('umbra', seededRandom(Uint32Array.of(5, 6, 7, 8)));
const client = { clientAddress: () => '203.0.113.7' };
const keys = Array.from({ length: 500 }, (_, key) => request({ fields: `cookie: id=user-${key}\r\n` }));

function planOf(primary: Readonly<Record<string, number>>): Plan {
  const versions = Object.fromEntries(names.map((name) => [name, 'http://127.0.0.1:1']));
  const config = { versions, routes: [{ name: 'r', primary, split: 'cookie:id' }] };
  const loaded = loadConfig(JSON.stringify(config), 'test.yaml');
  if (!loaded.ok) throw new Error('the configuration is wrong');
  return compilePlan(loaded.config, 1, new MirrorSlots(), 1);
}

/** The version of each key, as proxy threads choose it. */
function answerers(configured: Plan, state: LiveState): string[] {
  const plan = withLive(configured, state, () => {
    throw new Error('there are no mirrors');
  });
  const [{ primaries, split }] = plan.routes;
  const parts = primaries.filter(({ weight }) => weight > 0);
  const chooser = new WeightedPrimaries(
    parts.map(({ version }) => plan.versions[version].name),
    parts.map(({ weight }) => weight),
    split,
    sampler,
  );
  return keys.map((key) => chooser.choose(key, client));
}

function weigh(configured: Plan, state: LiveState, weights: Readonly<Record<string, number>>): LiveState {
  const ask = { what: 'live', route: 'r', change: { weights }, by: 'rollout' } as const;
  const changed = changeLive(state, configured, ask, 0);
  if (!changed.ok) throw new Error(changed.message);
  return changed.state;
}

const shares = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 3 });
const steps = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 8 });

t.test('a version that grows keeps every key, listed or not, whatever the others have', async () => {
  fc.assert(
    fc.property(shares, fc.nat(names.length - 1), steps, (given, which, grown) => {
      const configured = planOf(Object.fromEntries(given.map((weight, i) => [names[i], weight])));
      const version = names[which];
      let state = noLiveState;
      let before: string[] = [];
      for (const weight of grown.sort((a, b) => a - b)) {
        state = weigh(configured, state, { [version]: weight });
        const now = answerers(configured, state);
        if (before.some((name, key) => name === version && now[key] !== version)) return false;
        before = now;
      }
      return true;
    }),
    { numRuns: 150 },
  );
});

t.test(
  'a whole release by percentages moves each key once, from the old version to the new one',
  async (t) => {
    const configured = planOf({ v1: 1 });
    let state = noLiveState;
    const moves = keys.map(() => 0);
    let before = answerers(configured, state);
    for (const percent of [0, 1, 5, 25, 50, 99, 100]) {
      state = weigh(configured, state, { v1: 100 - percent, v2: percent });
      const now = answerers(configured, state);
      for (const [key, name] of now.entries()) if (name !== before[key]) moves[key]++;
      before = now;
    }
    t.ok(before.every((name) => name === 'v2'));
    t.ok(moves.every((count) => count === 1));
  },
);
