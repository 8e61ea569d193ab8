/**
 * Frames that found no room in their ring and wait in the memory of the proxy thread, oldest first. They are
 * sent at the ends of turns, as the shadow thread makes room. So a body may be larger than the ring, and
 * neither client nor primary waits.
 */
import { limits } from '../limits.js';
import type { MirrorCounters } from '../record/mirror-counters.js';

export interface WaitingFrame {
  readonly type: number;
  readonly flags: number;
  readonly slot: number;
  readonly exchangeId: number;
  readonly generation: number;
  /** A copy of the payload; null when the frame has none. */
  readonly payload: Uint8Array | null;
  /** The counters of a HEAD's mirror, which count the copy as offered once the frame is published. */
  readonly counters: MirrorCounters | null;
}

/** Approximate bytes of memory of a frame besides its payload. */
const frameBytes = 128;

/** The part of `limits.waitingBytes` that the rings of one proxy thread use. */
export class WaitingBudget {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** `take` reserves bytes. It returns false when they would exceed the limit. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > limits.waitingBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export class WaitingFrames {
  readonly #budget: WaitingBudget;
  #frames: WaitingFrame[] = [];
  /** Index of the oldest frame in `#frames`. */
  #first = 0;

  constructor(budget: WaitingBudget) {
    this.#budget = budget;
  }

  /** Waiting frames that begin a copy. */
  heads = 0;

  get count(): number {
    return this.#frames.length - this.#first;
  }

  /** The oldest frame, or null when none waits. */
  get oldest(): WaitingFrame | null {
    return this.count === 0 ? null : this.#frames[this.#first];
  }

  /** `reserve` returns true when a frame with this payload fits into the budget, and then takes the bytes. */
  reserve(payloadBytes: number): boolean {
    return this.#budget.take(frameBytes + payloadBytes);
  }

  /**
   * `push` adds a frame. The bytes of a payload must be reserved before; a frame without a payload always
   * finds room.
   */
  push(frame: WaitingFrame): void {
    this.#frames.push(frame);
    if (frame.counters !== null) this.heads++;
  }

  /** `shift` removes the oldest frame. */
  shift(): void {
    const frame = this.#frames[this.#first++];
    if (frame.counters !== null) this.heads--;
    if (frame.payload !== null) this.#budget.release(frameBytes + frame.payload.byteLength);
    if (this.#first < this.#frames.length) return;
    this.#frames = [];
    this.#first = 0;
  }
}
