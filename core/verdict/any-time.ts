/**
 * Evidence that may be looked at as often as one likes. A test at 5 % that is repeated every second is wrong
 * far more often than in 5 % of cases; these two are wrong that often over all looks together. Pure. Sources:
 *
 *   - counts: betting against the hypothesis, pair by pair, with constant bets averaged over a grid; the
 *     capital is a test martingale and exceeds 1 / alpha with probability alpha at most, ever (Ville). I.
 *     Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", Journal of the
 *     Royal Statistical Society B 86 (2024);
 *   - means: the asymptotic confidence sequence of I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A.
 *     Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics
 *     52 (2024), in its one-sided form.
 */
import type { DiscordantPairs } from './paired-shares.js';

/** Shares of the capital that are bet, of the largest that can't lose all of it. */
const bets = [0.01, 0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.55, 0.7, 0.82, 0.9, 0.97];

/**
 * `logEvidenceAbove` returns the logarithm of the evidence that the excess of the shadow is above `delta`.
 */
export function logEvidenceAbove(counts: DiscordantPairs, delta: number): number {
  const { shadowOnly, primaryOnly, pairs, primaryWeight = 1 } = counts;
  const same = pairs - shadowOnly - primaryOnly;
  return logMean((share) => {
    const bet = share / (1 + delta);
    return (
      shadowOnly * Math.log1p(bet * (1 - delta)) +
      primaryOnly * Math.log1p(-bet * (primaryWeight + delta)) +
      same * Math.log1p(-bet * delta)
    );
  });
}

/**
 * `logEvidenceBelow` returns the logarithm of the evidence that the excess of the shadow is below `delta`.
 */
export function logEvidenceBelow(counts: DiscordantPairs, delta: number): number {
  const { shadowOnly, primaryOnly, pairs, primaryWeight = 1 } = counts;
  const same = pairs - shadowOnly - primaryOnly;
  return logMean((share) => {
    const bet = share / (1 - delta);
    return (
      shadowOnly * Math.log1p(-bet * (1 - delta)) +
      primaryOnly * Math.log1p(bet * (primaryWeight + delta)) +
      same * Math.log1p(bet * delta)
    );
  });
}

/**
 * `sequenceWidth` returns how many standard errors from the mean the end of a one-sided confidence sequence
 * is, where a fixed sample has the normal quantile. `growth` is how many times as much data there are as at
 * the first look.
 */
export function sequenceWidth(alpha: number, growth: number): number {
  return Math.sqrt(((2 * (growth + 1)) / growth) * Math.log1p(Math.sqrt(growth + 1) / (2 * alpha)));
}

function logMean(logOf: (share: number) => number): number {
  const logs = bets.map(logOf);
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / bets.length);
}
