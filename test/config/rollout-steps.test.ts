import { rolloutSettings } from '../../config/rollout-settings.js';
import { formatStep, parseSteps } from '../../config/rollout-steps.js';
import { Refusal } from '../../config/units.js';
import t from '../support/tap.js';

t.test('steps are shares with times, and the longest time is six times the least', async (t) => {
  const steps = parseSteps('mirror=20%:10m, mirror:5m, 1%, 0.5%:1s, 100%');
  t.match(steps, new Refusal('has a share that is not larger than the one before it'));
  t.strictSame(parseSteps('mirror=20%:10m, mirror:5m-1h, 1%, 25.5%:30s, 100%'), [
    { kind: 'mirror', shareMillionths: 200_000, atLeastMs: 600_000, atMostMs: 3_600_000 },
    { kind: 'mirror', shareMillionths: 1_000_000, atLeastMs: 300_000, atMostMs: 3_600_000 },
    { kind: 'release', shareMillionths: 10_000, atLeastMs: 300_000, atMostMs: 1_800_000 },
    { kind: 'release', shareMillionths: 255_000, atLeastMs: 30_000, atMostMs: 180_000 },
    { kind: 'release', shareMillionths: 1_000_000, atLeastMs: 0, atMostMs: 0 },
  ]);
});

t.test('steps are written as they are read', async (t) => {
  const steps = parseSteps('mirror=0.0001%:1ms,mirror,5%:90s-2h,100%:1m');
  if (steps instanceof Refusal) throw new Error(steps.reason);
  t.strictSame(parseSteps(steps.map(formatStep)), steps);
});

t.test('what is no way from one version to another is refused', async (t) => {
  for (const [text, reason] of [
    ['', 'expected a step'],
    ['5%', 'must end with 100%'],
    ['mirror', 'must end with 100%'],
    ['mirror=100%', 'must end with 100%'],
    ['5%,mirror,100%', 'has a mirror behind a release'],
    ['5%,5%,100%', 'not larger'],
    ['100%,100%', 'not larger'],
    ['0%,100%', 'must be more than 0 %'],
    ['101%,100%', 'expected a percentage'],
    ['5%:10m-1m,100%', 'ends before its least time'],
    ['5%:10,100%', 'expected a duration'],
    ['5%:,100%', 'expected a step'],
    ['mirror5%,100%', 'expected a step'],
    [Array.from({ length: 11 }, (_, at) => (at === 10 ? '100%' : `${at + 1}%`)).join(), 'more than 10 steps'],
  ]) {
    const refusal = parseSteps(text);
    t.ok(
      refusal instanceof Refusal && refusal.reason.includes(reason),
      `${text}: ${JSON.stringify(refusal)}`,
    );
  }
});

t.test('what is given for one rollout takes precedence over what the route says, key by key', async (t) => {
  const configured = rolloutSettings(
    { to: 'v2', steps: '10%,100%', watch: '1s', maxDiff: 'off', requests: 9 },
    null,
  );
  if (!configured.ok) throw new Error(configured.problems.join());
  const both = rolloutSettings({ to: 'v3', maxErrors: '5%' }, configured.plan);
  t.match(both, {
    ok: true,
    plan: { to: 'v3', watchMs: 1000, errorsMax: 0.05, bounds: { diff: null, shift: 0.02 } },
  });
  t.strictSame(both.ok && both.plan.steps, configured.plan.steps);
  t.match(rolloutSettings({ steps: '20%,100%' }, configured.plan), {
    plan: { to: 'v2', steps: [{ shareMillionths: 200_000, requestsMin: 9 }, {}] },
  });
  t.match(rolloutSettings({}, null), { ok: false, problems: ['to: is missing: the new version'] });
  t.match(rolloutSettings({ to: 'v2', onStep: {} }, null), { ok: false, problems: [/needs one of/] });
});
