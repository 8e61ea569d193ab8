/** The producer's end of a ring. */
import type { Doorbell } from './doorbell.js';
import { FrameType, FrameWord, packKind } from './frame.js';
import { alignedBytes, Control, FRAME_HEADER_BYTES, openRing, type RingView } from './layout.js';

/** Results of an offer. The two reasons for a refusal are negative, which no offset is. */
export const Offer = {
  /**
   * The frame was accepted. `claim` itself returns an offset instead; callers that pass codes on use this
   * one.
   */
  OK: 0,
  /** The consumer is behind: drop the copy and count it. */
  FULL: -1,
  /** The frame is larger than an eighth of the ring and can never be accepted. */
  TOO_LARGE: -2,
} as const;
export type Offer = (typeof Offer)[keyof typeof Offer];

const WORD_SHIFT = 2;

/**
 * `RingWriter` is the producer's end of a ring; only one thread may hold it. A thread that died at any moment
 * is replaced by a new writer over the same ring, which continues behind the published frames. Frames that
 * were claimed and not published are lost.
 */
export class RingWriter {
  /** The data area; `claim` returns where in it to write. */
  readonly bytes: Buffer;
  readonly payloadBytesMax: number;
  readonly #doorbell: Doorbell;
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  /** Bytes of the data area. */
  readonly capacity: number;
  /** The value of TAIL. */
  #published: number;
  /** End of the last claimed frame; ahead of `#published` until `publish`. */
  #claimed: number;
  /** HEAD as last read. The true value is never behind it, so room computed from it exists. */
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
    // The thread before may have died between its store of TAIL and its ring of the doorbell.
    doorbell.strike();
  }

  /**
   * `claim` reserves one frame, writes its header and returns the payload's offset in `bytes`. If it refuses,
   * it returns `Offer.FULL` or `Offer.TOO_LARGE` and changes nothing. The caller writes all `payloadBytes`
   * bytes (they still hold an older frame) and then calls `publish`; until then the consumer sees nothing.
   * `flags` has 8 bits, `slot` 16, `exchangeId` and `generation` 32. A negative `payloadBytes` throws a
   * RangeError.
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
   * `publish` makes all frames claimed since the last call visible, with one store and at most one ring of
   * the doorbell. Once per turn of the event loop is enough. If nothing was claimed, it does nothing. With
   * `quiet` it does not wake a parked consumer, which finds the frames when it next wakes.
   */
  publish(quiet = false): void {
    if (this.#claimed === this.#published) return;
    this.#published = this.#claimed;
    Atomics.store(this.#control, Control.TAIL, this.#claimed);
    if (!quiet) this.#doorbell.ring();
  }

  /** `usedBytes` returns the bytes that the consumer has not released yet, including claimed ones. */
  usedBytes(): number {
    return (this.#claimed - Atomics.load(this.#control, Control.HEAD)) | 0;
  }

  #hasRoom(neededBytes: number): boolean {
    const usedBytesMax = this.capacity - neededBytes;
    if (((this.#claimed - this.#headSeen) | 0) <= usedBytesMax) return true;
    // The consumer writes HEAD's cache line, so it is read only when the known room is not enough.
    this.#headSeen = Atomics.load(this.#control, Control.HEAD);
    return ((this.#claimed - this.#headSeen) | 0) <= usedBytesMax;
  }
}
