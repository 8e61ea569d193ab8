/**
 * Medians, their intervals and spread of a few rounds. Few samples: no mean, no deviation, which would claim
 * more than is known.
 */
import { logChoose } from '../../core/log-choose.js';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** NaN for no values, so that nothing measured can't pass for zero. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** In how many of a hundred runs the interval misses the median, on one of its sides. */
const missedOnASide = 0.025;

/**
 * Where the median lies, with 95 % confidence, whatever the distribution: between two of the values in order
 * (David and Nagaraja, Order Statistics, section 7.1). Without bounds below six values, of which no two say
 * so much.
 */
export function medianInterval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const outside = sorted.length === 0 ? 0 : binomialQuantile(sorted.length, 0.5, missedOnASide);
  if (outside === 0) return { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return { low: sorted[outside - 1], high: sorted[sorted.length - outside] };
}

/** Standard deviations from the mean at which a binomial tail is below the precision of a double. */
const tailDeviations = 10;

/**
 * The smallest k with P(X <= k) >= `probability`, for X of `count` trials that hit with `p`. Exact sums, not
 * the normal curve.
 */
export function binomialQuantile(count: number, p: number, probability: number): number {
  const mean = count * p;
  const deviation = Math.sqrt(mean * (1 - p));
  let k = Math.max(0, Math.floor(mean - tailDeviations * deviation - tailDeviations));
  let term = Math.exp(logChoose(count, k) + k * Math.log(p) + (count - k) * Math.log1p(-p));
  let sum = term;
  while (sum < probability && k < count) {
    term *= ((count - k) / (k + 1)) * (p / (1 - p));
    k++;
    sum += term;
  }
  return k;
}
