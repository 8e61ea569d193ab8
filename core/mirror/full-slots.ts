/**
 * Which mirrors of one shadow thread have as many copies in flight as allowed: one word per mirror slot in
 * memory that all threads share. Only the shadow thread writes. Proxy threads read with a plain load and drop
 * a copy for a full mirror before it enters the ring. A proxy thread may see a change a moment late. Then the
 * shadow thread drops the copy instead, or one copy too many is dropped.
 */
import { limits } from '../limits.js';

export class FullSlots {
  readonly #full: Int32Array;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(limits.mirrorSlots * Int32Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#full = new Int32Array(shared);
  }

  has(slot: number): boolean {
    return this.#full[slot] !== 0;
  }

  set(slot: number, full: boolean): void {
    this.#full[slot] = full ? 1 : 0;
  }

  /** `clear` resets all slots: a thread that replaces another one has nothing in flight. */
  clear(): void {
    this.#full.fill(0);
  }
}
