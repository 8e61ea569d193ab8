import { limits } from '../limits.js';

const LOOKUPS = 0;
const FAILURES = 1;
const ADDRESSES = 2;
const WORDS = 3;

/** The figures of one name in shared memory. Only the thread that resolves writes; any thread may read. */
export class NameBlock {
  readonly #words: Float64Array;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared, 0, WORDS);
  }

  /** Lookups that have ended, including failed ones. */
  get lookups(): number {
    return this.#words[LOOKUPS]!;
  }

  get failures(): number {
    return this.#words[FAILURES]!;
  }

  /** Addresses that are in use. */
  get addresses(): number {
    return this.#words[ADDRESSES]!;
  }

  count(failed: boolean): void {
    this.#words[LOOKUPS]!++;
    if (failed) this.#words[FAILURES]!++;
  }

  setAddresses(count: number): void {
    this.#words[ADDRESSES] = count;
  }
}

/**
 * The addresses of one name over time. A failed or empty lookup leaves the last good addresses in force, so
 * that a resolver that is down for an hour does not take the service down. No native code; lookups are made
 * elsewhere.
 */
export class ResolvedName {
  readonly name: string;
  readonly shared: SharedArrayBuffer;
  /** IP addresses. An address that stays keeps its position. Empty until the first successful lookup. */
  addresses: readonly string[] = [];
  /** Failed lookups in a row. */
  failuresInARow = 0;
  readonly #block: NameBlock;

  constructor(name: string, shared: SharedArrayBuffer = NameBlock.create()) {
    this.name = name;
    this.shared = shared;
    this.#block = new NameBlock(shared);
  }

  /**
   * `found` applies the result of a lookup and returns true when the set of addresses changed. A different
   * order is not a change.
   */
  found(addresses: readonly string[]): boolean {
    if (addresses.length === 0) {
      this.failed();
      return false;
    }
    this.#block.count(false);
    this.failuresInARow = 0;
    // Sorted, so that the same addresses are left out each time when there are too many.
    const next = new Set([...new Set(addresses)].sort().slice(0, limits.addressesPerName));
    const kept = this.addresses.filter((address) => next.delete(address));
    if (next.size === 0 && kept.length === this.addresses.length) return false;
    this.addresses = [...kept, ...next];
    this.#block.setAddresses(this.addresses.length);
    return true;
  }

  failed(): void {
    this.#block.count(true);
    this.failuresInARow++;
  }
}
