import { limits } from '../limits.js';

const LOOKUPS = 0;
const FAILURES = 1;
const ADDRESSES = 2;
const WORDS = 3;

/**
 * What is known of one name, in shared memory. The thread that resolves alone writes; any thread may read.
 */
export class NameBlock {
  readonly #words: Float64Array;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared, 0, WORDS);
  }

  /** Lookups that have ended, the failed ones included. */
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
 * The addresses of one name over time. A lookup that fails, or finds nothing, leaves the last good ones in
 * force: a resolver that is down for an hour takes no service with it. Native-free; who looks names up is
 * elsewhere.
 */
export class ResolvedName {
  readonly name: string;
  readonly shared: SharedArrayBuffer;
  /** IP addresses. What stays keeps its place. Empty until the first lookup that succeeds. */
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
   * A lookup found these. Returns whether other addresses are in force now; their order alone is no change.
   */
  found(addresses: readonly string[]): boolean {
    if (addresses.length === 0) {
      this.failed();
      return false;
    }
    this.#block.count(false);
    this.failuresInARow = 0;
    // Sorted, so that of too many the same ones are left out each time.
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
