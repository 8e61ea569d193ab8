/**
 * Which mirrors of one shadow thread have as many copies in flight as they may: one word per mirror slot in
 * memory that all threads share. The shadow thread alone writes; proxy threads read with a plain load, so
 * that a copy that would be dropped on the other side of the ring does not go through it, and may see a new
 * value a moment late: then it is dropped there, or one is dropped too many.
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

  /** A thread that takes the place of another one has nothing in flight. */
  clear(): void {
    this.#full.fill(0);
  }
}
