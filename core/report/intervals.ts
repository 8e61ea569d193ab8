/**
 * Confidence intervals that stand without assumptions on the shape of latencies. Pure. Sources:
 *
 *   - a proportion: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927);
 *   - the difference of two proportions: R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison
 *     of eleven methods", Statistics in Medicine 17 (1998), method 10, the hybrid score interval;
 *   - a quantile: the order statistics whose ranks bound it, from the binomial distribution (G. J. Hahn, W. Q. Meeker, "Statistical
 *     Intervals" (1991), section 5.2), for any distribution;
 *   - the ratio of two quantiles: both of these put together on the logarithm, by G. Y. Zou, A. Donner, "Construction of confidence limits
 *     about effect measures: a general approach", Statistics in Medicine 27 (2008), the way that Newcombe's interval is made of Wilson's.
 */
import { logChoose } from '../log-choose.js';
import { highestInSlot, lowestInSlot, slotOf } from '../record/hdr-layout.js';
import type { Histogram } from '../record/histogram.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Two-sided. */
export const CONFIDENCE = 0.95;
/** The normal quantile of 0.975. */
const Z = 1.959963984540054;
const TAIL = (1 - CONFIDENCE) / 2;
/** Standard deviations from the mean at which a binomial tail is nothing to a double. */
const TAIL_DEVIATIONS = 10;

/** Of `hits` in `count` trials; from 0 to 1 where there are none. */
export function proportionInterval(hits: number, count: number): Interval {
  if (count <= 0) return { low: 0, high: 1 };
  const p = hits / count;
  const z2 = Z * Z;
  const middle = p + z2 / (2 * count);
  const half = Z * Math.sqrt((p * (1 - p)) / count + z2 / (4 * count * count));
  const scale = 1 + z2 / count;
  return {
    low: hits === 0 ? 0 : Math.max(0, (middle - half) / scale),
    high: hits === count ? 1 : Math.min(1, (middle + half) / scale),
  };
}

/** Of the second proportion less the first. */
export function differenceInterval(
  first: { readonly hits: number; readonly count: number },
  second: { readonly hits: number; readonly count: number },
): Interval {
  if (first.count <= 0 || second.count <= 0) return { low: -1, high: 1 };
  const [p1, p2] = [first.hits / first.count, second.hits / second.count];
  const [i1, i2] = [
    proportionInterval(first.hits, first.count),
    proportionInterval(second.hits, second.count),
  ];
  return {
    low: p2 - p1 - Math.hypot(p2 - i2.low, i1.high - p1),
    high: p2 - p1 + Math.hypot(i2.high - p2, p1 - i1.low),
  };
}

/** Of a quantile (above 0, below 1), in microseconds: the bounds are ends of slots. From 0 to infinity where the data end before a rank. */
export function quantileInterval(histogram: Histogram, quantile: number): Interval {
  const { count } = histogram;
  if (count === 0) return { low: 0, high: Number.POSITIVE_INFINITY };
  // P(X < rank of low) and P(X >= rank of high) are each at most the tail, where X counts the values below the quantile.
  const lowRank = binomialQuantile(count, quantile, TAIL);
  const highRank = binomialQuantile(count, quantile, 1 - TAIL) + 1;
  return {
    low: lowRank < 1 ? 0 : lowestInSlot(slotOf(histogram.valueAtRank(lowRank))),
    high:
      highRank > count ? Number.POSITIVE_INFINITY : highestInSlot(slotOf(histogram.valueAtRank(highRank))),
  };
}

/** Of the second's quantile divided by the first's. */
export function quantileRatioInterval(first: Histogram, second: Histogram, quantile: number): Interval {
  const [q1, q2] = [
    atLeastOne(first.percentileUs(quantile * 100)),
    atLeastOne(second.percentileUs(quantile * 100)),
  ];
  const [i1, i2] = [quantileInterval(first, quantile), quantileInterval(second, quantile)];
  const ratio = Math.log(q2 / q1);
  const down = Math.hypot(Math.log(q2 / atLeastOne(i2.low)), Math.log(i1.high / q1));
  const up = Math.hypot(Math.log(i2.high / q2), Math.log(q1 / atLeastOne(i1.low)));
  return {
    low: i2.low === 0 ? 0 : Math.exp(ratio - down),
    high: i1.low === 0 ? Number.POSITIVE_INFINITY : Math.exp(ratio + up),
  };
}

/** The smallest k with P(X <= k) >= `probability`, for X of `count` trials that hit with `p`. Exact sums, not the normal curve. */
export function binomialQuantile(count: number, p: number, probability: number): number {
  const mean = count * p;
  const deviation = Math.sqrt(mean * (1 - p));
  let k = Math.max(0, Math.floor(mean - TAIL_DEVIATIONS * deviation - TAIL_DEVIATIONS));
  let term = Math.exp(logChoose(count, k) + k * Math.log(p) + (count - k) * Math.log1p(-p));
  let sum = term;
  while (sum < probability && k < count) {
    term *= ((count - k) / (k + 1)) * (p / (1 - p));
    k++;
    sum += term;
  }
  return k;
}

/** A latency below a microsecond is told as 0, and has no logarithm. */
function atLeastOne(us: number): number {
  return Math.max(1, us);
}
