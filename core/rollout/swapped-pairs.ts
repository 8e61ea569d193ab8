/**
 * Pairs in which the new version answered the client and the old one got the copy, turned round: as if the
 * new version were the shadow, so that the same checks say whether it is worse. Copies that the old version
 * did not take are nobody's errors here. umbra's own delay is left out, because it would only favour the new
 * version. Pure.
 */
import { HIGHEST_US } from '../record/hdr-layout.js';
import { RATIO_ONE } from '../record/mirror-counters.js';
import type { Block } from '../verdict/block-series.js';
import { noPairs, type PairCounts } from '../verdict/pair-counts.js';
import { ratioScale, SlotCounts } from '../verdict/slot-counts.js';

export function swappedBlocks(blocks: readonly Block[]): Block[] {
  return blocks.map(({ startMs, lengthMs, pairs }) => ({ startMs, lengthMs, pairs: swapped(pairs) }));
}

/** Blocks are judged again every second, and only the last one is new. */
const known = new WeakMap<PairCounts, PairCounts>();

function swapped(pairs: PairCounts): PairCounts {
  const before = known.get(pairs);
  if (before !== undefined) return before;
  const turned = {
    ...pairs,
    shadowErrors: pairs.primaryErrors,
    primaryErrors: pairs.shadowErrors,
    primary: pairs.shadow,
    shadow: pairs.primary,
    ratio: inverted(pairs.ratio),
    queue: SlotCounts.none,
    dropped: noPairs.dropped,
    failed: noPairs.failed,
  };
  known.set(pairs, turned);
  return turned;
}

function inverted(ratio: SlotCounts): SlotCounts {
  const counts = new Map<number, number>();
  ratio.forEach((slot, count) => {
    const value = Math.round(RATIO_ONE ** 2 / Math.max(1, ratioScale.middleOf(slot)));
    const to = ratioScale.slotOf(Math.min(value, HIGHEST_US));
    counts.set(to, (counts.get(to) ?? 0) + count);
  });
  const sorted = [...counts].sort(([a], [b]) => a - b);
  return new SlotCounts(
    Uint16Array.from(sorted, ([slot]) => slot),
    Float64Array.from(sorted, ([, count]) => count),
  );
}
