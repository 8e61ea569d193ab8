import { compilePlan } from '../../../config/compile.js';
import { loadConfig } from '../../../config/load.js';
import { MirrorSlots } from '../../../config/slots.js';
import { withLiveChanges, withMirror, withWeights } from '../../../workers/main/plan-change.js';
import type { ChangeAsk } from '../../../workers/protocol/messages.js';
import t from '../../support/tap.js';

const loaded = loadConfig(
  `versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2", v3: "http://127.0.0.1:3" }
routes:
  - { name: a, primary: v1, mirrors: [ { to: v2 }, { to: v3, percent: 5 } ] }
  - { name: b, primary: v1, mirrors: [ { to: v2, enabled: false } ] }
`,
  'test.yaml',
);
if (!loaded.ok) throw new Error('the configuration is wrong');
const plan = compilePlan(loaded.config, 7, new MirrorSlots(), 2);

/** Every mirror as `route/version on share`. */
function change(changes: Partial<Extract<ChangeAsk, { what: 'mirror' }>>) {
  const result = withMirror(plan, {
    what: 'mirror',
    route: null,
    version: null,
    percent: null,
    enabled: null,
    ...changes,
  });
  if (!result.ok) return result.message;
  t.equal(result.plan.generation, 8);
  return result.plan.routes.flatMap((route) =>
    route.mirrors.map(
      (mirror) =>
        `${route.name}/${result.plan.versions[mirror.to].name} ${mirror.enabled ? 'on' : 'off'} ${mirror.shareMillionths}`,
    ),
  );
}

t.test('one mirror changes, and the others stay as they are', async (t) => {
  t.strictSame(change({ route: 'a', version: 'v2', percent: 0.0001 }), [
    'a/v2 on 1',
    'a/v3 on 50000',
    'b/v2 off 1000000',
  ]);
  t.strictSame(change({ route: 'b', version: 'v2', enabled: true }), [
    'a/v2 on 1000000',
    'a/v3 on 50000',
    'b/v2 on 1000000',
  ]);
});

t.test('without a target every mirror is switched', async (t) => {
  t.strictSame(change({ enabled: false }), ['a/v2 off 1000000', 'a/v3 off 50000', 'b/v2 off 1000000']);
});

t.test('a target that is not there is reported by name, and nothing changes', async (t) => {
  t.equal(change({ route: 'c', version: 'v2', enabled: false }), 'unknown route c; routes: a, b');
  t.equal(change({ route: 'b', version: 'v3', enabled: false }), 'route b has no mirror to v3');
  t.equal(plan.generation, 7);
});

const split = compilePlan(
  (() => {
    const weighted = loadConfig(
      'versions: { v1: "http://a:1", v2: "http://a:2" }\nroutes: [ { name: a, primary: { v1: 99, v2: 1 } }, { name: b, primary: v1 } ]\n',
      'test.yaml',
    );
    if (!weighted.ok) throw new Error('the configuration is wrong');
    return weighted.config;
  })(),
  3,
  new MirrorSlots(),
  2,
);
const weightsOf = (result: ReturnType<typeof withWeights>) =>
  result.ok ? result.plan.routes[0].primaries.map(({ weight }) => weight) : result.message;
const weigh = (route: string, weights: Record<string, number>) =>
  withWeights(split, { what: 'weights', route, weights });

t.test('weights change by name, and those that are not named stay', async (t) => {
  t.strictSame(weightsOf(weigh('a', { v2: 5 })), [99, 5]);
  t.strictSame(weightsOf(weigh('a', { v2: 100, v1: 0 })), [0, 100]);
  t.equal(weightsOf(weigh('a', { v1: 0, v2: 0 })), 'one primary must have a weight above 0');
  t.equal(weightsOf(weigh('a', { v3: 1 })), 'the route has no primary v3; its primaries: v1, v2');
  t.equal(weightsOf(weigh('c', { v1: 1 })), 'unknown route c');
});

t.test('live weights stay where the configuration says of them what it said before', async (t) => {
  const live = weigh('a', { v1: 90, v2: 10 });
  if (!live.ok) throw new Error(live.message);
  const next = (weight: number) => ({
    ...split,
    routes: split.routes.map((route) => ({
      ...route,
      primaries: route.primaries.map((primary, i) => (i === 1 ? { ...primary, weight } : primary)),
    })),
  });
  const kept = (weight: number) =>
    withLiveChanges(split, live.plan, next(weight)).routes[0].primaries.map((primary) => primary.weight);
  t.strictSame(kept(1), [90, 10]);
  t.strictSame(kept(50), [99, 50]);
});
