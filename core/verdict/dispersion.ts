/**
 * How much more than independent pairs counts vary from block to block: Pearson's statistic over its degrees
 * of freedom, at the coarseness of time at which it is largest. 1 where it is not above what independent
 * pairs show in a thousandth of cases. Source: P. McCullagh, J. A. Nelder, "Generalized Linear Models" (2nd
 * edition, 1989), section 4.5. Pure.
 */
import { blocksMin, inPairs } from './block-mean.js';
import { type DiscordantPairs, excessOf } from './paired-shares.js';

export interface Dispersion {
  readonly dispersion: number;
  readonly df: number;
}

const significantZ = 3.5;
export const independent: Dispersion = { dispersion: 1, df: Number.POSITIVE_INFINITY };

export function dispersionOf(blocks: readonly DiscordantPairs[]): Dispersion {
  const sum = (of: (block: DiscordantPairs) => number): number =>
    blocks.reduce((all, one) => all + of(one), 0);
  const all = sum((block) => block.pairs);
  const discordant = sum(
    ({ shadowOnly, primaryOnly, primaryWeight = 1 }) => shadowOnly + primaryOnly * primaryWeight ** 2,
  );
  const share = sum(excessOf) / all;
  const variance = discordant / all;
  const even = evenGroups(blocks, Math.max(blocksMin, Math.round(discordant)));
  let excess = even.map(excessOf);
  let pairs = even.map((block) => block.pairs);
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

/**
 * `evenGroups` merges neighbours into about `count` groups of as many pairs each. The statistic is unreliable
 * where less than one discordant pair is expected: one that falls into a block with few pairs would look like
 * a burst. Returns `blocks` where their pairs are so uneven that too few groups are left.
 */
function evenGroups(blocks: readonly DiscordantPairs[], count: number): readonly DiscordantPairs[] {
  if (blocks.length <= count) return blocks;
  const pairsMin = blocks.reduce((all, { pairs }) => all + pairs, 0) / count;
  const groups: DiscordantPairs[] = [];
  let group = noPairs;
  let seen = 0;
  for (const { shadowOnly, primaryOnly, pairs, primaryWeight } of blocks) {
    group = {
      ...(primaryWeight === undefined ? {} : { primaryWeight }),
      shadowOnly: group.shadowOnly + shadowOnly,
      primaryOnly: group.primaryOnly + primaryOnly,
      pairs: group.pairs + pairs,
    };
    seen += pairs;
    if (seen < pairsMin * (groups.length + 1) - pairs / 2) continue;
    groups.push(group);
    group = noPairs;
  }
  if (group.pairs > 0) groups.push(group);
  return groups.length < blocksMin ? blocks : groups;
}

const noPairs: DiscordantPairs = { shadowOnly: 0, primaryOnly: 0, pairs: 0 };
