import { HIGHEST_US, SLOTS } from '../record/hdr-layout.js';
import { Histogram } from '../record/histogram.js';

const END_MS = 0;
const SUM = 1;
const MAX = 2;
const CLAMPED = 3;
const HEAD_WORDS = 4;

/**
 * How far a series has been written to its log: everything recorded up to `endMs`. In shared memory that main
 * keeps, so that a control thread that takes over writes on where the dead one stopped, and no interval is
 * written twice or not at all. Control thread only.
 */
export class LogMark {
  static readonly bytes = (HEAD_WORDS + SLOTS) * Float64Array.BYTES_PER_ELEMENT;

  private readonly head: Float64Array;
  private readonly counts: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.head = new Float64Array(shared, 0, HEAD_WORDS);
    this.counts = new Float64Array(shared, this.head.byteLength, SLOTS);
  }

  /** Wall-clock time; 0 while nothing was ever written. */
  get endMs(): number {
    return this.head[END_MS];
  }

  /** What was written so far. */
  read(): Histogram {
    const [, sumUs, maxUs, clamped] = this.head;
    return Histogram.ofSlots(this.counts.slice(), { sumUs, maxUs: Math.min(maxUs, HIGHEST_US), clamped });
  }

  set(histogram: Histogram, endMs: number): void {
    this.counts.fill(0);
    this.counts.set(histogram.counts, histogram.firstSlot);
    this.head[SUM] = histogram.sumUs;
    this.head[MAX] = histogram.maxUs;
    this.head[CLAMPED] = histogram.clamped;
    this.head[END_MS] = endMs;
  }
}
