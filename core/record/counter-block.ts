import type { CounterTable, Field } from './counter-table.js';
import { HdrCounts } from './hdr-counts.js';
import { sharedBlock } from './shared-block.js';

/**
 * The counters of one table that one thread counts, in shared memory. That thread alone writes; any thread
 * may read. The block outlives the thread: a restarted one goes on counting in it. Main writes between a
 * thread's lives.
 *
 * Words are 64-bit floats for the reason given at HdrCounts: no wrap, and no reader sees half a value.
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

  /** Counters take what is not negative; gauges take changes of either sign. */
  add(field: Field<'counter' | 'gauge'>, change = 1): void {
    this.words[field] += change;
  }

  /**
   * `set` is for gauges whose value the thread reads elsewhere, and counters that something else has counted.
   */
  set(field: Field<'counter' | 'gauge'>, value: number): void {
    this.words[field] = value;
  }

  /** `reason` is an index of the row's list. */
  addReason(field: Field<'reasons'>, reason: number, count = 1): void {
    this.words[field + reason] += count;
  }

  /** Null: the value is not known. */
  setHighest(field: Field<'highest'>, value: number | null): void {
    this.words[field] = value === null ? 0 : value + 1;
  }

  hdr(field: Field<'hdr'>): HdrCounts {
    return this.#hdrs[field];
  }

  get(field: Field<'counter' | 'gauge'>): number {
    return this.words[field];
  }

  /** The word at `index`, for readers that follow the table. */
  wordAt(index: number): number {
    return this.words[index];
  }

  hdrAt(index: number): HdrCounts {
    return this.#hdrs[index];
  }

  /** Over all reasons. */
  totalOf(field: Field<'reasons'>): number {
    const { reasons } = this.#table.rows.find((row) => row.kind === 'reasons' && row.index === field)!;
    return sumOf(this.words, field, reasons.length);
  }

  /**
   * The writer is dead, and what its gauges counted with it. Called by the thread that takes over as the
   * writer.
   */
  resetGauges(): void {
    for (const { kind, index } of this.#table.rows) {
      if (kind === 'gauge' || kind === 'highest') this.words[index] = 0;
    }
  }
}

/** The sum of `count` words. */
export function sumOf(words: Float64Array, first: number, count: number): number {
  let total = 0;
  for (let i = first; i < first + count; i++) total += words[i];
  return total;
}
