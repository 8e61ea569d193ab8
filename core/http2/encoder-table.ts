import { FIELD_OVERHEAD_BYTES } from './field.js';
import type { Line } from './line.js';
import { FIRST_DYNAMIC } from './static-table.js';

/** One field in the table of the peer's decoder. */
class Entry {
  /** Replaced by an equal line that was looked up, so that connections share their lines. */
  line: Line;
  /** The number of this insertion; insertions of a connection are numbered consecutively. */
  readonly number: number;
  readonly size: number;
  /** The previous insertion in the same bucket, which may have been evicted. */
  readonly before: number;
  readonly beforeByName: number;

  constructor(line: Line, number: number, before: number, beforeByName: number) {
    this.line = line;
    this.number = number;
    this.size = line.characters + FIELD_OVERHEAD_BYTES;
    this.before = before;
    this.beforeByName = beforeByName;
  }
}

/** Buckets by field, and as many by name; a table of the default size rarely has more entries. */
const SLOTS = 64;
const SLOT_MASK = SLOTS - 1;
/** The number of recent lines whose hashes are remembered. */
const LINES_SEEN = 64;
/** The offsets of the three parts of the index. */
const BY_FIELD = 0;
const BY_NAME = SLOTS;
const SEEN = 2 * SLOTS;
const INDEX_SLOTS = SEEN + LINES_SEEN;
/** No entries are added after this many insertions, so that the numbers stay small integers. */
const INSERTIONS_MAX = 2 ** 29;

/**
 * The encoder's copy of the peer's dynamic table, with lookup by bytes. Buckets are chains of insertion
 * numbers from the newest to the oldest. The oldest entries are evicted first, so a chain ends at the first
 * evicted number, and an eviction changes no chain.
 */
export class EncoderTable {
  size = 0;
  #sizeMax: number;
  /** Entries by their number modulo the length. */
  #entries: (Entry | null)[] = [];
  #oldest = 1;
  #next = 1;
  /** One array for all three parts, because each array has an overhead. Allocated by the first line. */
  #index: Int32Array = none;
  /** Where the next hash is remembered, in place of the oldest. */
  #seenNext = 0;

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get sizeMax(): number {
    return this.#sizeMax;
  }

  get count(): number {
    return this.#next - this.#oldest;
  }

  /** Returns the entry of a field, or null. */
  find(
    bytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    hash: number,
  ): Entry | null {
    if (this.count === 0) return null;
    let number = this.#index[BY_FIELD + (hash & SLOT_MASK)]!;
    while (number >= this.#oldest) {
      const entry = this.#entry(number);
      const { line } = entry;
      if (line.hash === hash && line.is(bytes, nameStart, nameEnd, valueStart, valueEnd)) return entry;
      number = entry.before;
    }
    return null;
  }

  /** Returns the entry of a line, or null. */
  findLine(line: Line): Entry | null {
    if (this.count === 0) return null;
    const { hash } = line;
    let number = this.#index[BY_FIELD + (hash & SLOT_MASK)]!;
    while (number >= this.#oldest) {
      const entry = this.#entry(number);
      const other = entry.line;
      if (other === line) return entry;
      if (other.hash === hash && other.equals(line)) {
        entry.line = line;
        return entry;
      }
      number = entry.before;
    }
    return null;
  }

  /** Returns the index of an entry that was found. */
  indexOf({ number }: Entry): number {
    return FIRST_DYNAMIC + this.#next - 1 - number;
  }

  /** Returns the index of the newest field with this name, or 0. */
  findName(bytes: Uint8Array, start: number, end: number, nameHash: number): number {
    if (this.count === 0) return 0;
    let number = this.#index[BY_NAME + (nameHash & SLOT_MASK)]!;
    while (number >= this.#oldest) {
      const entry = this.#entry(number);
      if (entry.line.nameHash === nameHash && entry.line.isNamed(bytes, start, end))
        return this.indexOf(entry);
      number = entry.beforeByName;
    }
    return 0;
  }

  /**
   * Whether a line with this hash of all its bytes was sent recently, so that it is worth an entry. Lines
   * that differ each time (ids, times) evict nothing. Other lines are remembered.
   */
  isRepeated(hash: number): boolean {
    if (this.#index.length === 0) this.#index = new Int32Array(INDEX_SLOTS);
    const index = this.#index;
    for (let slot = SEEN; slot < INDEX_SLOTS; slot++) if (index[slot] === hash) return true;
    index[SEEN + this.#seenNext] = hash;
    this.#seenNext = (this.#seenNext + 1) & (LINES_SEEN - 1);
    return false;
  }

  /** Whether a field of this many characters leaves room for others. */
  fits(characters: number): boolean {
    return (characters + FIELD_OVERHEAD_BYTES) * 4 <= this.#sizeMax && this.#next < INSERTIONS_MAX;
  }

  /** Adds a line that `isRepeated` and `fits`, as the peer's decoder does. */
  add(line: Line): void {
    const index = this.#index;
    const slot = BY_FIELD + (line.hash & SLOT_MASK);
    const nameSlot = BY_NAME + (line.nameHash & SLOT_MASK);
    const number = this.#next;
    const entry = new Entry(line, number, index[slot]!, index[nameSlot]!);
    this.#evictTo(this.#sizeMax - entry.size);
    if (this.count === this.#entries.length) this.#grow();
    this.#entries[number & (this.#entries.length - 1)] = entry;
    index[slot] = number;
    index[nameSlot] = number;
    this.#next++;
    this.size += entry.size;
  }

  /** Applies a size update that is sent to the peer. */
  resize(sizeMax: number): void {
    this.#sizeMax = sizeMax;
    this.#evictTo(sizeMax);
  }

  #entry(number: number): Entry {
    return this.#entries[number & (this.#entries.length - 1)]!;
  }

  #evictTo(size: number): void {
    while (this.size > size && this.#oldest < this.#next) {
      this.size -= this.#entry(this.#oldest).size;
      this.#entries[this.#oldest & (this.#entries.length - 1)] = null;
      this.#oldest++;
    }
  }

  #grow(): void {
    const length = Math.max(16, this.#entries.length * 2);
    const entries = new Array<Entry | null>(length).fill(null);
    for (let number = this.#oldest; number < this.#next; number++)
      entries[number & (length - 1)] = this.#entry(number);
    this.#entries = entries;
  }
}

const none = new Int32Array(0);
