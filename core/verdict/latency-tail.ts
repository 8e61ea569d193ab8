/**
 * Are the slowest requests slower? Of the primary's latencies one in a hundred is above its p99. Where more
 * than that of the shadow's latencies are above (1 + d) times that p99, the shadow's own p99 is more than d
 * above it. So the interval of the difference of p99s is made of the thresholds at which the excess of the
 * shadow's share is above zero, or below it, for sure; the error of the excess comes from its scatter over
 * blocks of time. Only latencies of pairs count. Pure.
 */
import { blockError } from './block-mean.js';
import type { Block, Stretch } from './block-series.js';
import type { Interval } from './interval.js';
import { boundConfidence, type Looks, meanWidth, zeroConfidenceOf } from './looks.js';
import { isInMostBlocks } from './sign-test.js';
import { latencyScale } from './slot-counts.js';

const p99 = 0.99;

export interface Tail {
  readonly primaryP99Us: number;
  readonly shadowP99Us: number;
  /** Where the shadow's p99 lies, relative to the primary's. */
  readonly interval: Interval;
  /** The shadow has more latencies above the primary's p99 than equal versions would by chance. */
  readonly isAboveZero: boolean;
  /** Too few blocks for an error. */
  readonly hasFewBlocks: boolean;
  readonly pairs: number;
}

export function tailOf({ blocks, all: { primary, shadow } }: Stretch, looks: Looks): Tail {
  const pairs = primary.count;
  const primarySlot = primary.quantileSlot(p99);
  const shadowSlot = shadow.quantileSlot(p99);
  const atPrimary = above(blocks, 'primary', primarySlot);
  /** By how many of its widths the excess of the shadow's share above `slot` is above 0. */
  const excess = (slot: number, confidence: number): number => {
    const atShadow = above(blocks, 'shadow', slot);
    const total = atShadow.reduce((sum, count, i) => sum + count - atPrimary[i], 0);
    const moves = blocks.map(
      (block, i) => atShadow[i] - atPrimary[i] - (total * block.pairs.primary.count) / pairs,
    );
    const error = blockError(moves);
    if (error === null) return Number.NaN;
    if (error.standardError === 0) return total === 0 ? 0 : total * Number.POSITIVE_INFINITY;
    return total / (error.standardError * meanWidth(confidence, error.df, looks, pairs));
  };
  const overPrimary = above(blocks, 'shadow', primarySlot).map((count, i) => count - atPrimary[i]);
  const hasFewBlocks = pairs === 0 || blockError(blocks.map(() => 0)) === null;
  if (hasFewBlocks) {
    const interval = { low: -1, high: Number.POSITIVE_INFINITY };
    return {
      primaryP99Us: topOf(primarySlot),
      shadowP99Us: topOf(shadowSlot),
      interval,
      isAboveZero: false,
      hasFewBlocks,
      pairs,
    };
  }
  // The share above a slot falls as the slot rises, so the ends are found by halving.
  const lowest = lastWhere(0, latencyScale.slots, (slot) => excess(slot, boundConfidence) > 1);
  const highest = lastWhere(0, latencyScale.slots, (slot) => !(excess(slot, boundConfidence) < -1));
  return {
    primaryP99Us: topOf(primarySlot),
    shadowP99Us: topOf(shadowSlot),
    interval: {
      low: topOf(lowest) / topOf(primarySlot) - 1,
      high:
        highest >= latencyScale.slots - 1
          ? Number.POSITIVE_INFINITY
          : topOf(highest + 1) / topOf(primarySlot) - 1,
    },
    isAboveZero: excess(primarySlot, zeroConfidenceOf(looks)) > 1 || isInMostBlocks(overPrimary, looks),
    hasFewBlocks,
    pairs,
  };
}

function above(blocks: readonly Block[], side: 'primary' | 'shadow', slot: number): number[] {
  return blocks.map(({ pairs }) => pairs[side].countAbove(slot));
}

/**
 * The last slot from `first` on, below `end`, for which `holds`, which holds up to some slot; -1: for none.
 */
function lastWhere(first: number, end: number, holds: (slot: number) => boolean): number {
  let [from, to] = [first - 1, end];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (holds(middle)) from = middle;
    else to = middle;
  }
  return from;
}

/** The largest value of a slot, in microseconds. */
function topOf(slot: number): number {
  return slot < 0 ? 0 : latencyScale.topOf(slot);
}
