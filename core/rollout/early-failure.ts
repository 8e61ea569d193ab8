/**
 * No failure is decided by what may be one burst. The scatter from block to block says how bursty errors and
 * stalls are, but a burst that began with the step is in all blocks alike: for its first seconds it can't be
 * distinguished from a version that always fails so much. So errors and latency fail a step only when its
 * evidence is of half a minute, or of the least time of a shorter step. Guard rails do not wait. Pure.
 */
import type { RolloutPlan, RolloutStep } from '../plan.js';
import { spanText } from '../report/figures.js';
import type { CheckName } from '../verdict/verdict.js';
import type { StepCheck } from './release-judge.js';

/**
 * Bursts last for seconds. With those of test/core/rollout/early-failure.test.ts (two seconds on the average,
 * once a minute) about one step in twenty failed when there was no such time.
 */
const spanMs = 30_000;
/** What comes in bursts. Answers that differ do not: equal versions have none. */
const bursty: readonly CheckName[] = ['errors', 'latency', 'tail'];
const msPerS = 1000;

/** How long evidence must be to fail the step `index`, in milliseconds. */
export function failureSpanMs(
  { steps, watchMs }: Pick<RolloutPlan, 'steps' | 'watchMs'>,
  index: number,
): number {
  const { atLeastMs }: Pick<RolloutStep, 'atLeastMs'> = steps[index];
  const isLast = index === steps.length - 1;
  return Math.min(spanMs, isLast ? Math.max(atLeastMs, watchMs) : atLeastMs);
}

/** `noneTooEarly` leaves a failure undecided while its evidence is shorter than `neededMs`. */
export function noneTooEarly(
  checks: readonly StepCheck[],
  lasted: Readonly<Record<StepCheck['of'], number>>,
  neededMs: number,
): StepCheck[] {
  return checks.map((check) => {
    const isEarly = check.outcome === 'fail' && bursty.includes(check.name) && lasted[check.of] < neededMs;
    if (!isEarly) return check;
    const text = `${check.text}; too early to fail: this may be one burst, which ${spanText(neededMs / msPerS)} of evidence show`;
    return { ...check, outcome: 'undecided', text };
  });
}
