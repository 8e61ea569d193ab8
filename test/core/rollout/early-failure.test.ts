/** Judges steps second by second, as umbra does: looking seldom hides what the first seconds show. */
import { stalls } from '../../../bench/simulate/laws.js';
import { rolloutPlans } from '../../../bench/simulate/rollout-scenarios.js';
import { seededDraws } from '../../../bench/simulate/run.js';
import type { RolloutPlan } from '../../../core/plan.js';
import { VersionCounters } from '../../../core/record/version-counters.js';
import { noSide, type SideCounts, SideReader } from '../../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../../core/rollout/release-series.js';
import { judgeStep, type StepVerdict } from '../../../core/rollout/step-judge.js';
import t from '../../support/tap.js';

const draws = seededDraws(11);
const looksPerS = 4;
const msPerS = 1000;
/** 1,000 requests a second, half of them to each version. */
const perLook = 125;
const names = { route: 'r', from: 'v1', to: 'v2' };
const plan = rolloutPlans.short;
const half = plan.steps.findIndex(({ shareMillionths }) => shareMillionths === 500_000);

function side(errorShare: number): SideCounts {
  let errors = 0;
  for (let i = 0; i < perLook; i++) if (draws.uniform() < errorShare) errors++;
  return { ...noSide, ended: perLook, errors };
}

/** Returns the first failure among the looks of `seconds` with its time, or null. */
function failureOf(
  of: RolloutPlan,
  seconds: number,
  at: (atS: number) => { readonly old: SideCounts; readonly fresh: SideCounts },
): { readonly atS: number; readonly verdict: StepVerdict } | null {
  const series = new ReleaseSeries();
  for (let look = 1; look <= seconds * looksPerS; look++) {
    series.add((look * msPerS) / looksPerS, at((look - 0.5) / looksPerS));
    if (look % looksPerS !== 0) continue;
    const evidence = { releases: series.blocks, pairs: [], baseline: [], diffs: null };
    const verdict = judgeStep(names, of, half, evidence);
    if (verdict.outcome === 'fail') return { atS: look / looksPerS, verdict };
  }
  return null;
}

t.test(
  'no step of an equal version fails, although each version has bursts of errors of its own',
  async (t) => {
    const [steps, seconds, warmS] = [100, 60, 60];
    let failed = 0;
    for (let i = 0; i < steps; i++) {
      const [old, fresh] = [0, 1].map(() => stalls(draws, warmS + seconds, 60, 2));
      const share = (inBurst: (atS: number) => boolean, atS: number) => (inBurst(warmS + atS) ? 0.05 : 0.001);
      if (failureOf(plan, seconds, (atS) => ({ old: side(share(old, atS)), fresh: side(share(fresh, atS)) })))
        failed++;
    }
    t.equal(failed, 0);
  },
);

t.test('a version that always fails 1 % fails its step after half a minute', async (t) => {
  const failure = failureOf(plan, 60, () => ({ old: side(0.001), fresh: side(0.011) }));
  t.match(failure, { atS: 30, verdict: { checks: [{ name: 'errors', outcome: 'fail' }] } });
});

t.test('a shorter step fails by its own least time', async (t) => {
  const steps = plan.steps.map((step) => ({ ...step, atLeastMs: 5000 }));
  const failure = failureOf({ ...plan, steps }, 60, () => ({ old: side(0.001), fresh: side(0.05) }));
  t.match(failure, { atS: 5 });
});

t.test('a stall with which a step begins is no failure of latency, and is called early', async (t) => {
  const [old, fresh] = [0, 1].map(() => new VersionCounters(VersionCounters.create()));
  const [oldReader, freshReader] = [new SideReader(), new SideReader()];
  const record = (counters: VersionCounters, us: number): void => {
    for (let i = 0; i < perLook; i++) {
      counters.requestStarted();
      counters.response(200);
      counters.latency.record(us * Math.exp(0.5 * draws.normal()));
    }
  };
  const stalledS = 8;
  const at = (atS: number) => {
    record(old, 5000);
    record(fresh, atS < stalledS ? 50_000 : 5000);
    return { old: oldReader.read([old]), fresh: freshReader.read([fresh]) };
  };
  t.equal(failureOf(plan, 60, at), null);
  const series = new ReleaseSeries();
  for (let look = 1; look <= 5 * looksPerS; look++) series.add((look * msPerS) / looksPerS, at(0));
  const { checks } = judgeStep(names, plan, half, {
    releases: series.blocks,
    pairs: [],
    baseline: [],
    diffs: null,
  });
  t.match(
    checks.find(({ name }) => name === 'latency'),
    { outcome: 'undecided', text: /too early to fail/ },
  );
});
