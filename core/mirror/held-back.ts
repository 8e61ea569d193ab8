/**
 * How much of each mirror the guard holds back: one word per mirror slot in memory that all threads share.
 * Only the control thread writes. Proxy threads read with a plain load for each request that a mirror chose,
 * and may see a change a moment late. The memory outlives the control thread, so a new one continues from the
 * previous decisions.
 */
import { limits } from '../limits.js';

export class HeldBack {
  readonly #millionths: Int32Array;

  /** `create` makes a block with nothing held back. */
  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(limits.mirrorSlots * Int32Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.#millionths = new Int32Array(shared);
  }

  /** `of` returns how much of the mirror's share is held back: 0 is nothing, 1_000_000 all. */
  of(slot: number): number {
    return this.#millionths[slot];
  }

  set(slot: number, millionths: number): void {
    this.#millionths[slot] = millionths;
  }
}
