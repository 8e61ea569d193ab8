/** The producer's end of a ring. */
import type { Doorbell } from './doorbell.js';
import { FrameType, FrameWord, packKind } from './frame.js';
import { alignedBytes, Control, FRAME_HEADER_BYTES, openRing, type RingView } from './layout.js';

/** Why `claim` returned no offset. Both are negative, which no offset is. */
export const Offer = {
  /** A frame was accepted. `claim` itself returns an offset instead; this is for who passes codes on. */
  OK: 0,
  /** The consumer is behind: drop, count, go on. */
  FULL: -1,
  /** Larger than an eighth of the ring: can never be accepted. */
  TOO_LARGE: -2,
} as const;
export type Offer = (typeof Offer)[keyof typeof Offer];

const WORD_SHIFT = 2;

/**
 * One thread alone may hold the writer of a ring. A thread that died at any moment is replaced by a new
 * writer over the same ring: it goes on behind what was published, and what was claimed and not published is
 * gone.
 */
export class RingWriter {
  /** The data area; `claim` says where in it to write. */
  readonly bytes: Buffer;
  readonly payloadBytesMax: number;
  readonly #doorbell: Doorbell;
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  /** Bytes of the data area. */
  readonly capacity: number;
  /** What TAIL says. */
  #published: number;
  /** End of the last claimed frame; ahead of `#published` until `publish`. */
  #claimed: number;
  /** HEAD as last read. The true one is never behind it, so room computed from it is room. */
  #headSeen: number;

  constructor(ring: SharedArrayBuffer, doorbell: Doorbell) {
    const view: RingView = openRing(ring);
    this.bytes = view.bytes;
    this.payloadBytesMax = view.frameBytesMax - FRAME_HEADER_BYTES;
    this.#doorbell = doorbell;
    this.#control = view.control;
    this.#words = view.words;
    this.capacity = view.capacity;
    this.#published = Atomics.load(view.control, Control.TAIL);
    this.#claimed = this.#published;
    this.#headSeen = Atomics.load(view.control, Control.HEAD);
    // The thread before may have died between its store of TAIL and its bell.
    doorbell.strike();
  }

  /**
   * Reserves one frame, writes its header and returns the payload's offset in `bytes` (>= 0), or `Offer.FULL`
   * or `Offer.TOO_LARGE`, which leave no trace. The caller writes all `payloadBytes` bytes from there on
   * (they still hold an older frame) before it calls `publish`; until then the consumer sees nothing. `flags`
   * has 8 bits, `slot` 16, `exchangeId` and `generation` 32. A negative `payloadBytes` throws: it is misuse.
   */
  claim(
    type: number,
    flags: number,
    slot: number,
    exchangeId: number,
    generation: number,
    payloadBytes: number,
  ): number {
    if (payloadBytes > this.payloadBytesMax) return Offer.TOO_LARGE;
    if (!(payloadBytes >= 0)) throw new RangeError(`a payload of ${payloadBytes} bytes`);

    const capacity = this.capacity;
    const words = this.#words;
    const frameBytes = FRAME_HEADER_BYTES + payloadBytes;
    const takenBytes = alignedBytes(frameBytes);
    let offset = this.#claimed & (capacity - 1);
    const restBytes = capacity - offset;
    const padBytes = takenBytes > restBytes ? restBytes : 0;
    if (!this.#hasRoom(padBytes + takenBytes)) return Offer.FULL;

    if (padBytes !== 0) {
      const word = offset >>> WORD_SHIFT;
      words[word + FrameWord.LENGTH] = padBytes;
      words[word + FrameWord.KIND] = packKind(FrameType.PAD, 0, 0);
      offset = 0;
    }
    const word = offset >>> WORD_SHIFT;
    words[word + FrameWord.LENGTH] = frameBytes;
    words[word + FrameWord.KIND] = packKind(type, flags, slot);
    words[word + FrameWord.EXCHANGE] = exchangeId;
    words[word + FrameWord.GENERATION] = generation;
    this.#claimed = (this.#claimed + padBytes + takenBytes) | 0;
    return offset + FRAME_HEADER_BYTES;
  }

  /**
   * Makes all frames claimed since the last call visible, with one store and at most one bell. Once per turn
   * of the event loop is enough. Does nothing when nothing was claimed. `quiet`: none of them is worth waking
   * a parked consumer for, which finds them when it looks around the next time.
   */
  publish(quiet = false): void {
    if (this.#claimed === this.#published) return;
    this.#published = this.#claimed;
    Atomics.store(this.#control, Control.TAIL, this.#claimed);
    if (!quiet) this.#doorbell.ring();
  }

  /** Bytes that the consumer has not given back yet, claimed ones included. */
  usedBytes(): number {
    return (this.#claimed - Atomics.load(this.#control, Control.HEAD)) | 0;
  }

  #hasRoom(neededBytes: number): boolean {
    const usedBytesMax = this.capacity - neededBytes;
    if (((this.#claimed - this.#headSeen) | 0) <= usedBytesMax) return true;
    // HEAD's cache line is the consumer's: it is read only when the known room does not do.
    this.#headSeen = Atomics.load(this.#control, Control.HEAD);
    return ((this.#claimed - this.#headSeen) | 0) <= usedBytesMax;
  }
}
