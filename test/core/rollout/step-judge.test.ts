/** What a step passes, what it fails, and what it says to those who wait for it. */
import { rolloutPlans } from '../../../bench/simulate/rollout-scenarios.js';
import { seededDraws } from '../../../bench/simulate/run.js';
import { RATIO_ONE } from '../../../core/record/mirror-counters.js';
import { noSide } from '../../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../../core/rollout/release-series.js';
import { judgeStep, type StepVerdict } from '../../../core/rollout/step-judge.js';
import { BlockSeries } from '../../../core/verdict/block-series.js';
import { noPairs } from '../../../core/verdict/pair-counts.js';
import { DenseCounts, latencyScale, ratioScale } from '../../../core/verdict/slot-counts.js';
import t from '../../support/tap.js';

const plan = rolloutPlans.default;
const names = { route: 'r', from: 'v1', to: 'v2' };
const draws = seededDraws(3);
const msPerS = 1000;
const perSecond = 20;
const medianUs = 5000;

function latencies(count: number, slower = 1): DenseCounts {
  const counts = new DenseCounts(latencyScale);
  for (let i = 0; i < count; i++)
    counts.record(Math.round(medianUs * slower * Math.exp(0.5 * draws.normal())));
  return counts;
}

/** A mirrored step of `seconds` whose copies fail by chance and take `slower` times as long. */
function mirrored(seconds: number, shares: { v1: number; v2: number }, slower = 1): StepVerdict {
  const series = new BlockSeries();
  for (let second = 1; second <= seconds; second++) {
    const ratio = new DenseCounts(ratioScale);
    for (let i = 0; i < perSecond; i++)
      ratio.record(Math.round(slower * RATIO_ONE * Math.exp(0.5 * draws.normal())));
    let [shadowErrors, primaryErrors] = [0, 0];
    for (let i = 0; i < perSecond; i++) {
      if (draws.uniform() < shares.v2) shadowErrors++;
      else if (draws.uniform() < shares.v1) primaryErrors++;
    }
    series.add(second * msPerS, {
      ...noPairs,
      bothOk: perSecond - shadowErrors - primaryErrors,
      shadowErrors,
      primaryErrors,
      eligible: perSecond,
      ratio: ratio.read(),
      primary: latencies(perSecond).read(),
      shadow: latencies(perSecond, slower).read(),
    });
  }
  return judgeStep(names, plan, 0, { releases: [], pairs: series.blocks, baseline: [], diffs: null });
}

/** A released step of `seconds` in which v2 answers `share`. */
function released(step: number, seconds: number, share: number, errors: { v1: number; v2: number }) {
  const series = new ReleaseSeries();
  const rate = 1000;
  const side = (ended: number, failing: number) => {
    let failed = 0;
    for (let i = 0; i < ended; i++) if (draws.uniform() < failing) failed++;
    return { ...noSide, ended, errors: failed, latency: latencies(ended).read() };
  };
  for (let second = 1; second <= seconds; second++)
    series.add(second * msPerS, {
      old: side(rate * (1 - share), errors.v1),
      fresh: side(rate * share, errors.v2),
    });
  return judgeStep(names, plan, step, { releases: series.blocks, pairs: [], baseline: [], diffs: null });
}

const outcomes = ({ checks }: StepVerdict) =>
  Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
const textOf = ({ checks }: StepVerdict, wanted: string) =>
  checks.find(({ name }) => name === wanted)?.text ?? '';

t.test('a mirrored step passes what the next share may harm, and waits for answers alone', async (t) => {
  const verdict = mirrored(300, { v1: 0.002, v2: 0.002 });
  t.match(outcomes(verdict), { errors: 'pass', latency: 'pass', differences: 'pass' });
  t.equal(verdict.outcome, 'pass', 'although the tail is undecided');
  t.match(textOf(verdict, 'errors'), /allowed for the next step \+5 %$/);
});

t.test('a mirrored step fails above the final bound, as every step does', async (t) => {
  t.match(outcomes(mirrored(300, { v1: 0.002, v2: 0.02 })), { errors: 'fail' });
  t.match(outcomes(mirrored(300, { v1: 0, v2: 0 }, 1.2)), { latency: 'fail' });
});

t.test('errors that v2 has only where it answers itself fail the step of 1 %', async (t) => {
  t.match(outcomes(released(1, 300, 0.01, { v1: 0.001, v2: 0.011 })), { errors: 'fail' });
  t.match(outcomes(released(1, 300, 0.01, { v1: 0.001, v2: 0.001 })), { errors: 'pass', latency: 'pass' });
});

t.test('what is undecided says how much more it needs, by the flag of the rollout', async (t) => {
  t.match(textOf(mirrored(20, { v1: 0, v2: 0 }), 'errors'), /fewer pairs than --requests/);
  const early = released(2, 40, 0.05, { v1: 0.001, v2: 0.001 });
  t.match(outcomes(early), { errors: 'undecided' });
  const said = /about ([\d ]+) more requests, (.+) at this rate, would decide/.exec(textOf(early, 'errors'));
  t.ok(said, textOf(early, 'errors'));
  t.match(outcomes(released(2, 400, 0.05, { v1: 0.001, v2: 0.001 })), { errors: 'pass' });
});
