/**
 * What a step of a rollout is judged by. While the new version is mirrored, by its pairs with the old one, as
 * `umbra verdict` does. Once it answers a share of the requests, by both versions at the same time
 * (core/rollout/release-judge), and by pairs of safe requests that it answered and the old version got a copy
 * of. Pure.
 */

import type { RolloutBounds, RolloutPlan, RolloutStep } from '../plan.js';
import type { DiffsView } from '../report/diffs.js';
import { type Block, lastedMs } from '../verdict/block-series.js';
import { judge } from '../verdict/judge.js';
import { endedPairs } from '../verdict/pair-counts.js';
import type { ExamplePair, Outcome, VerdictBounds } from '../verdict/verdict.js';
import { noneDiffering } from './differing-keys.js';
import { failureSpanMs, noneTooEarly } from './early-failure.js';
import { moreText } from './more-needed.js';
import { judgeRelease, type StepCheck } from './release-judge.js';
import type { ReleaseBlock } from './release-series.js';
import { swappedBlocks } from './swapped-pairs.js';

/** What was counted since the step began. */
export interface StepEvidence {
  /** Counts of both versions as primaries. */
  readonly releases: readonly ReleaseBlock[];
  /** Pairs of the mirror: to the new version in a step that mirrors, else to the old one. */
  readonly pairs: readonly Block[];
  /** Pairs of the mirror's baseline. */
  readonly baseline: readonly Block[];
  readonly diffs: DiffsView | null;
}

export interface StepVerdict {
  readonly outcome: Outcome;
  readonly checks: readonly StepCheck[];
  /** Requests that the new version was sent in this step. */
  readonly requests: number;
  /** How long the evidence is. */
  readonly seconds: number;
  readonly example: ExamplePair | null;
}

const looks = 'rollout';
const msPerS = 1000;
const whole = 1_000_000;

export interface StepNames {
  readonly route: string;
  readonly from: string;
  readonly to: string;
}

/** `step`: index into the plan's steps. */
export function judgeStep(
  names: StepNames,
  plan: RolloutPlan,
  step: number,
  evidence: StepEvidence,
): StepVerdict {
  return plan.steps[step].kind === 'mirror'
    ? judgeMirrored(names, plan, step, evidence)
    : judgeReleased(names, plan, step, evidence);
}

function judgeMirrored(
  { route, from, to }: StepNames,
  plan: RolloutPlan,
  index: number,
  { pairs, baseline, diffs }: StepEvidence,
): StepVerdict {
  const { requestsMin } = plan.steps[index];
  const evidence = { route, primary: from, shadow: to, blocks: pairs, baseline, endpoints: [] };
  // What only pairs show passes at its bound, because no later step has to show it.
  const passFactor = 1 / nextReleaseOf(plan.steps, index);
  const bounds = { ...verdictBounds(plan.bounds, requestsMin), passFactor };
  const [verdict] = judge([evidence], diffs, bounds, looks).mirrors;
  const lasted = lastedMs(pairs);
  const seconds = lasted / msPerS;
  const ofPairs = verdict.checks.map((check): StepCheck => {
    const { name, outcome, text, measured, interval, bound, passBound = bound } = check;
    const isOpen = outcome === 'undecided' && name !== 'coverage';
    const more = isOpen
      ? moreText({ measured, high: interval.high, bound: passBound, requests: check.pairs, seconds })
      : '';
    return { name, of: 'pairs', outcome, text: text + more, isOptional: name === 'tail' };
  });
  const checks = noneTooEarly(ofPairs, { versions: 0, pairs: lasted }, failureSpanMs(plan, index));
  const requests = pairs.reduce((sum, block) => sum + endedPairs(block.pairs), 0);
  return { outcome: outcomeOf(checks), checks, requests, seconds, example: verdict.examples[0] ?? null };
}

function judgeReleased(
  { route, from, to }: StepNames,
  plan: RolloutPlan,
  index: number,
  { releases, pairs, diffs }: StepEvidence,
): StepVerdict {
  const { requestsMin } = plan.steps[index];
  const bounds = verdictBounds(plan.bounds, requestsMin);
  const nextShare = nextShareOf(plan.steps, index);
  const ofVersions = judgeRelease(releases, { old: from, fresh: to, bounds, nextShare, requestsMin });
  const evidence = {
    route,
    primary: from,
    shadow: to,
    blocks: swappedBlocks(pairs),
    baseline: [],
    endpoints: [],
    diffsOf: from,
  };
  const [verdict] = pairs.length === 0 ? [] : judge([evidence], diffs, bounds, looks).mirrors;
  const ofPairs = (verdict?.checks ?? [])
    .filter(({ name }) => name !== 'coverage')
    .map(({ name, outcome, text }): StepCheck => ({ name, of: 'pairs', outcome, text, isOptional: true }));
  const lasted = { versions: lastedMs(releases), pairs: lastedMs(pairs) };
  const all = [...noneDiffering(ofVersions, ofPairs), ...ofPairs];
  const checks = noneTooEarly(all, lasted, failureSpanMs(plan, index));
  const requests = releases.reduce((sum, { counts }) => sum + counts.fresh.ended, 0);
  const seconds = lasted.versions / msPerS;
  return { outcome: outcomeOf(checks), checks, requests, seconds, example: verdict?.examples[0] ?? null };
}

/** The share that the new version answers after this step. */
function nextShareOf(steps: readonly RolloutStep[], index: number): number {
  return (steps[index + 1]?.shareMillionths ?? whole) / whole;
}

/** The first share that the new version answers after this step, which may have another mirror behind it. */
function nextReleaseOf(steps: readonly RolloutStep[], index: number): number {
  const next = steps.slice(index + 1).find(({ kind }) => kind === 'release');
  return (next?.shareMillionths ?? whole) / whole;
}

function outcomeOf(checks: readonly StepCheck[]): Outcome {
  if (checks.some(({ outcome }) => outcome === 'fail')) return 'fail';
  return checks.every(({ outcome, isOptional }) => isOptional || outcome === 'pass') ? 'pass' : 'undecided';
}

function verdictBounds(bounds: RolloutBounds, samplesMin: number): VerdictBounds {
  const off = Number.POSITIVE_INFINITY;
  return {
    shift: bounds.shift ?? off,
    p99Delta: bounds.p99Delta ?? off,
    errorDelta: bounds.errorDelta ?? off,
    diff: bounds.diff ?? off,
    samplesMin,
  };
}
