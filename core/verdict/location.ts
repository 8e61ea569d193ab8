/**
 * The middle of ratios of two latencies, on the logarithm: 0 is equal, above 0 the shadow is slower. Two
 * estimators, because services misbehave in two ways:
 *
 *   - the trimmed mean counts a part of the requests that is much slower, if it is more than a few in a
 *     hundred;
 *   - the biweight gives no weight at all to ratios far from the middle, so stalls of either version do not
 *     widen its error.
 *
 * Both are symmetric: between equal versions each is as often above 0 as below. Each comes with the influence
 * of every value, from which blocks of time say the error. Sources: R. R. Wilcox, "Introduction to Robust
 * Estimation and Hypothesis Testing" (2005), sections 2.2 and 3.3; F. Mosteller, J. W. Tukey, "Data Analysis
 * and Regression" (1977), chapter 10. Pure.
 */
import { RATIO_ONE } from '../record/mirror-counters.js';
import { ratioScale, type SlotCounts } from './slot-counts.js';

export interface Location {
  readonly log: number;
  /** By slot: how much one more value there moves the estimate, times the number of values. */
  readonly influence: Float64Array;
}

export type Estimator = (ratios: SlotCounts) => Location;

const logRatio = Float64Array.from({ length: ratioScale.slots }, (_, slot) =>
  Math.log(Math.max(1, ratioScale.middleOf(slot)) / RATIO_ONE),
);
/** The share of values that is trimmed at each end. */
const trimmed = 0.1;
const kept = 1 - 2 * trimmed;
/**
 * In standard deviations of normal values: where the biweight reaches 95 % efficiency, and how the median
 * deviation becomes a standard one.
 */
const reach = 4.685 * 1.4826;
/** The median deviation of ratios that all fall into one step. */
const deviationMin = 0.005;
const iterations = 20;
const converged = 1e-7;

export function trimmedMean(ratios: SlotCounts): Location {
  const low = logRatio[ratios.quantileSlot(trimmed)];
  const high = logRatio[ratios.quantileSlot(1 - trimmed)];
  const winsorized = logRatio.map((log) => Math.min(high, Math.max(low, log)));
  const mean = meanOf(ratios, winsorized);
  return {
    log: (mean - trimmed * (low + high)) / kept,
    influence: winsorized.map((value) => (value - mean) / kept),
  };
}

export function biweight(ratios: SlotCounts): Location {
  let log = logRatio[ratios.quantileSlot(0.5)];
  const width = reach * Math.max(deviationMin, medianDeviation(ratios, log));
  for (let i = 0; i < iterations; i++) {
    let [weights, sum] = [0, 0];
    ratios.forEach((slot, count) => {
      const u = (logRatio[slot] - log) / width;
      const weight = Math.abs(u) < 1 ? count * (1 - u * u) ** 2 : 0;
      weights += weight;
      sum += weight * logRatio[slot];
    });
    const next = sum / weights;
    const moved = Math.abs(next - log);
    log = next;
    if (moved < converged) break;
  }
  const pull = logRatio.map((value) => {
    const u = (value - log) / width;
    return Math.abs(u) < 1 ? width * u * (1 - u * u) ** 2 : 0;
  });
  const slope = meanOf(
    ratios,
    logRatio.map((value) => {
      const u2 = ((value - log) / width) ** 2;
      return u2 < 1 ? (1 - u2) * (1 - 5 * u2) : 0;
    }),
  );
  return { log, influence: pull.map((value) => value / slope) };
}

function meanOf(ratios: SlotCounts, values: Float64Array): number {
  let sum = 0;
  ratios.forEach((slot, count) => {
    sum += count * values[slot];
  });
  return sum / ratios.count;
}

function medianDeviation(ratios: SlotCounts, middle: number): number {
  const deviations: { deviation: number; count: number }[] = [];
  ratios.forEach((slot, count) => {
    deviations.push({ deviation: Math.abs(logRatio[slot] - middle), count });
  });
  deviations.sort((a, b) => a.deviation - b.deviation);
  let seen = 0;
  for (const { deviation, count } of deviations) {
    seen += count;
    if (seen >= ratios.count / 2) return deviation;
  }
  return 0;
}
