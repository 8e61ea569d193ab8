/**
 * Separates differences from noise. A baseline sends the request of a pair to the primary's version once
 * more. If the versions are equal, the shadow's answer and the baseline's are exchangeable: a difference
 * from the primary's answer that only one of the two has belongs to either with probability 1/2.
 *
 *   - Triples (primary, shadow, baseline of one request): `signP`, a test of that 1/2 that stays valid
 *     however often it is looked at.
 *   - Pairs without a counterpart: Fisher's exact test on the two frequencies.
 *   - `holm` keeps the probability of any false difference in a mirror below `noiseAlpha`, however many
 *     places there are.
 *
 * Sources: H. Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
 * Mathematical Statistics 41 (1970), for the mixture; J. Ville (1939) for the bound on its maximum; S.
 * Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
 * (1979); R. A. Fisher, "The Design of Experiments" (1935), chapter II.
 */
import { logChoose } from '../log-choose.js';

/** The probability of naming any difference between equal versions, over all places of a mirror. */
export const noiseAlpha = 0.005;
/** A place counts as noisy when the baseline shows it in at least this many pairs. */
export const baselineHitsMin = 3;
/** The one-sided normal quantile at 95 %, for the excess of a noisy place. */
const z95 = 1.645;

/** How often a difference was seen, in how many pairs. */
export interface Frequency {
  readonly count: number;
  readonly pairs: number;
}

/**
 * The p-value, valid at any number of looks, of "the shadow alone has it as often as the baseline
 * alone": one over the mixture of the likelihood ratios of every share q in [1/2, 1] against 1/2, E =
 * 2^(n+1) B(s+1, f+1) P(Bin(n+1, 1/2) <= s) for s of n = s + f. From 0 to 1; small speaks for a real
 * difference.
 */
export function signP(shadowOnly: number, baselineOnly: number): number {
  if (shadowOnly <= baselineOnly) return 1;
  const n = shadowOnly + baselineOnly;
  const logMixture =
    (n + 1) * Math.LN2 -
    Math.log(n + 1) -
    logChoose(n, shadowOnly) +
    Math.log(1 - fairTail(n + 1, shadowOnly + 1));
  return Math.min(1, Math.exp(-logMixture));
}

/** The probability of at least `k` heads in `n` throws, for `k` above `n / 2`. */
function fairTail(n: number, k: number): number {
  let term = Math.exp(logChoose(n, k) - n * Math.LN2);
  let tail = 0;
  for (let i = k; i <= n && term > tail * 1e-16; i++) {
    tail += term;
    term *= (n - i) / (i + 1);
  }
  return tail;
}

/**
 * The one-sided p-value of Fisher's exact test: how likely, if both had the difference equally often,
 * the shadow would have at least as many of all that were seen as it has. From 0 to 1; small speaks for
 * a real difference.
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

/**
 * Which of the hypotheses with these p-values are rejected so that a false one is among them with at
 * most `alpha`.
 */
export function holm(ps: readonly number[], alpha: number): boolean[] {
  const rejected = ps.map(() => false);
  const order = ps.map((_, i) => i).sort((a, b) => ps[a] - ps[b]);
  for (const [rank, i] of order.entries()) {
    if (ps[i] > alpha / (ps.length - rank)) break;
    rejected[i] = true;
  }
  return rejected;
}

/**
 * Pairs by which the shadow exceeds the baseline at one place: the lower and the upper end, one-sided 95
 * % each.
 */
export interface Excess {
  readonly low: number;
  readonly high: number;
}

/** `pairedExcess` is the excess by triples, in pairs of `compared`. */
export function pairedExcess(
  shadowOnly: number,
  baselineOnly: number,
  triples: number,
  compared: number,
): Excess {
  const scale = triples === 0 ? 0 : compared / triples;
  return around((shadowOnly - baselineOnly) * scale, Math.sqrt(shadowOnly + baselineOnly) * scale);
}

/** `marginalExcess` is the excess by two frequencies, in pairs of the shadow's. */
export function marginalExcess(shadow: Frequency, baseline: Frequency): Excess {
  if (shadow.pairs === 0 || baseline.pairs === 0) return { low: 0, high: shadow.count };
  const [a, b] = [shadow.count / shadow.pairs, baseline.count / baseline.pairs];
  const variance = (a * (1 - a)) / shadow.pairs + (b * (1 - b)) / baseline.pairs;
  return around((a - b) * shadow.pairs, Math.sqrt(variance) * shadow.pairs);
}

function around(middle: number, deviation: number): Excess {
  return { low: Math.max(0, middle - z95 * deviation), high: Math.max(0, middle + z95 * deviation) };
}
