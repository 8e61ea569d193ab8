/**
 * Counts of positive values in steps of equal ratio, without the empty ones: what a block of time keeps of an
 * HDR histogram. An octave above `steps` has so many slots of equal width; below it every integer has its
 * own. Pure.
 */
import { HIGHEST_US, lowestInSlot, SLOTS } from '../record/hdr-layout.js';
import type { Histogram } from '../record/histogram.js';

/** How finely an octave is divided: a power of two. */
export class Scale {
  readonly slots: number;
  /** By HDR slot. */
  readonly #slotOf = new Uint16Array(SLOTS);
  /** By slot: the largest value that it counts. */
  readonly #tops: Float64Array;

  constructor(readonly steps: number) {
    for (let i = 0; i < SLOTS; i++) this.#slotOf[i] = this.slotOf(lowestInSlot(i));
    this.slots = this.slotOf(HIGHEST_US) + 1;
    this.#tops = Float64Array.from({ length: this.slots }, (_, slot) => {
      const width = this.#widthOf(slot);
      return (slot - Math.log2(width) * steps + 1) * width - 1;
    });
  }

  /** Returns the slot of an integer from 0 to `HIGHEST_US`. */
  slotOf(value: number): number {
    const shift = this.#shiftOf(value);
    return shift * this.steps + (value >>> shift);
  }

  /** Returns the middle of the values that are counted in `slot`. */
  middleOf(slot: number): number {
    return (this.#tops[slot] + (slot === 0 ? 0 : this.#tops[slot - 1] + 1)) / 2;
  }

  /** Returns the largest value that is counted in `slot`. */
  topOf(slot: number): number {
    return this.#tops[slot];
  }

  #widthOf(slot: number): number {
    return slot < 2 * this.steps ? 1 : 2 ** (Math.floor(slot / this.steps) - 1);
  }

  /** Returns the slot that an HDR slot lies in. */
  slotOfHdr(hdrSlot: number): number {
    return this.#slotOf[hdrSlot];
  }

  #shiftOf(value: number): number {
    return Math.max(0, 32 - Math.clz32(value) - Math.log2(2 * this.steps));
  }
}

/** Latencies in steps of 1.1 to 1.6 %. */
export const latencyScale = new Scale(64);
/** Ratios of two latencies in steps of half a percent around 1 (core/record/mirror-counters). */
export const ratioScale = new Scale(128);

const slotsMax = Math.max(latencyScale.slots, ratioScale.slots);
/** Zeroes between two sums. */
const scratch = new Float64Array(slotsMax);

export class SlotCounts {
  static readonly none = new SlotCounts(new Uint16Array(0), new Float64Array(0));
  /** The sum over all slots. */
  readonly count: number;

  /** `slots` ascends; `counts` has an entry for each. */
  constructor(
    readonly slots: Uint16Array,
    readonly counts: Float64Array,
  ) {
    let count = 0;
    for (let i = 0; i < counts.length; i++) count += counts[i];
    this.count = count;
  }

  static of(histogram: Histogram, scale: Scale): SlotCounts {
    const slots: number[] = [];
    const counts: number[] = [];
    histogram.forEachSlot((_, count, hdrSlot) => {
      const slot = scale.slotOfHdr(hdrSlot);
      if (slots[slots.length - 1] === slot) counts[counts.length - 1] += count;
      else {
        slots.push(slot);
        counts.push(count);
      }
    });
    return slots.length === 0
      ? SlotCounts.none
      : new SlotCounts(Uint16Array.from(slots), Float64Array.from(counts));
  }

  /** Returns all slots as text: gap and count of each as LEB128 numbers, in Base64. */
  encode(): string {
    const bytes: number[] = [];
    const put = (value: number): void => {
      let rest = value;
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
      bytes.push(rest);
    };
    let next = 0;
    this.forEach((slot, count) => {
      put(slot - next);
      put(count);
      next = slot + 1;
    });
    return Buffer.from(bytes).toString('base64');
  }

  /** Throws an Error of a few words where `text` is not what `encode` returns. */
  static decode(text: string): SlotCounts {
    const bytes = Buffer.from(text, 'base64');
    let at = 0;
    const take = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 0x80) {
        if (at === bytes.length || scale > 2 ** 49) throw new Error('counts of a block are cut short');
        const byte = bytes[at++];
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    const slots: number[] = [];
    const counts: number[] = [];
    for (let next = 0; at < bytes.length; next++) {
      next += take();
      if (next >= slotsMax) throw new Error('counts of a block have more slots than there are');
      slots.push(next);
      counts.push(take());
    }
    return new SlotCounts(Uint16Array.from(slots), Float64Array.from(counts));
  }

  /** Calls `visit` with every slot and its count, ascending. */
  forEach(visit: (slot: number, count: number) => void): void {
    for (let i = 0; i < this.slots.length; i++) visit(this.slots[i], this.counts[i]);
  }

  /** The sum of many, which is cheaper than adding one after the other. */
  static sum(all: readonly SlotCounts[]): SlotCounts {
    const dense = scratch;
    let end = 0;
    for (const one of all) {
      for (let i = 0; i < one.slots.length; i++) dense[one.slots[i]] += one.counts[i];
      if (one.slots.length > 0) end = Math.max(end, one.slots[one.slots.length - 1] + 1);
    }
    const slots: number[] = [];
    for (let slot = 0; slot < end; slot++) if (dense[slot] > 0) slots.push(slot);
    const counts = new Float64Array(slots.length);
    for (let i = 0; i < slots.length; i++) counts[i] = dense[slots[i]];
    dense.fill(0, 0, end);
    return new SlotCounts(Uint16Array.from(slots), counts);
  }

  add(other: SlotCounts): SlotCounts {
    if (this.slots.length === 0) return other;
    return other.slots.length === 0 ? this : SlotCounts.sum([this, other]);
  }

  /** `other` is part of these counts. */
  subtract(other: SlotCounts): SlotCounts {
    const left = new Map<number, number>();
    this.forEach((slot, count) => {
      left.set(slot, count);
    });
    other.forEach((slot, count) => {
      left.set(slot, Math.max(0, (left.get(slot) ?? 0) - count));
    });
    const kept = [...left].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
    return new SlotCounts(
      Uint16Array.from(kept, ([slot]) => slot),
      Float64Array.from(kept, ([, count]) => count),
    );
  }

  /** Returns the slot that holds the `share` (0 to 1) smallest values; -1 where there are none. */
  quantileSlot(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let i = 0; i < this.slots.length; i++) {
      seen += this.counts[i];
      if (seen >= rank) return this.slots[i];
    }
    return -1;
  }

  /**
   * Returns the value that the `share` smallest values do not exceed, as the top of its slot; 0 where there
   * are none.
   */
  quantileUs(share: number, scale: Scale): number {
    const slot = this.quantileSlot(share);
    return slot < 0 ? 0 : scale.topOf(slot);
  }

  /** Returns how many values lie in slots above `slot`. */
  countAbove(slot: number): number {
    let above = 0;
    for (let i = this.slots.length - 1; i >= 0 && this.slots[i] > slot; i--) above += this.counts[i];
    return above;
  }

  /** Returns the mean of all values; NaN where there are none. */
  mean(scale: Scale): number {
    let sum = 0;
    this.forEach((slot, count) => {
      sum += count * scale.middleOf(slot);
    });
    return sum / this.count;
  }
}

/** Counts by slot while they grow. */
export class DenseCounts {
  readonly #counts: Uint32Array;

  constructor(readonly scale: Scale) {
    this.#counts = new Uint32Array(scale.slots);
  }

  /** `value`: an integer from 0 on; larger ones than `HIGHEST_US` count as that. */
  record(value: number): void {
    this.#counts[this.scale.slotOf(Math.min(HIGHEST_US, value))]++;
  }

  addTo(other: DenseCounts): void {
    for (let slot = 0; slot < this.scale.slots; slot++) other.#counts[slot] += this.#counts[slot];
  }

  read(): SlotCounts {
    const slots: number[] = [];
    for (let slot = 0; slot < this.scale.slots; slot++) if (this.#counts[slot] > 0) slots.push(slot);
    return slots.length === 0
      ? SlotCounts.none
      : new SlotCounts(
          Uint16Array.from(slots),
          Float64Array.from(slots, (slot) => this.#counts[slot]),
        );
  }
}
