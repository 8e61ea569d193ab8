import { HIGHEST_US, SLOTS, slotOf } from './hdr-layout.js';

/** Head of a block, in 8-byte words; the counts follow it. */
const COUNT = 0;
const SUM = 1;
const MAX = 2;
const MIN = 3;
const CLAMPED = 4;
const HEAD_WORDS = 8;

/**
 * HDR counts in shared memory. One thread writes, and any thread may read at any time.
 *
 * Counts are 64-bit floats. They are exact up to 2^53 without a wrap, and V8 loads and stores an aligned one
 * with a single instruction on the 64-bit machines that Node supports, so a reader never sees half a value.
 * Nothing is atomic beyond that: a reader may see a count before the sum that belongs to it, and only a block
 * at rest adds up. A block takes 136 KiB of address space, but pages that no value has reached stay
 * uncommitted.
 *
 * 32-bit counts were rejected: they halve the block, but wrap within a day at 50,000 requests a second.
 */
export class HdrCounts {
  static readonly bytes = (HEAD_WORDS + SLOTS) * Float64Array.BYTES_PER_ELEMENT;

  private readonly head: Float64Array;
  private readonly counts: Float64Array;

  /** `byteOffset` is a multiple of 8; the block is `HdrCounts.bytes` long and starts as zeros. */
  constructor(shared: SharedArrayBuffer, byteOffset: number) {
    this.head = new Float64Array(shared, byteOffset, HEAD_WORDS);
    this.counts = new Float64Array(shared, byteOffset + this.head.byteLength, SLOTS);
  }

  /**
   * `record` counts one value in microseconds, rounded to an integer. A value below 0 counts as 0. A value
   * above the highest (or NaN, which only a bug can cause) counts as the highest and as clamped. Only the
   * writer's thread may call it; it allocates nothing.
   */
  record(valueUs: number): void {
    const head = this.head;
    let us = HIGHEST_US;
    if (valueUs <= HIGHEST_US) us = valueUs > 0 ? (valueUs + 0.5) | 0 : 0;
    else head[CLAMPED]++;
    this.counts[slotOf(us)]++;
    if (us > head[MAX]) head[MAX] = us;
    if (us < head[MIN] || head[COUNT] === 0) head[MIN] = us;
    head[SUM] += us;
    head[COUNT]++;
  }

  /** Values recorded. */
  get count(): number {
    return this.head[COUNT];
  }

  /** The sum of all recorded values, as rounded and clamped, in microseconds. */
  get sumUs(): number {
    return this.head[SUM];
  }

  /** Exact, unlike a maximum from the counts; 0 while nothing is recorded. */
  get maxUs(): number {
    return this.head[MAX];
  }

  /** Exact; 0 while nothing is recorded. */
  get minUs(): number {
    return this.head[MIN];
  }

  /** Values above the highest. */
  get clamped(): number {
    return this.head[CLAMPED];
  }

  /** `addTo` adds the counts of the slots from `firstSlot` on to `into`, for as many slots as `into` has. */
  addTo(into: Float64Array, firstSlot: number): void {
    const counts = this.counts;
    for (let i = 0; i < into.length; i++) into[i] += counts[firstSlot + i];
  }

  /** Calls `visit` with every slot that is not empty and its count, ascending. */
  forEachSlot(visit: (slot: number, count: number) => void): void {
    const { head, counts } = this;
    if (head[COUNT] === 0) return;
    const last = slotOf(head[MAX]);
    for (let slot = slotOf(head[MIN]); slot <= last; slot++) if (counts[slot] > 0) visit(slot, counts[slot]);
  }
}
