import { type Borrower, currentRead } from '../current-read.js';
import { limits } from '../limits.js';
import type { WriteTarget } from '../write-queue.js';
import type { ErrorCode } from './error-code.js';
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FrameType,
  GOAWAY_BYTES_MIN,
  INT31_MAX,
  PING_BYTES,
  RESET_BYTES,
  WINDOW_UPDATE_BYTES,
} from './frame.js';
import type { HpackEncoder } from './hpack-encoder.js';
import { Output } from './output.js';
import type { SessionResources } from './session-resources.js';
import { WINDOW_DEFAULT } from './settings.js';
import { Bit, type Stream } from './stream.js';
import { Turns } from './turns.js';

/** The result of writing a piece of a body. */
export const Sent = {
  /** The piece was sent or queued for the socket. */
  OK: 0,
  /** A copy of the piece, or of its rest, waits for a window. Write no more until `onWritable`. */
  HELD: 1,
  /** The piece was not accepted: the stream holds its maximum or has ended. */
  REFUSED: 2,
} as const;
export type Sent = (typeof Sent)[keyof typeof Sent];

export interface SenderEvents {
  /** There are bytes to flush. Called once between two flushes. */
  onOutput(): void;
  /** The last frame of our side of a stream was written. */
  onStreamSent(stream: Stream): void;
}

/**
 * `Sender` writes the frames of one connection in order, and bodies as far as the peer's windows and the
 * socket allow (RFC 9113, section 5.2). The rest of a body waits in its stream, and waiting streams take
 * turns frame by frame. DATA frames have at most the size that every peer accepts, which keeps a turn short.
 */
export class Sender implements Borrower {
  readonly output: Output;
  readonly turns = new Turns();
  /** The peer's window for the whole connection. */
  window = WINDOW_DEFAULT;
  /** DATA frames written so far. */
  dataFrames = 0;
  readonly #encoder: HpackEncoder;
  readonly #resources: SessionResources;
  readonly #events: SenderEvents;
  #target: WriteTarget | null = null;
  /** The owner was notified that a flush is due. */
  #announced = true;
  /** Pieces are copies of ours, and leave at the end of `flush`. */
  #isFlushing = false;

  constructor(encoder: HpackEncoder, resources: SessionResources, events: SenderEvents) {
    this.output = new Output(resources.blocks);
    this.#encoder = encoder;
    this.#resources = resources;
    this.#events = events;
  }

  /** The connection is established; until then everything is held. The caller flushes next. */
  attach(target: WriteTarget): void {
    this.#target = target;
  }

  /** Sends the block that the writer holds, as HEADERS and CONTINUATION. */
  block(stream: number, length: number, endsStream: boolean): void {
    const { output } = this;
    const { out } = this.#resources.writer;
    let type: number = FrameType.HEADERS;
    let flags: number = endsStream ? Flag.END_STREAM : Flag.NONE;
    let at = 0;
    do {
      const end = Math.min(length, at + FRAME_BYTES_DEFAULT);
      output.frameHead(end - at, type, end === length ? flags | Flag.END_HEADERS : flags, stream);
      output.bytes(out, at, end);
      type = FrameType.CONTINUATION;
      flags = Flag.NONE;
      at = end;
    } while (at < length);
    this.#announce();
  }

  settings(payload: Buffer, flags: number): void {
    this.output.frameHead(payload.length, FrameType.SETTINGS, flags, 0);
    this.output.bytes(payload, 0, payload.length);
    this.#announce();
  }

  /** Sends a PING or its answer with the payload `bytes[start, start + 8)`. */
  ping(bytes: Uint8Array, start: number, flags: number): void {
    this.output.frameHead(PING_BYTES, FrameType.PING, flags, 0);
    this.output.bytes(bytes, start, start + PING_BYTES);
    this.#announce();
  }

  goaway(lastStream: number, code: ErrorCode): void {
    this.output.frameHead(GOAWAY_BYTES_MIN, FrameType.GOAWAY, Flag.NONE, 0);
    this.output.uint32(lastStream);
    this.output.uint32(code);
    this.#announce();
  }

  reset(stream: number, code: ErrorCode): void {
    this.output.frameHead(RESET_BYTES, FrameType.RST_STREAM, Flag.NONE, stream);
    this.output.uint32(code);
    this.#announce();
  }

  /** Sends WINDOW_UPDATE; stream 0 is the connection. */
  windowUpdate(stream: number, bytes: number): void {
    this.output.frameHead(WINDOW_UPDATE_BYTES, FrameType.WINDOW_UPDATE, Flag.NONE, stream);
    this.output.uint32(bytes);
    this.#announce();
  }

  /** The next piece of a stream's body: copied or sent when this returns. `last`: it is complete. */
  data(stream: Stream, piece: Uint8Array, last: boolean): Sent {
    if (stream.has(Bit.RESET | Bit.LAST_WRITTEN)) return Sent.REFUSED;
    if (stream.heldBytes + piece.length > limits.heldBodyBytes) return Sent.REFUSED;
    if (last) stream.set(Bit.LAST_WRITTEN);
    if (piece.length === 0) {
      // An empty end needs no window, but must not overtake held bytes.
      if (!last || stream.heldBytes > 0) return Sent.OK;
      if (this.output.endStream(stream.id)) this.#sent(stream);
      else this.#frames(stream, piece, 0, true);
      return Sent.OK;
    }
    const waits = stream.heldBytes > 0 || this.turns.first !== null || !this.#mayWrite;
    const now = waits ? 0 : Math.max(0, Math.min(this.window, stream.sendWindow, piece.length));
    if (now > 0) this.#frames(stream, piece, now, last && now === piece.length);
    if (now === piece.length) return Sent.OK;
    if (stream.heldBytes === 0) stream.blockedSinceUs = this.#resources.clock();
    stream.held.push(Buffer.from(now === 0 ? piece : piece.subarray(now)));
    stream.heldBytes += piece.length - now;
    if (stream.sendWindow > 0) this.turns.add(stream);
    stream.set(Bit.ROOM_OWED);
    return last ? Sent.OK : Sent.HELD;
  }

  /** Ends a body with trailers, which follow its held bytes. */
  trailers(stream: Stream, lines: string): Sent {
    if (lines === '') return this.data(stream, nothing, true);
    if (stream.has(Bit.RESET | Bit.LAST_WRITTEN)) return Sent.REFUSED;
    stream.set(Bit.LAST_WRITTEN);
    stream.trailers = lines;
    if (stream.heldBytes === 0) this.#end(stream);
    return Sent.OK;
  }

  /** Handles WINDOW_UPDATE of the connection. False: the window would exceed 2^31 - 1. */
  widen(bytes: number): boolean {
    if (this.window + bytes > INT31_MAX) return false;
    this.window += bytes;
    if (this.turns.first !== null) this.#announce();
    return true;
  }

  /** Handles WINDOW_UPDATE of a stream, or a change of the initial window. False: as for `widen`. */
  widenStream(stream: Stream, bytes: number): boolean {
    if (stream.sendWindow + bytes > INT31_MAX) return false;
    stream.sendWindow += bytes;
    if (stream.sendWindow <= 0) {
      this.turns.remove(stream);
    } else if (stream.heldBytes > 0) {
      this.turns.add(stream);
      this.#announce();
    }
    return true;
  }

  /** Discards the held bytes of a stream. */
  drop(stream: Stream): void {
    this.turns.remove(stream);
    stream.held.length = 0;
    stream.heldBytes = 0;
    stream.blockedSinceUs = 0;
  }

  /** Sends held bodies as far as the windows allow, and hands all frames to the socket. */
  flush(): void {
    const target = this.#target;
    if (target === null) return;
    this.#announced = true;
    this.#isFlushing = true;
    do {
      this.#takeTurns();
      this.output.flush(target);
    } while (this.turns.first !== null && this.window > 0 && this.#mayWrite && !target.writing);
    this.#isFlushing = false;
    this.#announced = false;
  }

  /** The read is over whose pieces the output holds by reference. */
  settle(): void {
    if (this.#target !== null) this.output.settle(this.#target);
  }

  /** The connection is closed. */
  clear(): void {
    this.output.clear(null);
    this.#target = null;
  }

  get #mayWrite(): boolean {
    return this.output.heldBytes < limits.http2WriteAheadBytes;
  }

  /**
   * Lets each waiting stream send one frame in turn. A stream with an exhausted window leaves the ring until
   * WINDOW_UPDATE.
   */
  #takeTurns(): void {
    const { turns } = this;
    const nowUs = turns.first === null ? 0 : this.#resources.clock();
    for (
      let stream = turns.first;
      stream !== null && this.window > 0 && this.#mayWrite;
      stream = turns.first
    ) {
      turns.rotate();
      const piece = stream.held[0]!;
      const from = stream.heldFrom;
      const room = Math.min(this.window, stream.sendWindow, FRAME_BYTES_DEFAULT);
      const count = Math.min(room, piece.length - from);
      stream.heldBytes -= count;
      stream.blockedSinceUs = stream.heldBytes > 0 ? nowUs : 0;
      stream.heldFrom += count;
      if (stream.heldFrom === piece.length) {
        stream.held.shift();
        stream.heldFrom = 0;
      }
      const isLast = stream.heldBytes === 0 && stream.has(Bit.LAST_WRITTEN) && stream.trailers === '';
      if (stream.heldBytes === 0 || stream.sendWindow === count) turns.remove(stream);
      this.#frames(stream, from === 0 ? piece : piece.subarray(from), count, isLast);
      if (stream.heldBytes > 0) continue;
      if (stream.has(Bit.LAST_WRITTEN) && !isLast) this.#end(stream);
      if (!stream.has(Bit.ROOM_OWED)) continue;
      stream.clear(Bit.ROOM_OWED);
      if (!stream.isClosed) stream.sink.onWritable();
    }
  }

  /** Sends the first `count` bytes of a piece, for which both windows have room. */
  #frames(stream: Stream, piece: Uint8Array, count: number, last: boolean): void {
    const { output } = this;
    const target = this.#target;
    const flags = last ? Flag.END_STREAM : Flag.NONE;
    stream.sendWindow -= count;
    this.window -= count;
    this.dataFrames++;
    const mayBorrow = target !== null && count >= limits.passedBytes;
    let isOwed = false;
    let from = 0;
    do {
      const end = Math.min(count, from + FRAME_BYTES_DEFAULT);
      output.frameHead(end - from, FrameType.DATA, end === count ? flags : Flag.NONE, stream.id);
      if (mayBorrow && output.canBorrow(target)) isOwed = output.borrow(piece.subarray(from, end)) || isOwed;
      else output.bytes(piece, from, end);
      from = end;
    } while (from < count);
    if (isOwed && !this.#isFlushing) {
      if (currentRead.isOpen) currentRead.owe(this);
      else this.settle();
    }
    this.#announce();
    if (last) this.#sent(stream);
  }

  /** Sends the trailers, after the held bytes of the body. */
  #end(stream: Stream): void {
    const length = this.#resources.writer.trailers(this.#encoder, stream.trailers);
    this.block(stream.id, length, true);
    this.#sent(stream);
  }

  /** Our side of a stream is over. */
  #sent(stream: Stream): void {
    stream.set(Bit.ENDED);
    this.#events.onStreamSent(stream);
  }

  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    this.#events.onOutput();
  }
}

const nothing = new Uint8Array(0);
