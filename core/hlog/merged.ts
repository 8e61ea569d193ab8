/**
 * Intervals of any number of logs, added slot by slot. With equal shapes this loses nothing: the sum over all
 * intervals is the histogram that one recorder would have kept over the whole time.
 */
import { HIGHEST_US, SLOTS, slotOf } from '../record/hdr-layout.js';
import { Histogram } from '../record/histogram.js';
import type { LogInterval } from './log-parser.js';
import { type HdrShape, highestIn, lowestIn, sameShape, slotFor, umbraShape } from './shape.js';

/** Values per millisecond by unit, which identify the unit of other tools' logs. */
const unitsPerMs = [
  { unit: 'nanoseconds', perMs: 1e6 },
  { unit: 'microseconds', perMs: 1e3 },
  { unit: 'milliseconds', perMs: 1 },
] as const;
export type Unit = (typeof unitsPerMs)[number]['unit'];

export class MergedLog {
  intervals = 0;
  count = 0;
  startS = Number.POSITIVE_INFINITY;
  endS = 0;
  /** The largest `Interval_Max`, in milliseconds. */
  maxMs = 0;
  /**
   * Intervals with another shape than that of the result. Their values were counted by the lowest value of
   * their slots.
   */
  reshaped = 0;
  private readonly counts = new Map<number, number>();

  /** `shape` is the shape of the result; null takes that of the first interval. */
  constructor(private shape: HdrShape | null = null) {}

  add({ counts, startS, lengthS, maxMs }: LogInterval): void {
    this.shape ??= counts.shape;
    const { shape } = this;
    const same = sameShape(shape, counts.shape);
    if (!same) this.reshaped++;
    counts.slots.forEach((slot, i) => {
      const into = same ? slot : slotFor(shape, lowestIn(counts.shape, slot));
      this.counts.set(into, (this.counts.get(into) ?? 0) + counts.counts[i]);
      this.count += counts.counts[i];
    });
    this.intervals++;
    this.startS = Math.min(this.startS, startS);
    this.endS = Math.max(this.endS, startS + lengthS);
    this.maxMs = Math.max(this.maxMs, maxMs);
  }

  /**
   * `percentile` returns the highest value of the slot that holds the percentile, in the log's own unit; 0
   * when empty.
   */
  percentile(percentile: number): number {
    const rank = Math.max(1, Math.ceil((percentile / 100) * this.count * (1 - 2 * Number.EPSILON)));
    let seen = 0;
    for (const slot of this.slots()) {
      seen += this.counts.get(slot)!;
      if (seen >= rank) return highestIn(this.shape!, slot);
    }
    return 0;
  }

  /**
   * `unit` infers the unit of the values, which the format does not state. `Interval_Max` is in milliseconds
   * by convention, and the largest value is not. Microseconds when that is ambiguous.
   */
  unit(): Unit {
    const slots = this.slots();
    if (slots.length === 0 || this.maxMs === 0) return 'microseconds';
    const ratio = highestIn(this.shape!, slots[slots.length - 1]) / this.maxMs;
    const nearest = unitsPerMs.map(({ unit, perMs }) => ({ unit, off: Math.abs(Math.log(ratio / perMs)) }));
    return nearest.reduce((best, one) => (one.off < best.off ? one : best)).unit;
  }

  /**
   * `histogram` returns the values in umbra's shape: exact if the log has that shape and microseconds, else
   * by value.
   */
  histogram(): Histogram {
    const unit = this.unit();
    const perUs = unitsPerMs.find((known) => known.unit === unit)!.perMs / 1e3;
    const exact = perUs === 1 && this.shape !== null && sameShape(this.shape, umbraShape);
    const into = new Float64Array(SLOTS);
    let clamped = 0;
    for (const slot of this.slots()) {
      const count = this.counts.get(slot)!;
      // A percentile is reported as the highest value of its slot, as everywhere.
      const us = Math.round((exact ? lowestIn : highestIn)(this.shape!, slot) / perUs);
      if (us > HIGHEST_US) clamped += count;
      into[exact ? Math.min(slot, SLOTS - 1) : slotOf(Math.min(us, HIGHEST_US))] += count;
    }
    return Histogram.ofSlots(into, { maxUs: Math.round(this.maxMs * 1e3), clamped });
  }

  private slots(): number[] {
    return [...this.counts.keys()].sort((a, b) => a - b);
  }
}
