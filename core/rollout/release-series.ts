/**
 * The counts of two versions, stretch by stretch, in bounded memory, as core/verdict/block-series keeps
 * pairs: a block's length is a power of two of `unitMs`, and it begins at a multiple of its length by the
 * wall clock, so blocks of several instances cover the same stretches. Pure.
 */
import { evenLength, unitMs } from '../verdict/block-series.js';
import { type ReleaseCounts, sumReleases } from './release-counts.js';

export interface ReleaseBlock {
  /** Wall clock, milliseconds: a multiple of `lengthMs`. */
  readonly startMs: number;
  readonly lengthMs: number;
  readonly counts: ReleaseCounts;
}

export class ReleaseSeries {
  #blocks: readonly ReleaseBlock[] = [];

  get blocks(): readonly ReleaseBlock[] {
    return this.#blocks;
  }

  /** Adds what was counted up to `endMs` since the last call. */
  add(endMs: number, counts: ReleaseCounts): void {
    if (counts.old.ended === 0 && counts.fresh.ended === 0) return;
    const startMs = Math.floor((endMs - 1) / unitMs) * unitMs;
    this.#blocks = evenReleases([...this.#blocks, { startMs, lengthMs: unitMs, counts }]);
  }
}

/** `evenReleases` merges blocks, also those of several instances, into ones of one length, ascending. */
export function evenReleases(
  blocks: readonly ReleaseBlock[],
  lengthMs: number = evenLength(blocks),
): ReleaseBlock[] {
  const byStart = new Map<number, ReleaseCounts[]>();
  for (const { startMs, counts } of blocks) {
    const start = Math.floor(startMs / lengthMs) * lengthMs;
    const known = byStart.get(start);
    if (known === undefined) byStart.set(start, [counts]);
    else known.push(counts);
  }
  return [...byStart]
    .map(([startMs, all]) => ({ startMs, lengthMs, counts: all.length === 1 ? all[0] : sumReleases(all) }))
    .sort((a, b) => a.startMs - b.startMs);
}
