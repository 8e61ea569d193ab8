/**
 * How much more than independent pairs counts vary from block to block: Pearson's statistic over its degrees
 * of freedom, at the coarseness of time at which it is largest. 1 where it is not above what independent
 * pairs show in a thousandth of cases. Source: P. McCullagh, J. A. Nelder, "Generalized Linear Models" (2nd
 * edition, 1989), section 4.5. Pure.
 */
import { blocksMin, inPairs } from './block-mean.js';
import type { DiscordantPairs } from './paired-shares.js';

export interface Dispersion {
  readonly dispersion: number;
  readonly df: number;
}

const significantZ = 3.5;
export const independent: Dispersion = { dispersion: 1, df: Number.POSITIVE_INFINITY };

export function dispersionOf(blocks: readonly DiscordantPairs[]): Dispersion {
  let excess = blocks.map(({ shadowOnly, primaryOnly }) => shadowOnly - primaryOnly);
  let pairs = blocks.map((block) => block.pairs);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const all = sum(pairs);
  const share = sum(excess) / all;
  const variance = sum(blocks.map(({ shadowOnly, primaryOnly }) => shadowOnly + primaryOnly)) / all;
  let most = independent;
  if (!(variance > 0)) return most;
  for (; excess.length >= blocksMin; excess = inPairs(excess), pairs = inPairs(pairs)) {
    const df = excess.length - 1;
    let pearson = 0;
    for (let i = 0; i < excess.length; i++) {
      if (pairs[i] > 0) pearson += (excess[i] - share * pairs[i]) ** 2 / (variance * pairs[i]);
    }
    const dispersion = pearson / df;
    const isSignificant = dispersion > 1 + significantZ * Math.sqrt(2 / df);
    if (isSignificant && dispersion > most.dispersion) most = { dispersion, df };
  }
  return most;
}
