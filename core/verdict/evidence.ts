/**
 * What a verdict is made of: the pairs of each mirror, as the control thread keeps them and as readings carry
 * them.
 */
import { MirrorField } from '../record/mirror-counters.js';
import { type MirrorSnapshot, readMirror, subtractMirror, total } from '../record/snapshot.js';
import type { ObservedMirror } from '../report/observed.js';
import { isBaseline, type Reading } from '../report/reading.js';
import { type Block, BlockSeries } from './block-series.js';
import type { MirrorEvidence } from './judge.js';
import { pairsOf } from './pair-counts.js';

interface Known {
  before: MirrorSnapshot;
  readonly series: BlockSeries;
  /** The block that is being filled ends then. */
  dueMs: number;
}

/**
 * Pairs of one process, look by look. A look costs up to a millisecond for each mirror that has counted
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
      this.#mirrors.set(slot, { before: readMirror(counters), series: new BlockSeries(), dueMs: wallMs });
      return;
    }
    if (hasCounted(known.before, counters)) {
      const now = readMirror(counters);
      known.series.add(wallMs, pairsOf(subtractMirror(now, known.before)));
      known.before = now;
    }
    const { lengthMs } = known.series;
    known.dueMs = (Math.floor(wallMs / lengthMs) + 1) * lengthMs;
  }
}

/** Every change of a mirror's pairs begins or ends with one of these two counts. */
function hasCounted(before: MirrorSnapshot, counters: ObservedMirror['counters']): boolean {
  let [eligible, ended] = [0, 0];
  for (const one of counters) {
    eligible += one.get(MirrorField.eligible);
    ended += one.totalOf(MirrorField.pairs);
  }
  return eligible !== before.eligible || ended !== total(before.pairs);
}

/** The mirrors of a reading that can be judged: those that are switched on and send copies to a version. */
export function evidenceOf({ mirrors }: Reading): MirrorEvidence[] {
  return mirrors.flatMap((mirror): MirrorEvidence[] => {
    const { route, to, primary, enabled, isSink, blocks, endpoints } = mirror;
    if (!enabled || primary === null || isBaseline(mirror) || isSink) return [];
    const baseline = mirrors.find((one) => one.route === route && one.baselineOf === to);
    return [{ route, primary, shadow: to, blocks, baseline: baseline?.blocks ?? [], endpoints }];
  });
}
