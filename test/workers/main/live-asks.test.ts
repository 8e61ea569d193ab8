import { compilePlan } from '../../../config/compile.js';
import { compileLiveMirror } from '../../../config/live-mirror.js';
import { loadConfig } from '../../../config/load.js';
import { MirrorSlots } from '../../../config/slots.js';
import { withLive } from '../../../core/live/live-plan.js';
import { type LiveState, noLiveState } from '../../../core/live/live-state.js';
import { type Plan, targetName } from '../../../core/plan.js';
import { changeLive } from '../../../workers/main/live-asks.js';
import type { LiveAsk, RouteChange } from '../../../workers/protocol/live-change.js';
import t from '../../support/tap.js';

function load(text: string) {
  const loaded = loadConfig(text, 'test.yaml');
  if (!loaded.ok) throw new Error('the configuration is wrong');
  const slots = new MirrorSlots();
  const plan = compilePlan(loaded.config, 7, slots, 2);
  const live = (state: LiveState): Plan =>
    withLive(plan, state, (mirror) => compileLiveMirror(loaded.config, plan, slots, mirror));
  return { plan, live };
}

const { plan, live } = load(`
versions: { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2", v3: "http://127.0.0.1:3" }
routes:
  - { name: a, primary: v1, mirrors: [ { to: v2, headers: { set: { x-copy: "1" } } }, { to: v3, percent: 5 } ] }
  - { name: b, primary: v1, match: { path: { prefix: /b } }, mirrors: [ { to: v2, enabled: false } ] }
  - { name: c, primary: { v1: 99, v2: 1 } }
  - { name: d, respond: { status: 200, body: ok } }
`);

const done = (state: LiveState, ask: LiveAsk): LiveState => {
  const result = changeLive(state, plan, ask, 1000);
  if (!result.ok) throw new Error(result.message);
  return result.state;
};
const onRoute = (route: string, change: RouteChange): LiveAsk => ({
  what: 'live',
  route,
  change,
  by: 'command',
});
const refusal = (ask: LiveAsk) => {
  const result = changeLive(noLiveState, plan, ask, 0);
  return result.ok ? null : `${result.status} ${result.message}`;
};
const all = (enabled: boolean | null): LiveAsk => ({ what: 'allMirrors', enabled, by: 'page' });
const mirrors = (state: LiveState) => {
  const now = live(state);
  return now.routes.flatMap((route) =>
    route.mirrors.map(
      (mirror) =>
        `${route.name}/${targetName(now, mirror)} ${mirror.enabled ? 'on' : 'off'} ${mirror.shareMillionths}`,
    ),
  );
};
const primaries = (state: LiveState, route: string) => {
  const now = live(state);
  return now.routes
    .find(({ name }) => name === route)!
    .primaries.map(({ version, weight }) => `${now.versions[version].name}=${weight}`)
    .join(' ');
};

t.test('one mirror changes, and the others stay as they are', async (t) => {
  t.strictSame(mirrors(done(noLiveState, onRoute('a', { mirrors: { v2: { percent: 0.0001 } } }))), [
    'a/v2 on 1',
    'a/v3 on 50000',
    'b/v2 off 1000000',
  ]);
  t.strictSame(mirrors(done(noLiveState, onRoute('b', { mirrors: { v2: { enabled: true } } }))), [
    'a/v2 on 1000000',
    'a/v3 on 50000',
    'b/v2 on 1000000',
  ]);
});

t.test('a value that is the one of the configuration is no live change', async (t) => {
  const off = done(noLiveState, onRoute('a', { mirrors: { v2: { enabled: false, percent: 3 } } }));
  t.equal(off.mirrors.length, 1);
  t.strictSame(done(off, onRoute('a', { mirrors: { v2: { enabled: true, percent: 100 } } })), noLiveState);
  const heavy = done(noLiveState, onRoute('c', { weights: { v2: 5 } }));
  t.equal(heavy.weights.length, 1);
  t.strictSame(done(heavy, onRoute('c', { weights: { v2: 1 } })), noLiveState);
  t.strictSame(done(noLiveState, onRoute('a', { weights: { v2: 0 } })), noLiveState);
});

t.test('a stop of all mirrors lies above them, and a single one can be started again', async (t) => {
  const before = done(noLiveState, onRoute('a', { mirrors: { v2: { percent: 50, enabled: false } } }));
  const stopped = done(before, all(false));
  t.strictSame(mirrors(stopped), ['a/v2 off 500000', 'a/v3 off 50000', 'b/v2 off 1000000']);
  const one = done(stopped, onRoute('a', { mirrors: { v3: { enabled: true } } }));
  t.strictSame(mirrors(one), ['a/v2 off 500000', 'a/v3 on 50000', 'b/v2 off 1000000']);
  t.strictSame(mirrors(done(one, all(true))), ['a/v2 on 500000', 'a/v3 on 50000', 'b/v2 on 1000000']);
  t.strictSame(done(one, all(null)), noLiveState);
});

t.test(
  'a stop of all mirrors also stops those that are configured later, and those that were added',
  async (t) => {
    const added = done(done(noLiveState, all(false)), onRoute('c', { mirrors: { v3: { percent: 10 } } }));
    t.ok(mirrors(added).includes('c/v3 off 100000'));
    const other = load(
      'versions: { v1: "http://a:1", v9: "http://a:9" }\nroutes: [ { name: z, primary: v1, mirrors: [ { to: v9 } ] } ]\n',
    );
    t.equal(other.live(done(noLiveState, all(false))).routes[0].mirrors[0].enabled, false);
  },
);

t.test('a version without a mirror gets one, with the settings of the route', async (t) => {
  const state = done(noLiveState, onRoute('a', { weights: { v2: 5 }, mirrors: { v1: { methods: 'safe' } } }));
  t.match(live(state).routes[0].mirrors[2], {
    to: 0,
    enabled: true,
    shareMillionths: 1_000_000,
    methods: ['GET', 'HEAD', 'OPTIONS', 'TRACE'],
    headers: { set: [['x-copy', '1']] },
  });
  const compared = done(noLiveState, onRoute('c', { mirrors: { v3: { percent: 1 } } }));
  t.match(live(compared).routes[2].mirrors, [{ to: 2, shareMillionths: 10_000, compare: { digest: true } }]);
  t.strictSame(done(compared, onRoute('c', { mirrors: { v3: null } })), noLiveState);
});

t.test('any version may become a primary, at the end of the list, and leaves it at 0', async (t) => {
  const state = done(noLiveState, onRoute('a', { weights: { v1: 95, v2: 5 } }));
  t.equal(primaries(state, 'a'), 'v1=95 v2=5');
  t.equal(primaries(done(state, onRoute('a', { weights: { v1: 0 } })), 'a'), 'v1=0 v2=5');
  t.equal(primaries(done(state, onRoute('a', { weights: { v2: 0 } })), 'a'), 'v1=95');
  const whole = done(state, onRoute('a', { weights: { v3: 100 }, unnamed: 'zero' }));
  t.equal(primaries(whole, 'a'), 'v1=0 v3=100');
  t.strictSame(done(whole, { what: 'resetWeights', by: 'command' }), noLiveState);
});

t.test('a mirror to a version that answers everything copies nothing, which is said', async (t) => {
  const result = changeLive(noLiveState, plan, onRoute('a', { weights: { v1: 0, v2: 1 } }), 0);
  t.match(result, {
    ok: true,
    warnings: ['the mirror to v2 copies nothing while v2 answers all requests of route a'],
  });
});

t.test('what is not there is reported by name, and nothing changes', async (t) => {
  t.equal(
    refusal(onRoute('reviews', { weights: { v1: 1 } })),
    '404 unknown route reviews; routes: a, b, c, d',
  );
  t.equal(
    refusal(onRoute('a', { weights: { v22: 1 } })),
    '400 unknown version v22 (did you mean `v2`?); versions: v1, v2, v3',
  );
  t.equal(refusal(onRoute('c', { weights: { v1: 0, v2: 0 } })), '400 one primary must have a weight above 0');
  t.match(refusal(onRoute('d', { weights: { v1: 1 } })), /answers requests itself/);
  t.equal(refusal(onRoute('b', { mirrors: { v3: { enabled: false } } })), '404 route b has no mirror to v3');
  t.match(refusal(onRoute('b', { mirrors: { v9: { percent: 1 } } })), /404 unknown version v9/);
  t.match(refusal(onRoute('b', { mirrors: { v1: { percent: 1 } } })), /answers all requests of route b/);
  t.match(refusal(onRoute('d', { mirrors: { v1: { percent: 1 } } })), /nothing to mirror/);
});

t.test('the record of a rollout is kept by route, and removed with null', async (t) => {
  const state = done(noLiveState, onRoute('a', { weights: { v2: 1 }, rollout: { step: 2 } }));
  t.strictSame(state.rollouts, [['a', { step: 2 }]]);
  t.strictSame(done(state, onRoute('a', { weights: null, rollout: null })), noLiveState);
});
