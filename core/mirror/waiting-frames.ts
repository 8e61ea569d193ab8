/**
 * Frames that found no room in their ring and wait in the memory of the proxy thread, oldest first. They go
 * out at the ends of turns, as the shadow thread makes room. So a body may be larger than the ring, and
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
  /** Its own bytes; null: the frame has none. */
  readonly payload: Uint8Array | null;
  /** The counters of a HEAD's mirror: it counts as offered once it is published. */
  readonly counters: MirrorCounters | null;
}

/** What a frame takes beside its payload, about. */
const frameBytes = 128;

/** How much of `limits.waitingBytes` the rings of one proxy thread use. */
export class WaitingBudget {
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** False: so many more bytes would be too many. */
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
  /** Where the oldest one stands in `#frames`. */
  #first = 0;

  constructor(budget: WaitingBudget) {
    this.#budget = budget;
  }

  /** Those of them that begin a copy. */
  heads = 0;

  get count(): number {
    return this.#frames.length - this.#first;
  }

  /** Null: nothing waits. */
  get oldest(): WaitingFrame | null {
    return this.count === 0 ? null : this.#frames[this.#first];
  }

  /** Whether a frame with so many bytes of payload fits into the budget, which it then takes. */
  reserve(payloadBytes: number): boolean {
    return this.#budget.take(frameBytes + payloadBytes);
  }

  /** Adds a frame whose bytes were reserved, if it has a payload; one without always finds room. */
  push(frame: WaitingFrame): void {
    this.#frames.push(frame);
    if (frame.counters !== null) this.heads++;
  }

  /** Takes the oldest one out. */
  shift(): void {
    const frame = this.#frames[this.#first++];
    if (frame.counters !== null) this.heads--;
    if (frame.payload !== null) this.#budget.release(frameBytes + frame.payload.byteLength);
    if (this.#first < this.#frames.length) return;
    this.#frames = [];
    this.#first = 0;
  }
}
