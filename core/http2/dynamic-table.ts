import type { Field } from './field.js';

/** The first capacity of a table. */
const FIRST_ENTRIES = 16;

/**
 * The decoder's dynamic table (RFC 7541, section 2.3.2): fields in the order of insertion, bounded in bytes.
 * It is a ring, so that insertions and evictions move nothing.
 */
export class DynamicTable {
  /** The size of all entries, as the RFC counts it. */
  size = 0;
  count = 0;
  #sizeMax: number;
  #entries: (Field | null)[] = [];
  /** Where the next entry goes. */
  #next = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  /** Returns the entry that is `age` insertions old, 0 for the newest; null if there is none. */
  at(age: number): Field | null {
    if (age < 0 || age >= this.count) return null;
    return this.#entries[(this.#next - 1 - age) & (this.#entries.length - 1)]!;
  }

  /** Adds a field. One that is larger than the table empties it (RFC 7541, section 4.4). */
  add(field: Field): void {
    this.#evictTo(this.#sizeMax - field.size);
    if (field.size > this.#sizeMax) return;
    if (this.count === this.#entries.length) this.#grow();
    this.#entries[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#entries.length - 1);
    this.count++;
    this.size += field.size;
  }

  /** Applies a dynamic table size update (section 6.3). */
  resize(sizeMax: number): void {
    this.#sizeMax = sizeMax;
    this.#evictTo(sizeMax);
  }

  #evictTo(size: number): void {
    const mask = this.#entries.length - 1;
    while (this.count > 0 && this.size > size) {
      const oldest = (this.#next - this.count) & mask;
      this.size -= this.#entries[oldest]!.size;
      this.#entries[oldest] = null;
      this.count--;
    }
  }

  /** Doubles the ring, with the oldest entry first. */
  #grow(): void {
    const { count } = this;
    const entries = new Array<Field | null>(Math.max(FIRST_ENTRIES, count * 2)).fill(null);
    for (let age = 0; age < count; age++) entries[count - 1 - age] = this.at(age);
    this.#entries = entries;
    this.#next = count;
  }
}
