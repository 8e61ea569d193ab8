/**
 * What a verdict is made of: the pairs of each mirror, as the control thread keeps them and as readings carry
 * them.
 */
import type { ObservedMirror } from '../report/observed.js';
import { isBaseline, type Reading } from '../report/reading.js';
import { type Block, BlockSeries } from './block-series.js';
import type { MirrorEvidence } from './judge.js';
import { PairReader } from './pair-reader.js';

interface Known {
  readonly reader: PairReader;
  readonly series: BlockSeries;
  /** The block that is being filled ends then. */
  dueMs: number;
}

/**
 * Pairs of one process, look by look. A look costs a tenth of a millisecond for each mirror that has counted
 * meanwhile, and a mirror is looked at only once a block, so the longer umbra runs the less often that is.
 */
export class PairHistory {
  readonly #mirrors = new Map<number, Known>();

  /** Counts what came in blocks that are over. The first look at a mirror is where its blocks begin. */
  look(mirrors: readonly ObservedMirror[], wallMs: number): void {
    for (const mirror of mirrors) {
      if (wallMs >= (this.#mirrors.get(mirror.slot)?.dueMs ?? 0)) this.#lookAt(mirror, wallMs);
    }
  }

  /** Returns the blocks of a mirror with all that has come by now. */
  blocksOf(mirror: ObservedMirror, wallMs: number): readonly Block[] {
    this.#lookAt(mirror, wallMs);
    return this.#mirrors.get(mirror.slot)?.series.blocks ?? [];
  }

  #lookAt({ slot, isSink, counters }: ObservedMirror, wallMs: number): void {
    if (isSink) return;
    const known = this.#mirrors.get(slot);
    if (known === undefined) {
      const reader = new PairReader();
      reader.read(counters);
      this.#mirrors.set(slot, { reader, series: new BlockSeries(), dueMs: wallMs });
      return;
    }
    if (known.reader.hasCounted(counters)) known.series.add(wallMs, known.reader.read(counters));
    const { lengthMs } = known.series;
    known.dueMs = (Math.floor(wallMs / lengthMs) + 1) * lengthMs;
  }
}

/** One object, by which a mirror is seen to be unchanged. */
const noBlocks: readonly Block[] = [];

/** The mirrors of a reading that can be judged: those that are switched on and send copies to a version. */
export function evidenceOf({ mirrors }: Reading): MirrorEvidence[] {
  return mirrors.flatMap((mirror): MirrorEvidence[] => {
    const { route, to, primary, enabled, isSink, blocks, endpoints } = mirror;
    if (!enabled || primary === null || isBaseline(mirror) || isSink) return [];
    const baseline = mirrors.find((one) => one.route === route && one.baselineOf === to);
    return [{ route, primary, shadow: to, blocks, baseline: baseline?.blocks ?? noBlocks, endpoints }];
  });
}
