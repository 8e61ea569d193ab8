import type { CounterTable, Field } from './counter-table.js';
import { HdrCounts } from './hdr-counts.js';
import { sharedBlock } from './shared-block.js';

/**
 * The counters of one table for one thread, in shared memory. Only that thread writes; any thread may read.
 * The block outlives the thread, and a restarted thread continues counting in it. Main writes between a
 * thread's lives.
 *
 * Words are 64-bit floats for the reasons given at HdrCounts: they do not wrap, and a reader never sees half
 * a value.
 */
export class CounterBlock {
  protected readonly words: Float64Array;
  readonly #hdrs: readonly HdrCounts[];
  readonly #table: CounterTable;

  protected static shared(table: CounterTable): SharedArrayBuffer {
    return sharedBlock(table.bytes);
  }

  constructor(shared: SharedArrayBuffer, table: CounterTable) {
    const { words, hdrs } = table;
    this.words = new Float64Array(shared, 0, words);
    this.#hdrs = Array.from(
      { length: hdrs },
      (_, i) => new HdrCounts(shared, words * Float64Array.BYTES_PER_ELEMENT + i * HdrCounts.bytes),
    );
    this.#table = table;
  }

  /** `add` changes a counter by a value that is not negative, or a gauge by a value of either sign. */
  add(field: Field<'counter' | 'gauge'>, change = 1): void {
    this.words[field] += change;
  }

  /**
   * `set` is for gauges whose value the thread reads elsewhere, and for counters that another component
   * counts.
   */
  set(field: Field<'counter' | 'gauge'>, value: number): void {
    this.words[field] = value;
  }

  /** `reason` is an index of the row's list of reasons. */
  addReason(field: Field<'reasons'>, reason: number, count = 1): void {
    this.words[field + reason] += count;
  }

  /** `setHighest` stores a value; null stands for an unknown value. */
  setHighest(field: Field<'highest'>, value: number | null): void {
    this.words[field] = value === null ? 0 : value + 1;
  }

  hdr(field: Field<'hdr'>): HdrCounts {
    return this.#hdrs[field];
  }

  get(field: Field<'counter' | 'gauge'>): number {
    return this.words[field];
  }

  /** `wordAt` returns the word at `index`, for readers that follow the table. */
  wordAt(index: number): number {
    return this.words[index];
  }

  hdrAt(index: number): HdrCounts {
    return this.#hdrs[index];
  }

  /** `totalOf` returns the sum over all reasons. */
  totalOf(field: Field<'reasons'>): number {
    const { reasons } = this.#table.rows.find((row) => row.kind === 'reasons' && row.index === field)!;
    return sumOf(this.words, field, reasons.length);
  }

  /**
   * `resetGauges` clears the gauges of a writer that died. Only the thread that takes over as the writer
   * calls it.
   */
  resetGauges(): void {
    for (const { kind, index } of this.#table.rows) {
      if (kind === 'gauge' || kind === 'highest') this.words[index] = 0;
    }
  }
}

/** `sumOf` returns the sum of `count` words from `first` on. */
export function sumOf(words: Float64Array, first: number, count: number): number {
  let total = 0;
  for (let i = first; i < first + count; i++) total += words[i];
  return total;
}
