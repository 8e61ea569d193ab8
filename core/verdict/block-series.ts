/**
 * The counts of the pairs of one mirror, stretch by stretch, in bounded memory. A block's length is a power
 * of two of `unitMs`, and it begins at a multiple of its length by the wall clock, so blocks of several
 * processes cover the same stretches and can be added. When there are too many blocks, each two neighbours
 * become one. Pure.
 */
import { type PairCounts, sumPairs } from './pair-counts.js';

export interface Block {
  /** Wall clock, milliseconds: a multiple of `lengthMs`. */
  readonly startMs: number;
  readonly lengthMs: number;
  readonly pairs: PairCounts;
}

export const unitMs = 250;
/** Half as many are left after a merge: enough for an error, and few enough to be judged every second. */
const blocksMax = 60;

export class BlockSeries {
  /** Ascending, of one length; stretches in which nothing was counted have no block. */
  #blocks: readonly Block[] = [];

  get blocks(): readonly Block[] {
    return this.#blocks;
  }

  /** How long each block is. */
  get lengthMs(): number {
    return this.#blocks[0]?.lengthMs ?? unitMs;
  }

  /** Adds what was counted up to `endMs` since the last call. */
  add(endMs: number, pairs: PairCounts): void {
    const startMs = Math.floor((endMs - 1) / unitMs) * unitMs;
    this.#blocks = evenBlocks([...this.#blocks, { startMs, lengthMs: unitMs, pairs }]);
  }
}

/**
 * `evenBlocks` merges blocks into ones of one length, ascending: of `lengthMs`, or the longest that there is,
 * or twice that as often as there would be more than `blocksMax`.
 */
export function evenBlocks(blocks: readonly Block[], lengthMs = evenLength(blocks)): Block[] {
  const byStart = new Map<number, PairCounts[]>();
  for (const { startMs, pairs } of blocks) {
    const start = Math.floor(startMs / lengthMs) * lengthMs;
    const known = byStart.get(start);
    if (known === undefined) byStart.set(start, [pairs]);
    else known.push(pairs);
  }
  return [...byStart]
    .map(([startMs, all]) => ({ startMs, lengthMs, pairs: all.length === 1 ? all[0] : sumPairs(all) }))
    .sort((a, b) => a.startMs - b.startMs);
}

/** `fewerBlocks` merges blocks of one length until there are at most `max`. */
export function fewerBlocks(blocks: readonly Block[], max: number): readonly Block[] {
  let fewer = blocks;
  while (fewer.length > max) fewer = evenBlocks(fewer, 2 * fewer[0].lengthMs);
  return fewer;
}

/** `lastedMs` returns the time from the first block to the end of the last, in milliseconds. */
export function lastedMs(blocks: readonly Pick<Block, 'startMs' | 'lengthMs'>[]): number {
  const last = blocks[blocks.length - 1];
  return last === undefined ? 0 : last.startMs + last.lengthMs - blocks[0].startMs;
}

/** `evenLength` returns the length of at most `blocksMax` blocks, at least `leastMs`. */
export function evenLength(
  blocks: readonly Pick<Block, 'startMs' | 'lengthMs'>[],
  leastMs: number = unitMs,
): number {
  let lengthMs = blocks.reduce((most, block) => Math.max(most, block.lengthMs), leastMs);
  const starts = blocks.map(({ startMs }) => startMs);
  while (new Set(starts.map((startMs) => Math.floor(startMs / lengthMs))).size > blocksMax) lengthMs *= 2;
  return lengthMs;
}

/** Blocks of one length, and their sum. */
export interface Stretch {
  readonly blocks: readonly Block[];
  readonly all: PairCounts;
}

export function stretchOf(blocks: readonly Block[]): Stretch {
  return { blocks, all: sumPairs(blocks.map(({ pairs }) => pairs)) };
}
