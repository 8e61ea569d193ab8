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
import { latencyScale, ratioScale, type SlotCounts } from './slot-counts.js';

export interface Location {
  readonly log: number;
  /**
   * By slot that has values: how much one more there moves the estimate, times the number of values.
   */
  readonly influence: Float64Array;
}

/** `logs`: the logarithm of each slot's values; of ratios unless it says otherwise. */
export type Estimator = (values: SlotCounts, logs?: Float64Array) => Location;

const logRatio = Float64Array.from({ length: ratioScale.slots }, (_, slot) =>
  Math.log(Math.max(1, ratioScale.middleOf(slot)) / RATIO_ONE),
);
/** Logarithms of latencies that have no pair. */
export const logLatency = Float64Array.from({ length: latencyScale.slots }, (_, slot) =>
  Math.log(Math.max(1, latencyScale.middleOf(slot))),
);
/** The share of values that is trimmed at each end. */
const trimmed = 0.1;
const kept = 1 - 2 * trimmed;
/**
 * In standard deviations of normal values: where the biweight has no weight left, and how the median
 * deviation becomes a standard one. With 3.44 its efficiency is 85 % of a mean's (Maronna, Martin, Yohai,
 * "Robust Statistics", 2006, section 2.2). The usual 4.685 (95 %) lets stalls in, whose error is larger than
 * what the efficiency costs.
 */
const reach = 3.44 * 1.4826;
/** The median deviation of ratios that all fall into one step. */
const deviationMin = 0.005;
const iterations = 20;
const converged = 1e-7;

export function trimmedMean(values: SlotCounts, logs: Float64Array = logRatio): Location {
  const low = logs[values.quantileSlot(trimmed)];
  const high = logs[values.quantileSlot(1 - trimmed)];
  const winsorized = (log: number): number => Math.min(high, Math.max(low, log));
  const mean = meanOf(values, winsorized, logs);
  return {
    log: (mean - trimmed * (low + high)) / kept,
    influence: influenceOf(values, (log) => (winsorized(log) - mean) / kept, logs),
  };
}

export function biweight(values: SlotCounts, logs: Float64Array = logRatio): Location {
  let log = logs[values.quantileSlot(0.5)];
  const width = reach * Math.max(deviationMin, medianDeviation(values, log, logs));
  for (let i = 0; i < iterations; i++) {
    let [weights, sum] = [0, 0];
    values.forEach((slot, count) => {
      const u = (logs[slot] - log) / width;
      const weight = Math.abs(u) < 1 ? count * (1 - u * u) ** 2 : 0;
      weights += weight;
      sum += weight * logs[slot];
    });
    const next = sum / weights;
    const moved = Math.abs(next - log);
    log = next;
    if (moved < converged) break;
  }
  const slopeAt = (value: number): number => {
    const u2 = ((value - log) / width) ** 2;
    return u2 < 1 ? (1 - u2) * (1 - 5 * u2) : 0;
  };
  const slope = meanOf(values, slopeAt, logs);
  const influenceAt = (value: number): number => {
    const u = (value - log) / width;
    return Math.abs(u) < 1 ? (width * u * (1 - u * u) ** 2) / slope : 0;
  };
  const influence = influenceOf(values, influenceAt, logs);
  return { log, influence };
}

/** `of` takes the logarithm of a value. */
function meanOf(values: SlotCounts, of: (log: number) => number, logs: Float64Array): number {
  let sum = 0;
  values.forEach((slot, count) => {
    sum += count * of(logs[slot]);
  });
  return sum / values.count;
}

function influenceOf(values: SlotCounts, of: (log: number) => number, logs: Float64Array): Float64Array {
  const influence = new Float64Array(logs.length);
  values.forEach((slot) => {
    influence[slot] = of(logs[slot]);
  });
  return influence;
}

function medianDeviation(values: SlotCounts, middle: number, logs: Float64Array): number {
  const deviations: { deviation: number; count: number }[] = [];
  values.forEach((slot, count) => {
    deviations.push({ deviation: Math.abs(logs[slot] - middle), count });
  });
  deviations.sort((a, b) => a.deviation - b.deviation);
  let seen = 0;
  for (const { deviation, count } of deviations) {
    seen += count;
    if (seen >= values.count / 2) return deviation;
  }
  return 0;
}
