import { HIGHEST_US, SLOTS } from '../record/hdr-layout.js';
import { Histogram } from '../record/histogram.js';

const END_MS = 0;
const SUM = 1;
const MAX = 2;
const CLAMPED = 3;
const HEAD_WORDS = 4;

/**
 * How far a series was written to its log: everything recorded up to `endMs`. Main keeps it in shared memory,
 * so that a new control thread continues where the dead one stopped, and every interval is written exactly
 * once. Control thread only.
 */
export class LogMark {
  static readonly bytes = (HEAD_WORDS + SLOTS) * Float64Array.BYTES_PER_ELEMENT;

  private readonly head: Float64Array;
  private readonly counts: Float64Array;

  constructor(shared: SharedArrayBuffer) {
    this.head = new Float64Array(shared, 0, HEAD_WORDS);
    this.counts = new Float64Array(shared, this.head.byteLength, SLOTS);
  }

  /** Wall-clock time; 0 until something was written. */
  get endMs(): number {
    return this.head[END_MS];
  }

  /** `read` returns the values written so far. */
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
