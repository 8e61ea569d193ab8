/**
 * The proxy thread's end of one ring: offers the frames of mirrored exchanges and never waits. What must
 * not be lost although the ring is full (an ABORT, an OUTCOME, a last END) is kept in a short list and goes
 * out first when there is room; until then no new exchange is begun on this ring, which bounds the list by
 * the number of exchanges that are open on it.
 */
import { Drop, Failure } from '../errors.js';
import { latin1Write } from '../http/wire.js';
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

/** A frame that waits for room. */
interface LateFrame {
  readonly type: number;
  readonly flags: number;
  readonly exchangeId: number;
  readonly outcome: Outcome | null;
}

/** Asks the thread to call `flush` of every port at the end of this turn of its loop. */
export type FlushRequest = () => void;

/** No failure: what `offerBody` answers when the piece is in the ring. */
export const accepted = -1;

/** The drop reason of a refused claim. */
function dropOf(refused: number): Drop {
  return refused === Offer.FULL ? Drop.RING_FULL : Drop.FRAME_TOO_LARGE;
}

export class MirrorPort {
  readonly #writer: RingWriter;
  readonly #numbers: Numbers;
  readonly #requestFlush: FlushRequest;
  #generation = 0;
  /** Nothing that was claimed since the last publish is worth waking the consumer for. */
  #quiet = true;
  #flushRequested = false;
  #late: LateFrame[] = [];
  /** Counters of the HEAD frames claimed since the last publish: they count as offered once the consumer can see them. */
  readonly #offered: MirrorCounters[] = [];

  constructor(writer: RingWriter, requestFlush: FlushRequest) {
    this.#writer = writer;
    this.#numbers = new Numbers(writer.bytes);
    this.#requestFlush = requestFlush;
  }

  /** Frames offered from now on belong to this plan. */
  setGeneration(generation: number): void {
    this.#generation = generation;
  }

  /** Tells the consumer that whoever wrote to this ring before is gone, and its unfinished exchanges with it. */
  announceReplacement(): void {
    this.#mustSend({
      type: FrameType.ABORT,
      flags: Failure.THREAD_ENDED,
      exchangeId: allExchanges,
      outcome: null,
    });
  }

  /** Offers the HEAD of a new exchange, with its `FrameFlag`s; `accepted` or the reason it was dropped. */
  offerHead(
    slot: number,
    exchangeId: number,
    source: CopySource,
    flags: number,
    counters: MirrorCounters,
  ): Drop | typeof accepted {
    if (this.#late.length > 0) return Drop.RING_FULL;
    const offset = this.#writer.claim(
      FrameType.HEAD,
      flags,
      slot,
      exchangeId,
      this.#generation,
      headPayloadBytes(source),
    );
    if (offset < 0) return dropOf(offset);
    writeHead(this.#writer.bytes, this.#numbers, offset, source);
    this.#offered.push(counters);
    this.#quiet = false;
    this.#flushLater();
    return accepted;
  }

  /**
   * Offers a piece of the body, in as many frames as it takes. After a refusal the copy is incomplete and
   * the caller must `abort` it.
   */
  offerBody(slot: number, exchangeId: number, piece: Uint8Array, last: boolean): Failure | typeof accepted {
    if (piece.byteLength === 0) {
      if (last) this.#mustSend({ type: FrameType.END, flags: 0, exchangeId, outcome: null });
      return accepted;
    }
    if (this.#late.length > 0) return Failure.RING_FULL;
    const frameBytesMax = this.#writer.payloadBytesMax;
    let from = 0;
    while (from < piece.byteLength) {
      const to = Math.min(from + frameBytesMax, piece.byteLength);
      const isLast = last && to === piece.byteLength;
      const offset = this.#writer.claim(
        FrameType.BODY,
        isLast ? FrameFlag.LAST : 0,
        slot,
        exchangeId,
        this.#generation,
        to - from,
      );
      if (offset < 0) return Failure.RING_FULL;
      const whole = from === 0 && to === piece.byteLength;
      this.#writer.bytes.set(whole ? piece : piece.subarray(from, to), offset);
      from = to;
    }
    this.#quiet = false;
    this.#flushLater();
    return accepted;
  }

  /** Offers the trailers of a body: whole field lines, a wire string. After a refusal the caller must `abort`. */
  offerTrailers(slot: number, exchangeId: number, lines: string): Failure | typeof accepted {
    if (this.#late.length > 0) return Failure.RING_FULL;
    const offset = this.#writer.claim(
      FrameType.TRAILERS,
      0,
      slot,
      exchangeId,
      this.#generation,
      lines.length,
    );
    if (offset < 0) return Failure.RING_FULL;
    latin1Write(this.#writer.bytes, lines, offset);
    this.#quiet = false;
    this.#flushLater();
    return accepted;
  }

  /**
   * Offers a part of the primary's response, which is captured. False: there is no room, and the capture is lost. It
   * never takes the last half of the ring, because what it carries is worth less than a copy of a request.
   */
  offerResponse(type: number, exchangeId: number, bytes: Uint8Array): boolean {
    if (this.#late.length > 0) return false;
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

  /** The copy is to be given up: its request will not be completed, for this reason. */
  abort(exchangeId: number, reason: Failure): void {
    this.#mustSend({ type: FrameType.ABORT, flags: reason, exchangeId, outcome: null });
  }

  /** What the primary's exchange came to. Nobody waits for it, so it wakes nobody: the consumer looks around. */
  outcome(exchangeId: number, outcome: Outcome): void {
    if (this.#late.length === 0 && this.#writeOutcome(exchangeId, outcome)) return;
    const kept = Object.assign(new Outcome(), outcome);
    this.#mustSend({ type: FrameType.OUTCOME, flags: 0, exchangeId, outcome: kept });
  }

  /**
   * End of turn: everything offered becomes visible with one store and at most one bell, which outcomes and captured
   * responses alone do not ring. True: frames still
   * wait for room, and `flush` must be called again soon.
   */
  flush(): boolean {
    if (!this.#flushRequested && this.#late.length === 0) return false;
    this.#flushRequested = false;
    this.#sendLate();
    this.#writer.publish(this.#quiet);
    this.#quiet = true;
    const offered = this.#offered;
    for (let i = 0; i < offered.length; i++) offered[i].offered();
    offered.length = 0;
    return this.#late.length > 0;
  }

  usedBytes(): number {
    return this.#writer.usedBytes();
  }

  #mustSend(frame: LateFrame): void {
    if (this.#late.length > 0 || !this.#write(frame)) this.#late.push(frame);
    this.#flushLater();
  }

  #sendLate(): void {
    if (this.#late.length === 0) return;
    let sent = 0;
    while (sent < this.#late.length && this.#write(this.#late[sent])) sent++;
    this.#late = this.#late.slice(sent);
  }

  #write(frame: LateFrame): boolean {
    if (frame.outcome !== null) return this.#writeOutcome(frame.exchangeId, frame.outcome);
    this.#quiet = false;
    return this.#writer.claim(frame.type, frame.flags, 0, frame.exchangeId, this.#generation, 0) >= 0;
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
