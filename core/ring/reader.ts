/** The consumer's end of a ring. */
import { FrameType, FrameWord, flagsOf, slotOf, typeOf } from './frame.js';
import {
  alignedBytes,
  Control,
  FRAME_ALIGNMENT_BYTES,
  FRAME_HEADER_BYTES,
  openRing,
  type RingView,
} from './layout.js';

/** One frame that was read: its header and the position of its payload. A reader has one and reuses it. */
export interface ReadFrame {
  readonly type: number;
  readonly flags: number;
  readonly slot: number;
  /** Unsigned, like `generation`. */
  readonly exchangeId: number;
  readonly generation: number;
  /** The data area of the ring. The payload is from `start` up to, and without, `end`. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface FrameHandler {
  /**
   * `onFrame` handles one frame, which is valid until the call returns. The payload may be overwritten once
   * `drain` has returned, so copy what must be kept. It must not call `drain`.
   */
  onFrame(frame: ReadFrame): void;
}

const WORD_SHIFT = 2;

/**
 * `RingReader` is the consumer's end of a ring; only one thread may hold it. A thread that died at any moment
 * is replaced by a new reader over the same ring, which starts behind the last frame that the dead one began
 * to handle. So a frame is delivered at most once, and the frame that was being handled is lost: a mirrored
 * request that is sent twice would be worse than one that is not sent.
 */
export class RingReader {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #frameBytesMax: number;
  /** Where the next frame begins; the value of CURSOR. */
  #position: number;
  #draining = false;
  readonly #frame: { -readonly [K in keyof ReadFrame]: ReadFrame[K] };

  constructor(ring: SharedArrayBuffer) {
    const view: RingView = openRing(ring);
    this.#control = view.control;
    this.#words = view.words;
    this.#capacity = view.capacity;
    this.#frameBytesMax = view.frameBytesMax;
    const { bytes } = view;
    this.#frame = { type: 0, flags: 0, slot: 0, exchangeId: 0, generation: 0, bytes, start: 0, end: 0 };
    this.#position = Atomics.load(view.control, Control.CURSOR);
    // The thread before may have died inside a batch, before it stored HEAD.
    Atomics.store(view.control, Control.HEAD, this.#position);
  }

  /**
   * `drain` delivers at most `framesMax` frames in order and returns their number; padding is skipped and not
   * counted. Frames published while it runs wait for the next call. HEAD is stored once, at the end, even
   * when the handler throws; the frame at which it threw counts as delivered.
   *
   * It throws an Error that reports a corrupt ring when a writer can't have written the shared memory. No
   * further frame of that ring can be trusted, and every later call throws again: replace the ring.
   */
  drain(handler: FrameHandler, framesMax: number): number {
    if (this.#draining) throw new Error('RingReader.drain was called from its own handler');
    const begin = this.#position;
    const tail = Atomics.load(this.#control, Control.TAIL);
    if (tail === begin) return 0;

    this.#draining = true;
    let frames = 0;
    try {
      while (frames < framesMax && this.#position !== tail) {
        if (this.#deliver(handler, (tail - this.#position) | 0)) frames++;
      }
    } finally {
      this.#draining = false;
      if (this.#position !== begin) Atomics.store(this.#control, Control.HEAD, this.#position);
    }
    return frames;
  }

  /**
   * `isEmpty` returns true when all published frames were delivered. A PAD is never published alone, so the
   * rest can't be just a PAD.
   */
  isEmpty(): boolean {
    return Atomics.load(this.#control, Control.TAIL) === this.#position;
  }

  /**
   * `#deliver` hands the next frame to the handler, or skips a PAD and returns false. `availableBytes` are
   * published and not yet read.
   */
  #deliver(handler: FrameHandler, availableBytes: number): boolean {
    const offset = this.#position & (this.#capacity - 1);
    const word = offset >>> WORD_SHIFT;
    // Each word is read once: a value that is checked and then read again could differ.
    const frameBytes = this.#words[word + FrameWord.LENGTH]!;
    const kind = this.#words[word + FrameWord.KIND]!;
    const type = typeOf(kind);
    if (type === FrameType.PAD) {
      if (frameBytes !== this.#capacity - offset || frameBytes > availableBytes)
        this.#corrupt(frameBytes, kind);
      this.#advance(frameBytes);
      return false;
    }
    const takenBytes = alignedBytes(frameBytes);
    const sound =
      type !== 0 &&
      frameBytes >= FRAME_HEADER_BYTES &&
      frameBytes <= this.#frameBytesMax &&
      availableBytes <= this.#capacity &&
      takenBytes <= availableBytes &&
      takenBytes <= this.#capacity - offset &&
      offset % FRAME_ALIGNMENT_BYTES === 0;
    if (!sound) this.#corrupt(frameBytes, kind);

    // The cursor advances before the handler runs: if the thread dies in the handler, the frame is lost, not
    // repeated.
    this.#advance(takenBytes);
    const frame = this.#frame;
    frame.type = type;
    frame.flags = flagsOf(kind);
    frame.slot = slotOf(kind);
    frame.exchangeId = this.#words[word + FrameWord.EXCHANGE]! >>> 0;
    frame.generation = this.#words[word + FrameWord.GENERATION]! >>> 0;
    frame.start = offset + FRAME_HEADER_BYTES;
    frame.end = offset + frameBytes;
    handler.onFrame(frame);
    return true;
  }

  /**
   * `#advance` stores CURSOR without Atomics: only a reader that takes over reads it, after this thread has
   * ended.
   */
  #advance(takenBytes: number): void {
    this.#position = (this.#position + takenBytes) | 0;
    this.#control[Control.CURSOR] = this.#position;
  }

  #corrupt(frameBytes: number, kind: number): never {
    throw new Error(
      `the ring is corrupt: type ${typeOf(kind)}, ${frameBytes} bytes at position ${this.#position >>> 0} of ${this.#capacity}`,
    );
  }
}
