/**
 * Is a difference noise? The baseline sends a request to the primary's version twice: what differs between those two
 * answers differs by itself. A group of differences is called noise when both hold:
 *
 *   1. The baseline shows it: at least `baselineHitsMin` of at least `baselinePairsMin` baseline pairs have it.
 *   2. The data do not show that the shadow has it more often: Fisher's exact test, one-sided, of "no more often than in
 *      the baseline" is not rejected at the level 1 - `confidence`.
 *
 * So a difference that the baseline never shows is never noise, however rare it is, and one that the shadow adds to a
 * noisy field is found as soon as there is enough data to tell. Looking often finds a false difference at times: one
 * in a hundred looks at a field that is pure noise, which is the safe side to err on.
 *
 * Source: R. A. Fisher, "The Design of Experiments" (1935), chapter II; the tail of the hypergeometric distribution.
 */
import { logChoose } from '../log-choose.js';

export const noiseConfidence = 0.99;
export const baselinePairsMin = 20;
export const baselineHitsMin = 3;

/** How often a difference was seen, in how many pairs. */
export interface Frequency {
  readonly count: number;
  readonly pairs: number;
}

export function isNoise(shadow: Frequency, baseline: Frequency): boolean {
  if (baseline.pairs < baselinePairsMin || baseline.count < baselineHitsMin) return false;
  return moreOftenP(shadow, baseline) > 1 - noiseConfidence;
}

/**
 * The one-sided p-value of Fisher's exact test: how likely, if both had the difference equally often, the shadow would
 * have at least as many of all that were seen as it has. From 0 to 1; small speaks for a real difference.
 */
export function moreOftenP(shadow: Frequency, baseline: Frequency): number {
  const all = shadow.pairs + baseline.pairs;
  const hits = shadow.count + baseline.count;
  const most = Math.min(hits, shadow.pairs);
  let logTerm =
    logChoose(shadow.pairs, shadow.count) + logChoose(baseline.pairs, baseline.count) - logChoose(all, hits);
  let tail = 0;
  let term = Math.exp(logTerm);
  for (let k = shadow.count; k <= most; k++) {
    tail += term;
    const odds = ((shadow.pairs - k) * (hits - k)) / ((k + 1) * (baseline.pairs - hits + k + 1));
    // Behind the peak the terms only fall: what is left can't change the sum.
    if (odds < 1 && term < tail * 1e-14 && term > 0) break;
    logTerm += Math.log(odds);
    term = Math.exp(logTerm);
  }
  return Math.min(1, tail);
}
