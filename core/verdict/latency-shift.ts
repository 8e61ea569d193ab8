/**
 * Are requests slower in general? Each pair has a ratio of two latencies, so what both versions share (the
 * request, the moment) is not in it. The error of the ratios' middle comes from its scatter over blocks of
 * time. Pure.
 */

import { RATIO_ONE } from '../record/mirror-counters.js';
import { type BlockError, blockError } from './block-mean.js';
import type { Stretch } from './block-series.js';
import { biweight, type Estimator, trimmedMean } from './location.js';
import { DenseCounts, latencyScale, ratioScale, type SlotCounts } from './slot-counts.js';

export interface Shift {
  /** The logarithm of the ratio: 0 is equal, above 0 the shadow is slower. NaN without pairs. */
  readonly log: number;
  /** Null where there are too few blocks. */
  readonly error: BlockError | null;
}

export const estimators: readonly Estimator[] = [trimmedMean, biweight];

/**
 * `shiftOf` estimates the shift of a shadow. `baseline`: the same time, in which the shadow was the primary's
 * own version, whose shift is subtracted: it waits for a thread as the shadow does. Empty: there is none.
 */
export function shiftOf(time: Stretch, baseline: Stretch | null, estimator: Estimator): Shift {
  const shadow = movesOf(time, estimator);
  if (baseline === null) return { log: shadow.log, error: blockError([...shadow.moves.values()]) };
  const own = movesOf(baseline, estimator);
  const starts = [...new Set([...shadow.moves.keys(), ...own.moves.keys()])].sort((a, b) => a - b);
  const moves = starts.map((start) => (shadow.moves.get(start) ?? 0) - (own.moves.get(start) ?? 0));
  return { log: shadow.log - own.log, error: blockError(moves) };
}

/** Quantiles of a distribution that stand for it. */
const gridSteps = 64;

/**
 * `delayShift` is the shift that umbra's own delay alone may show: of latencies that are the primary's, each
 * with a delay that the slower half of the copies had in the ring. On an idle machine that is their median.
 * On a full one it is far more, because who waits for a processor to send also waits to read, and to answer.
 */
export function delayShift({ all: { primary, queue } }: Stretch, estimator: Estimator): number {
  if (primary.count === 0 || queue.count === 0) return 0;
  const [latencies, delays] = [gridOf(primary, 0), gridOf(queue, 0.5)];
  const ratios = new DenseCounts(ratioScale);
  for (const latencyUs of latencies)
    for (const delayUs of delays) ratios.record(Math.round((1 + delayUs / latencyUs) * RATIO_ONE));
  return Math.expm1(estimator(ratios.read()).log);
}

/** Quantiles from the share `from` on. */
function gridOf(counts: SlotCounts, from: number): number[] {
  return Array.from({ length: gridSteps }, (_, i) =>
    Math.max(1, counts.quantileUs(from + ((1 - from) * (i + 0.5)) / gridSteps, latencyScale)),
  );
}

/** The estimate of all blocks, and how much each moves it, by the block's start. */
function movesOf(
  { blocks, all: { ratio } }: Stretch,
  estimator: Estimator,
): { readonly log: number; readonly moves: ReadonlyMap<number, number> } {
  const moves = new Map<number, number>();
  if (ratio.count === 0) return { log: Number.NaN, moves };
  const { log, influence } = estimator(ratio);
  for (const { startMs, pairs } of blocks) {
    if (pairs.ratio.count === 0) continue;
    let move = 0;
    pairs.ratio.forEach((slot, count) => {
      move += count * influence[slot];
    });
    moves.set(startMs, move / ratio.count);
  }
  return { log, moves };
}
