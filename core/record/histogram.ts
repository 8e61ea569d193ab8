import type { HdrCounts } from './hdr-counts.js';
import { HIGHEST_US, highestInSlot, lowestInSlot, slotOf } from './hdr-layout.js';

/**
 * HDR counts at one moment, summed over threads, in plain memory. It keeps only the slots between the
 * smallest and the largest value, because a snapshot of many mirrors would otherwise take 136 KiB for each of
 * them.
 *
 * Everything but `sumUs` and `clamped` is computed from the counts that were read. So a histogram that is
 * read while threads record is consistent in itself: its percentiles belong to its `count`.
 */
export class Histogram {
  /** The number of values in `counts`. */
  readonly count: number;
  readonly sumUs: number;
  /** Exact over the life of a process. For an interval, the highest value of its last slot. 0 when empty. */
  readonly maxUs: number;
  readonly minUs: number;
  /** Values above the highest trackable one, which count as that one. */
  readonly clamped: number;
  readonly firstSlot: number;
  readonly counts: Float64Array;

  private constructor(
    firstSlot: number,
    counts: Float64Array,
    sumUs: number,
    minUs: number,
    maxUs: number,
    clamped: number,
  ) {
    let count = 0;
    let first = -1;
    let last = -1;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      if (first < 0) first = i;
      last = i;
      count += counts[i];
    }
    this.count = count;
    this.sumUs = sumUs;
    // The extremes may be older or newer than the counts, and those of an interval are unknown: the slots
    // bound them.
    this.minUs = count === 0 ? 0 : within(minUs, firstSlot + first);
    this.maxUs = count === 0 ? 0 : within(maxUs, firstSlot + last);
    this.clamped = clamped;
    this.firstSlot = firstSlot;
    this.counts = counts;
  }

  /** `read` returns the sum of blocks, one per thread. Any thread may call it. */
  static read(blocks: readonly HdrCounts[]): Histogram {
    let minUs = HIGHEST_US;
    let maxUs = 0;
    let sumUs = 0;
    let clamped = 0;
    let used = 0;
    for (const block of blocks) {
      if (block.count === 0) continue;
      used++;
      minUs = Math.min(minUs, block.minUs);
      maxUs = Math.max(maxUs, block.maxUs);
      sumUs += block.sumUs;
      clamped += block.clamped;
    }
    if (used === 0) return new Histogram(0, new Float64Array(0), 0, 0, 0, 0);
    const firstSlot = slotOf(minUs);
    const counts = new Float64Array(slotOf(maxUs) - firstSlot + 1);
    for (const block of blocks) block.addTo(counts, firstSlot);
    return new Histogram(firstSlot, counts, sumUs, minUs, maxUs, clamped);
  }

  /**
   * `ofSlots` makes a histogram of counts by slot where there are no blocks: from a log or another process.
   * Missing figures are estimated from the slots: the sum uses the middle of each slot, which makes the mean
   * right to a thousandth.
   */
  static ofSlots(
    counts: Float64Array,
    known: { sumUs?: number; minUs?: number; maxUs?: number; clamped?: number } = {},
    firstSlot = 0,
  ): Histogram {
    let sumUs = 0;
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue;
      sumUs += (counts[i] * (lowestInSlot(firstSlot + i) + highestInSlot(firstSlot + i))) / 2;
    }
    return new Histogram(
      firstSlot,
      counts,
      known.sumUs ?? sumUs,
      known.minUs ?? 0,
      known.maxUs ?? Number.POSITIVE_INFINITY,
      known.clamped ?? 0,
    );
  }

  /** `subtract` returns the values recorded since `earlier`, a histogram of the same blocks. */
  subtract(earlier: Histogram): Histogram {
    const counts = this.counts.slice();
    const shift = earlier.firstSlot - this.firstSlot;
    // A later histogram of the same blocks covers every slot of the earlier one.
    for (let i = 0; i < earlier.counts.length; i++) {
      if (earlier.counts[i] !== 0) counts[i + shift] -= earlier.counts[i];
    }
    return new Histogram(
      this.firstSlot,
      counts,
      this.sumUs - earlier.sumUs,
      this.minUs,
      this.maxUs,
      this.clamped - earlier.clamped,
    );
  }

  /** `add` returns the values of both. */
  add(other: Histogram): Histogram {
    if (other.count === 0) return this;
    if (this.count === 0) return other;
    const firstSlot = Math.min(this.firstSlot, other.firstSlot);
    const end = Math.max(this.firstSlot + this.counts.length, other.firstSlot + other.counts.length);
    const counts = new Float64Array(end - firstSlot);
    for (const one of [this, other]) {
      for (let i = 0; i < one.counts.length; i++) counts[one.firstSlot - firstSlot + i] += one.counts[i];
    }
    return new Histogram(
      firstSlot,
      counts,
      this.sumUs + other.sumUs,
      Math.min(this.minUs, other.minUs),
      Math.max(this.maxUs, other.maxUs),
      this.clamped + other.clamped,
    );
  }

  get meanUs(): number {
    return this.count === 0 ? 0 : this.sumUs / this.count;
  }

  /**
   * `percentileUs` returns the value that `percentile` per cent (above 0, up to 100) of the recorded values
   * do not exceed. As in HdrHistogram, that is the highest value of the slot, but never above the maximum. It
   * returns 0 when empty.
   */
  percentileUs(percentile: number): number {
    return this.valueAtRank(rankOf(percentile, this.count));
  }

  /** `valueAtRank` returns the `rank`-th smallest recorded value, counted from 1. */
  valueAtRank(rank: number): number {
    let seen = 0;
    for (let i = 0; i < this.counts.length; i++) {
      seen += this.counts[i];
      if (seen >= rank) return Math.min(highestInSlot(this.firstSlot + i), this.maxUs);
    }
    return this.maxUs;
  }

  /**
   * `cumulative` counts the values that do not exceed each of `boundsUs` (ascending), as the buckets of a
   * cumulative histogram do. The slot of a bound is counted whole, so a bound is accurate to a thousandth.
   */
  cumulative(boundsUs: readonly number[]): number[] {
    let slot = 0;
    let seen = 0;
    return boundsUs.map((boundUs) => {
      const end = slotOf(Math.min(boundUs, HIGHEST_US)) - this.firstSlot + 1;
      for (; slot < end && slot < this.counts.length; slot++) seen += this.counts[slot];
      return seen;
    });
  }

  /**
   * `forEachSlot` calls `visit` with the lowest value of every slot that is not empty, its count and the
   * slot.
   */
  forEachSlot(visit: (valueUs: number, count: number, slot: number) => void): void {
    this.counts.forEach((count, i) => {
      if (count > 0) visit(lowestInSlot(this.firstSlot + i), count, this.firstSlot + i);
    });
  }
}

/**
 * `signedPercentileUs` returns a percentile of values that were recorded by sign; `below` holds the
 * magnitudes of the negative ones. Ascending order runs from the largest of `below` through 0 to the largest
 * of `above`.
 */
export function signedPercentileUs(below: Histogram, above: Histogram, percentile: number): number {
  const rank = rankOf(percentile, below.count + above.count);
  if (rank > below.count) return above.valueAtRank(rank - below.count);
  return -below.valueAtRank(below.count - rank + 1);
}

/** `rankOf` returns the rank of a percentile, at least 1. */
function rankOf(percentile: number, count: number): number {
  const exact = (Math.min(percentile, 100) / 100) * count;
  // Rounding in the product must not raise an exact rank (99.9 % of 1000) to the next one.
  return Math.max(1, Math.ceil(exact - exact * Number.EPSILON * 2));
}

function within(valueUs: number, slot: number): number {
  return Math.max(lowestInSlot(slot), Math.min(highestInSlot(slot), valueUs));
}
