/**
 * The proxy thread's end of one ring: it offers the frames of mirrored exchanges and never waits. A frame
 * that finds no room is queued in memory (core/mirror/waiting-frames), and so are all later ones, so that
 * frames keep their order. Frames that end an exchange (ABORT, OUTCOME, a last END) always find room there.
 * Heads and bodies do within `limits.waitingBytes`, and at most `limits.waitingHeads` heads wait.
 */
import { Drop, Failure } from '../errors.js';
import { latin1Write } from '../http/wire.js';
import { limits } from '../limits.js';
import type { MirrorCounters } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import { Offer, type RingWriter } from '../ring/writer.js';
import {
  allExchanges,
  type CopySource,
  FrameFlag,
  headPayloadBytes,
  Numbers,
  Outcome,
  writeHead,
} from './codec.js';
import { WaitingBudget, WaitingFrames } from './waiting-frames.js';

/** Requests a call of `flush` of every port at the end of this turn of the event loop. */
export type FlushRequest = () => void;

/** Sentinel: the frame was accepted. */
export const accepted = -1;

export class MirrorPort {
  readonly #writer: RingWriter;
  readonly #numbers: Numbers;
  readonly #requestFlush: FlushRequest;
  #generation = 0;
  /** No frame since the last publish needs to wake the consumer. */
  #quiet = true;
  #flushRequested = false;
  readonly #waiting: WaitingFrames;
  /**
   * Counters of the HEAD frames claimed since the last publish. They count as offered once the consumer can
   * see them.
   */
  readonly #offered: MirrorCounters[] = [];

  /** `budget` belongs to the thread and is shared by its ports. */
  constructor(writer: RingWriter, requestFlush: FlushRequest, budget: WaitingBudget = new WaitingBudget()) {
    this.#waiting = new WaitingFrames(budget);
    this.#writer = writer;
    this.#numbers = new Numbers(writer.bytes);
    this.#requestFlush = requestFlush;
  }

  /** `setGeneration` sets the plan of frames that are offered from now on. */
  setGeneration(generation: number): void {
    this.#generation = generation;
  }

  /**
   * `announceReplacement` reports to the consumer that the previous writer of this ring and its unfinished
   * exchanges are gone.
   */
  announceReplacement(): void {
    this.#mustSend(FrameType.ABORT, Failure.THREAD_ENDED, allExchanges);
  }

  /**
   * `offerHead` offers the HEAD of a new exchange with its `FrameFlag`s. It returns `accepted` or the reason
   * for the drop.
   */
  offerHead(
    slot: number,
    exchangeId: number,
    source: CopySource,
    flags: number,
    counters: MirrorCounters,
  ): Drop | typeof accepted {
    const payloadBytes = headPayloadBytes(source);
    if (payloadBytes > this.#writer.payloadBytesMax) return Drop.FRAME_TOO_LARGE;
    const offset =
      this.#waiting.count > 0
        ? Offer.FULL
        : this.#writer.claim(FrameType.HEAD, flags, slot, exchangeId, this.#generation, payloadBytes);
    if (offset < 0) return this.#waitWithHead(slot, exchangeId, source, flags, counters);
    writeHead(this.#writer.bytes, this.#numbers, offset, source);
    this.#offered.push(counters);
    this.#quiet = false;
    this.#flushLater();
    return accepted;
  }

  #waitWithHead(
    slot: number,
    exchangeId: number,
    source: CopySource,
    flags: number,
    counters: MirrorCounters,
  ): Drop | typeof accepted {
    const payloadBytes = headPayloadBytes(source);
    if (this.#waiting.heads >= limits.waitingHeads || !this.#waiting.reserve(payloadBytes))
      return Drop.RING_FULL;
    const payload = Buffer.from(new ArrayBuffer(payloadBytes));
    writeHead(payload, new Numbers(payload), 0, source);
    this.#wait(FrameType.HEAD, flags, slot, exchangeId, payload, counters);
    return accepted;
  }

  /**
   * `offerBody` offers a piece of the body in as many frames as needed. After a refusal the copy is
   * incomplete, and the caller must call `abort`.
   */
  offerBody(slot: number, exchangeId: number, piece: Uint8Array, last: boolean): Failure | typeof accepted {
    if (piece.byteLength === 0) {
      if (last) this.#mustSend(FrameType.END, 0, exchangeId);
      return accepted;
    }
    const frameBytesMax = this.#writer.payloadBytesMax;
    let from = 0;
    while (from < piece.byteLength && this.#waiting.count === 0) {
      const to = Math.min(from + frameBytesMax, piece.byteLength);
      const flags = last && to === piece.byteLength ? FrameFlag.LAST : 0;
      const offset = this.#writer.claim(FrameType.BODY, flags, slot, exchangeId, this.#generation, to - from);
      if (offset < 0) break;
      const whole = from === 0 && to === piece.byteLength;
      this.#writer.bytes.set(whole ? piece : piece.subarray(from, to), offset);
      from = to;
    }
    this.#quiet = false;
    this.#flushLater();
    return from === piece.byteLength ? accepted : this.#waitWithBody(slot, exchangeId, piece, from, last);
  }

  /** `#waitWithBody` queues the piece from `start` on. */
  #waitWithBody(
    slot: number,
    exchangeId: number,
    piece: Uint8Array,
    start: number,
    last: boolean,
  ): Failure | typeof accepted {
    const frameBytesMax = this.#writer.payloadBytesMax;
    for (let from = start; from < piece.byteLength; from += frameBytesMax) {
      const to = Math.min(from + frameBytesMax, piece.byteLength);
      if (!this.#waiting.reserve(to - from)) return Failure.RING_FULL;
      const payload = Buffer.allocUnsafeSlow(to - from);
      payload.set(piece.subarray(from, to));
      const flags = last && to === piece.byteLength ? FrameFlag.LAST : 0;
      this.#wait(FrameType.BODY, flags, slot, exchangeId, payload);
    }
    return accepted;
  }

  /**
   * `offerTrailers` offers the trailers of a body: whole field lines, a wire string. After a refusal the
   * caller must call `abort`.
   */
  offerTrailers(slot: number, exchangeId: number, lines: string): Failure | typeof accepted {
    const { bytes, payloadBytesMax } = this.#writer;
    if (lines.length > payloadBytesMax) return Failure.RING_FULL;
    const offset =
      this.#waiting.count > 0
        ? Offer.FULL
        : this.#writer.claim(FrameType.TRAILERS, 0, slot, exchangeId, this.#generation, lines.length);
    this.#quiet = false;
    this.#flushLater();
    if (offset >= 0) {
      latin1Write(bytes, lines, offset);
      return accepted;
    }
    if (!this.#waiting.reserve(lines.length)) return Failure.RING_FULL;
    this.#wait(FrameType.TRAILERS, 0, slot, exchangeId, Buffer.from(lines, 'latin1'));
    return accepted;
  }

  /**
   * `offerResponse` offers a part of the captured response of the primary. It returns false when there is no
   * room, and the capture is lost. It never uses the last half of the ring, because copies of requests have
   * priority.
   */
  offerResponse(type: number, exchangeId: number, bytes: Uint8Array): boolean {
    if (this.#waiting.count > 0) return false;
    const writer = this.#writer;
    const pieceMax = writer.payloadBytesMax;
    for (let from = 0; from < bytes.byteLength; from += pieceMax) {
      const piece = bytes.byteLength <= pieceMax ? bytes : bytes.subarray(from, from + pieceMax);
      if (writer.usedBytes() + piece.byteLength > writer.capacity / 2) return false;
      const offset = writer.claim(type, 0, 0, exchangeId, this.#generation, piece.byteLength);
      if (offset < 0) return false;
      writer.bytes.set(piece, offset);
    }
    this.#flushLater();
    return true;
  }

  /** `abort` ends a copy whose request will not be completed, for this reason. */
  abort(exchangeId: number, reason: Failure): void {
    this.#mustSend(FrameType.ABORT, reason, exchangeId);
  }

  /**
   * `outcome` sends the outcome of the primary's exchange. It does not wake the consumer, which reads it when
   * it next wakes.
   */
  outcome(exchangeId: number, outcome: Outcome): void {
    if (this.#waiting.count === 0 && this.#writeOutcome(exchangeId, outcome)) return;
    this.#waiting.reserve(Outcome.bytes);
    const payload = Buffer.from(new ArrayBuffer(Outcome.bytes));
    outcome.write(new Numbers(payload), 0);
    this.#wait(FrameType.OUTCOME, 0, 0, exchangeId, payload);
  }

  /**
   * `flush` ends the turn: all offered frames become visible with one store and at most one ring of the
   * doorbell. Outcomes and captured responses alone do not ring it. It returns true when frames still wait
   * for room, and must then be called again soon.
   */
  flush(): boolean {
    if (!this.#flushRequested && this.#waiting.count === 0) return false;
    this.#flushRequested = false;
    this.#sendWaiting();
    this.#writer.publish(this.#quiet);
    this.#quiet = true;
    const offered = this.#offered;
    for (let i = 0; i < offered.length; i++) offered[i].offered();
    offered.length = 0;
    return this.#waiting.count > 0;
  }

  usedBytes(): number {
    return this.#writer.usedBytes();
  }

  /** `#mustSend` sends a frame without a payload, which is queued rather than lost when the ring is full. */
  #mustSend(type: number, flags: number, exchangeId: number): void {
    this.#quiet = false;
    const isOut =
      this.#waiting.count === 0 && this.#writer.claim(type, flags, 0, exchangeId, this.#generation, 0) >= 0;
    if (isOut) this.#flushLater();
    else this.#wait(type, flags, 0, exchangeId, null);
  }

  #wait(
    type: number,
    flags: number,
    slot: number,
    exchangeId: number,
    payload: Uint8Array | null,
    counters: MirrorCounters | null = null,
  ): void {
    const generation = this.#generation;
    this.#waiting.push({ type, flags, slot, exchangeId, generation, payload, counters });
    this.#flushLater();
  }

  #sendWaiting(): void {
    for (let frame = this.#waiting.oldest; frame !== null; frame = this.#waiting.oldest) {
      const { type, flags, slot, exchangeId, generation, payload, counters } = frame;
      const offset = this.#writer.claim(type, flags, slot, exchangeId, generation, payload?.byteLength ?? 0);
      if (offset < 0) return;
      if (payload !== null) this.#writer.bytes.set(payload, offset);
      if (counters !== null) this.#offered.push(counters);
      if (type !== FrameType.OUTCOME) this.#quiet = false;
      this.#waiting.shift();
    }
  }

  #writeOutcome(exchangeId: number, outcome: Outcome): boolean {
    const offset = this.#writer.claim(FrameType.OUTCOME, 0, 0, exchangeId, this.#generation, Outcome.bytes);
    if (offset < 0) return false;
    outcome.write(this.#numbers, offset);
    this.#flushLater();
    return true;
  }

  #flushLater(): void {
    if (this.#flushRequested) return;
    this.#flushRequested = true;
    this.#requestFlush();
  }
}
