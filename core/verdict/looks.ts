/**
 * How sure a check must be. One rule for all of them: a check fails where the excess is above the bound at
 * `boundConfidence` and also above zero at `zeroConfidence`; it passes where the excess is within the bound
 * at `boundConfidence`; else it is undecided. The second condition keeps equal versions from failing, however
 * small the bound is; the first keeps a difference that the bound allows from failing. Confidences are
 * one-sided. Pure.
 */
import { logEvidenceAbove, logEvidenceBelow, sequenceWidth } from './any-time.js';
import type { Interval } from './interval.js';
import { type DiscordantPairs, excessInterval, excessOf, excessScore } from './paired-shares.js';
import { normalQuantile, studentQuantile } from './quantiles.js';

export const boundConfidence = 0.95;
export const zeroConfidence = 0.999;

/**
 * How often the evidence is looked at: once, at a time chosen beforehand; again and again until it decides;
 * or so at each step of a rollout.
 */
export type Looks = 'once' | 'repeated' | 'rollout';

/**
 * A rollout makes up to nine tests at each of up to ten steps, and one false failure rolls it back. So each
 * test has this share of the half per cent that all of them together may fail equal versions.
 */
const rolloutConfidence = 1 - 0.005 / 90;

/** `zeroConfidenceOf` returns how sure a failure must be that the excess is above zero. */
export function zeroConfidenceOf(looks: Looks): number {
  return looks === 'rollout' ? rolloutConfidence : zeroConfidence;
}

/** What a test says of an excess. */
export interface Excess {
  readonly interval: Interval;
  readonly isAboveBound: boolean;
  readonly isAboveZero: boolean;
  readonly isWithinBound: boolean;
}

/** The pairs at which a confidence sequence begins. */
const firstLookPairs = 1000;
/** Halvings of the interval, which give an end to a billionth. */
const bisections = 30;

/** `meanWidth` returns by how many standard errors an end of the interval is away from a mean. */
export function meanWidth(confidence: number, df: number, looks: Looks, pairs: number): number {
  const student = studentQuantile(confidence, df);
  if (looks === 'once') return student;
  const wider = sequenceWidth(1 - confidence, Math.max(1, pairs / firstLookPairs));
  return (wider * student) / normalQuantile(confidence);
}

/**
 * `shareExcess` tests the excess of the shadow's share. `dispersion`: how many times as much as independent
 * pairs the counts vary from block to block, with `df` degrees of freedom.
 */
export function shareExcess(
  counts: DiscordantPairs,
  bound: number,
  { dispersion, df }: { readonly dispersion: number; readonly df: number },
  looks: Looks,
): Excess {
  if (counts.pairs <= 0)
    return { interval: { low: -1, high: 1 }, isAboveBound: false, isAboveZero: false, isWithinBound: false };
  if (looks !== 'once') return repeatedShareExcess(counts, bound, dispersion, zeroConfidenceOf(looks));
  const width = (confidence: number): number =>
    dispersion > 1 ? studentQuantile(confidence, df) * Math.sqrt(dispersion) : normalQuantile(confidence);
  const z = width(boundConfidence);
  const score = excessScore(counts, bound);
  return {
    interval: excessInterval(counts, z),
    isAboveBound: score > z,
    isAboveZero: excessScore(counts, 0) > width(zeroConfidence),
    isWithinBound: score <= -z,
  };
}

function repeatedShareExcess(
  counts: DiscordantPairs,
  bound: number,
  dispersion: number,
  zero: number,
): Excess {
  const enough = (confidence: number): number => -Math.log(1 - confidence) * dispersion;
  const isAbove = (delta: number): boolean => logEvidenceAbove(counts, delta) >= enough(boundConfidence);
  const isBelow = (delta: number): boolean => logEvidenceBelow(counts, delta) >= enough(boundConfidence);
  const measured = excessOf(counts) / counts.pairs;
  return {
    interval: {
      low: crossing(-1, measured, (delta) => !isAbove(delta)),
      high: crossing(measured, 1, isBelow),
    },
    isAboveBound: isAbove(bound),
    isAboveZero: logEvidenceAbove(counts, 0) >= enough(zero),
    isWithinBound: isBelow(bound),
  };
}

/** Where `holds` begins to hold between `low` and `high`. */
function crossing(low: number, high: number, holds: (value: number) => boolean): number {
  let [from, to] = [low, high];
  for (let i = 0; i < bisections; i++) {
    const middle = (from + to) / 2;
    if (holds(middle)) to = middle;
    else from = middle;
  }
  return to;
}
