/**
 * Reads the counts of the pairs of one mirror since the last look, straight from its counters: a snapshot of
 * all of them would cost several times as much, and a verdict needs only these.
 */
import { dropReasons, failureReasons } from '../errors.js';
import type { Field } from '../record/counter-table.js';
import type { HdrCounts } from '../record/hdr-counts.js';
import {
  type MirrorCounters,
  MirrorField,
  pairOutcomes,
  unexaminedReasons,
} from '../record/mirror-counters.js';
import type { PairCounts } from './pair-counts.js';
import { latencyScale, ratioScale, type Scale, SlotCounts } from './slot-counts.js';

export class PairReader {
  readonly #ratio = new SlotReader(ratioScale);
  readonly #primary = new SlotReader(latencyScale);
  readonly #shadow = new SlotReader(latencyScale);
  readonly #queue = new SlotReader(latencyScale);
  /** The last sums, by field. */
  readonly #before = new Map<number, number>();

  /** Whether a pair has begun or ended since the last `read`. Costs a few loads. */
  hasCounted(counters: readonly MirrorCounters[]): boolean {
    if (sumOf(counters, MirrorField.eligible) !== this.#last(MirrorField.eligible)) return true;
    return pairOutcomes.some(
      (_, i) => sumOf(counters, MirrorField.pairs + i) !== this.#last(MirrorField.pairs + i),
    );
  }

  /** What was counted since the last call; the first one returns everything. */
  read(counters: readonly MirrorCounters[]): PairCounts {
    const take = (field: number): number => {
      const now = sumOf(counters, field);
      const grown = now - this.#last(field);
      this.#before.set(field, now);
      return grown;
    };
    const takeEach = (field: number, reasons: readonly string[]): number[] =>
      reasons.map((_, i) => take(field + i));
    const [bothOk, shadowErrors, primaryErrors, bothErrors] = takeEach(MirrorField.pairs, pairOutcomes);
    return {
      bothOk,
      shadowErrors,
      primaryErrors,
      bothErrors,
      different: take(MirrorField.okDifferent),
      statusDifferent: take(MirrorField.okStatusDifferent),
      eligible: take(MirrorField.eligible),
      sampled: take(MirrorField.sampled),
      examined: take(MirrorField.handedToAnalysts),
      dropped: takeEach(MirrorField.dropped, dropReasons),
      failed: takeEach(MirrorField.failed, failureReasons),
      unexamined: takeEach(MirrorField.unexamined, unexaminedReasons),
      ratio: this.#ratio.read(counters.map((one) => one.ratio)),
      primary: this.#primary.read(counters.map((one) => one.pairedPrimary)),
      shadow: this.#shadow.read(counters.map((one) => one.pairedShadow)),
      queue: this.#queue.read(counters.map((one) => one.queue)),
    };
  }

  #last(field: number): number {
    return this.#before.get(field) ?? 0;
  }
}

function sumOf(counters: readonly MirrorCounters[], field: number): number {
  let sum = 0;
  for (const one of counters) sum += one.get(field as Field<'counter'>);
  return sum;
}

/** One histogram, in the steps of a scale. */
export class SlotReader {
  readonly #scale: Scale;
  #now: Float64Array;
  #before: Float64Array;

  constructor(scale: Scale) {
    this.#scale = scale;
    this.#now = new Float64Array(scale.slots);
    this.#before = new Float64Array(scale.slots);
  }

  read(blocks: readonly HdrCounts[]): SlotCounts {
    const [now, before] = [this.#now, this.#before];
    now.fill(0);
    for (const block of blocks)
      block.forEachSlot((hdrSlot, count) => {
        now[this.#scale.slotOfHdr(hdrSlot)] += count;
      });
    const slots: number[] = [];
    for (let slot = 0; slot < now.length; slot++) if (now[slot] > before[slot]) slots.push(slot);
    [this.#now, this.#before] = [before, now];
    return slots.length === 0
      ? SlotCounts.none
      : new SlotCounts(
          Uint16Array.from(slots),
          Float64Array.from(slots, (slot) => now[slot] - before[slot]),
        );
  }
}
