/**
 * The difference of two shares that were measured in the same pairs: errors of the shadow less errors of the
 * primary. Only the pairs count in which one of the two has the property and the other has not. Source: T.
 * Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
 * design", Statistics in Medicine 17 (1998), 891-908. At a difference of 0 the statistic is McNemar's;
 * without pairs of the second kind it is close to Wilson's for one share. Pure.
 */
import type { Interval } from './interval.js';

export interface DiscordantPairs {
  /** Pairs in which only the shadow has the property. */
  readonly shadowOnly: number;
  /** Pairs in which only the primary has it. */
  readonly primaryOnly: number;
  readonly pairs: number;
  /**
   * What one of the primary's counts, where each request of the shadow is compared with the average of
   * several of the primary's: one divided by how many. 1 where it is left out. Evidence that may be repeated
   * (./any-time) and its dispersion use it; the statistics of this file do not.
   */
  readonly primaryWeight?: number;
}

/** `excessOf` returns the measured excess of the shadow as a number of pairs. */
export function excessOf({ shadowOnly, primaryOnly, primaryWeight = 1 }: DiscordantPairs): number {
  return shadowOnly - primaryWeight * primaryOnly;
}

/** Halvings of the interval, which give an end to a billionth. */
const bisections = 31;

/**
 * `excessScore` returns by how many standard errors the measured excess is above `delta` (from -1 to 1,
 * exclusive).
 */
export function excessScore({ shadowOnly, primaryOnly, pairs }: DiscordantPairs, delta: number): number {
  const excess = shadowOnly - primaryOnly - pairs * delta;
  if (excess === 0) return 0;
  // The share of pairs of the second kind that is most likely where the excess is `delta` (Tango's q21).
  const b = -shadowOnly - primaryOnly + (2 * pairs - shadowOnly + primaryOnly) * delta;
  const c = -primaryOnly * delta * (1 - delta);
  const primaryShare = (Math.sqrt(Math.max(0, b * b - 8 * pairs * c)) - b) / (4 * pairs);
  return excess / Math.sqrt(pairs * (2 * primaryShare + delta * (1 - delta)));
}

/**
 * `excessInterval` returns the differences whose score is within `z` standard errors; all there are without
 * pairs.
 */
export function excessInterval(counts: DiscordantPairs, z: number): Interval {
  if (counts.pairs <= 0) return { low: -1, high: 1 };
  return { low: rootOf(counts, z), high: rootOf(counts, -z) };
}

/** The score falls as `delta` rises, so the interval's end is where it crosses `z`. */
function rootOf(counts: DiscordantPairs, z: number): number {
  let [low, high] = [-1, 1];
  for (let i = 0; i < bisections; i++) {
    const middle = (low + high) / 2;
    if (excessScore(counts, middle) > z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
