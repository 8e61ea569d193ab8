import { compilePlan } from '../../../config/compile.js';
import { loadConfig } from '../../../config/load.js';
import { MirrorSlots } from '../../../config/slots.js';
import { type LiveState, noLiveState } from '../../../core/live/live-state.js';
import { reconcile } from '../../../core/live/reconcile.js';
import t from '../../support/tap.js';

interface Words {
  readonly mirrors?: object[];
  readonly primary?: unknown;
  readonly name?: string;
  readonly versions?: string[];
}

function plan({
  mirrors = [{ to: 'v2' }],
  primary = 'v1',
  name = 'a',
  versions = ['v1', 'v2', 'v3'],
}: Words) {
  const config = {
    versions: Object.fromEntries(versions.map((version) => [version, `http://127.0.0.1:1`])),
    routes: [{ name, primary, mirrors }],
  };
  const loaded = loadConfig(JSON.stringify(config), 'test.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return compilePlan(loaded.config, 1, new MirrorSlots(), 1);
}

const made = { atMs: 1000, by: 'command' } as const;
const file = { enabled: true, shareMillionths: 1_000_000 };
const changed: LiveState = {
  ...noLiveState,
  allMirrors: { enabled: false, ...made },
  mirrors: [
    { route: 'a', to: 'v2', enabled: false, shareMillionths: 50_000, methods: null, file, ...made },
    { route: 'a', to: 'v3', enabled: null, shareMillionths: 10_000, methods: 'safe', file: null, ...made },
  ],
  weights: [
    {
      route: 'a',
      weights: [
        ['v1', 95],
        ['v3', 5],
      ],
      fallback: null,
      file: [['v1', 1]],
      ...made,
    },
  ],
  rollouts: [['a', { step: 1 }]],
};

t.test('a configuration that says nothing new leaves every live change alone', async (t) => {
  t.strictSame(reconcile(changed, plan({})), { state: changed, ended: [] });
  const other = plan({ mirrors: [{ to: 'v2', timeout: '1s' }] });
  t.strictSame(reconcile(changed, other), { state: changed, ended: [] });
});

t.test('a value that the configuration changes ends, by name, and the others stay', async (t) => {
  const share = reconcile(changed, plan({ mirrors: [{ to: 'v2', percent: 20 }] }));
  t.strictSame(share.ended, ['mirror a to v2 off, 5 % ended: the configuration says 20 % now']);
  t.match(share.state.mirrors[0], {
    enabled: false,
    shareMillionths: null,
    file: { shareMillionths: 200_000 },
  });
  const off = reconcile(changed, plan({ mirrors: [{ to: 'v2', enabled: false }] }));
  t.strictSame(off.ended, ['mirror a to v2 off, 5 % ended: the configuration switches it off now']);
  const weights = reconcile(changed, plan({ primary: { v1: 50, v2: 50 } }));
  t.strictSame(weights.ended, ['weights of a v1=95 v3=5 ended: the configuration says v1=50 v2=50 now']);
  t.strictSame(weights.state, { ...changed, weights: [] });
});

t.test('a change of what is gone ends, and a stop of all mirrors lasts', async (t) => {
  const route = reconcile(changed, plan({ name: 'b' }));
  t.equal(route.ended.length, 3);
  t.strictSame(route.state, { ...changed, mirrors: [], weights: [] }, "a rollout is its driver's");
  const mirror = reconcile(changed, plan({ mirrors: [] }));
  t.strictSame(mirror.ended, ['mirror a to v2 off, 5 % ended: the route has no mirror to v2 any more']);
  const version = reconcile(changed, plan({ versions: ['v1', 'v2'] }));
  t.strictSame(version.ended, [
    'added mirror a to v3 1 % ended: there is no version v3 any more',
    'weights of a v1=95 v3=5 ended: there is no version v3 any more',
  ]);
  const added = reconcile(changed, plan({ mirrors: [{ to: 'v2' }, { to: 'v3', percent: 1 }] }));
  t.strictSame(added.ended, ['added mirror a to v3 1 % ended: the configuration has this mirror now']);
});
