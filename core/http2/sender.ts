import { limits } from '../limits.js';
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
import { type ByteTarget, Output } from './output.js';
import type { SessionResources } from './session-resources.js';
import { WINDOW_DEFAULT } from './settings.js';
import { Bit, type Stream } from './stream.js';
import { Turns } from './turns.js';

/** What became of a piece of a body. */
export const Sent = {
  /** It is on its way. */
  OK: 0,
  /** It, or a part of it, waits in a copy: write no more until `onWritable`. */
  HELD: 1,
  /** It was not taken: the stream holds as much as it may, or it is over. */
  REFUSED: 2,
} as const;
export type Sent = (typeof Sent)[keyof typeof Sent];

export interface SenderEvents {
  /** There are bytes to flush, for the first time since the last flush. */
  onOutput(): void;
  /** The last frame of our side of a stream was put out. */
  onStreamSent(stream: Stream): void;
}

/**
 * What one connection sends: frames in the order in which they are made, and bodies as far as the windows of
 * the peer and its socket let them (RFC 9113, section 5.2). What can't go waits in its stream, and the
 * streams take turns frame by frame. Frames have the size that every peer takes, so that a turn is short.
 */
export class Sender {
  readonly output: Output;
  readonly turns = new Turns();
  /** Bytes of bodies that the peer takes on the whole connection. */
  window = WINDOW_DEFAULT;
  /** Frames of DATA that were put out. */
  dataFrames = 0;
  readonly #encoder: HpackEncoder;
  readonly #resources: SessionResources;
  readonly #events: SenderEvents;
  #target: ByteTarget | null = null;
  /** The owner knows that a flush is owed. */
  #announced = true;

  constructor(encoder: HpackEncoder, resources: SessionResources, events: SenderEvents) {
    this.output = new Output(resources.blocks);
    this.#encoder = encoder;
    this.#resources = resources;
    this.#events = events;
  }

  /** The connection is there; until then everything is held. `flush` follows. */
  attach(target: ByteTarget): void {
    this.#target = target;
  }

  /** A block of the writer's, as HEADERS and, where it is long, CONTINUATION. */
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

  /** `bytes[start, start + 8)` is what a ping carries, or its answer. */
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

  /** `stream` 0 is the connection. */
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
      // An empty end needs no window, but may not pass what waits before it.
      if (!last || stream.heldBytes > 0) return Sent.OK;
      if (this.output.endStream(stream.id)) this.#sent(stream);
      else this.#frames(stream, piece, 0, true);
      return Sent.OK;
    }
    const waits = stream.heldBytes > 0 || this.turns.first !== null || !this.#mayWrite;
    const now = waits ? 0 : Math.max(0, Math.min(this.window, stream.sendWindow, piece.length));
    if (now > 0) this.#frames(stream, piece, now, last && now === piece.length);
    if (now === piece.length) return Sent.OK;
    if (stream.heldBytes === 0) stream.waitsSinceUs = this.#resources.clock();
    stream.held.push(Buffer.from(now === 0 ? piece : piece.subarray(now)));
    stream.heldBytes += piece.length - now;
    if (stream.sendWindow > 0) this.turns.add(stream);
    if (last) return Sent.OK;
    stream.set(Bit.ROOM_OWED);
    return Sent.HELD;
  }

  /** Ends a body with trailers, behind what is held of it. */
  trailers(stream: Stream, lines: string): Sent {
    if (lines === '') return this.data(stream, nothing, true);
    if (stream.has(Bit.RESET | Bit.LAST_WRITTEN)) return Sent.REFUSED;
    stream.set(Bit.LAST_WRITTEN);
    stream.trailers = lines;
    if (stream.heldBytes === 0) this.#end(stream);
    return Sent.OK;
  }

  /** WINDOW_UPDATE of the connection. False: the window would pass 2^31 - 1. */
  widen(bytes: number): boolean {
    if (this.window + bytes > INT31_MAX) return false;
    this.window += bytes;
    if (this.turns.first !== null) this.#announce();
    return true;
  }

  /** WINDOW_UPDATE of a stream, or what follows from a new initial window. False as in `widen`. */
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

  /** Forgets what a stream has held. */
  drop(stream: Stream): void {
    this.turns.remove(stream);
    stream.held.length = 0;
    stream.heldBytes = 0;
    stream.waitsSinceUs = 0;
  }

  /** Puts out what waits as far as the windows go, and hands all of it to the socket. */
  flush(): void {
    const target = this.#target;
    if (target === null) return;
    this.#announced = true;
    do {
      this.#takeTurns();
      this.output.flush(target);
    } while (this.turns.first !== null && this.window > 0 && this.#mayWrite && !target.writing);
    this.#announced = false;
  }

  /** The connection is gone. */
  clear(): void {
    this.output.clear();
    this.#target = null;
  }

  get #mayWrite(): boolean {
    return this.output.heldBytes < limits.http2WriteAheadBytes;
  }

  /** Each stream in turn sends one frame; one whose window is used up leaves until it is opened again. */
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
      stream.waitsSinceUs = stream.heldBytes > 0 ? nowUs : 0;
      stream.heldFrom += count;
      if (stream.heldFrom === piece.length) {
        stream.held.shift();
        stream.heldFrom = 0;
      }
      const isLast = stream.heldBytes === 0 && stream.has(Bit.LAST_WRITTEN) && stream.trailers === '';
      if (stream.heldBytes === 0 || stream.sendWindow === count) turns.remove(stream);
      this.#frames(stream, from === 0 ? piece : piece.subarray(from), count, isLast);
      if (stream.heldBytes > 0) continue;
      if (stream.has(Bit.LAST_WRITTEN)) {
        if (!isLast) this.#end(stream);
      } else if (stream.has(Bit.ROOM_OWED)) {
        stream.clear(Bit.ROOM_OWED);
        stream.sink.onWritable();
      }
    }
  }

  /** The first `count` bytes of a piece, for which both windows have room. */
  #frames(stream: Stream, piece: Uint8Array, count: number, last: boolean): void {
    const { output } = this;
    const target = this.#target;
    const flags = last ? Flag.END_STREAM : Flag.NONE;
    stream.sendWindow -= count;
    this.window -= count;
    this.dataFrames++;
    if (count >= limits.passedBytes && output.canPass(target)) {
      output.pass(piece, 0, count, flags, stream.id, target!);
    } else {
      let from = 0;
      do {
        const end = Math.min(count, from + FRAME_BYTES_DEFAULT);
        output.frameHead(end - from, FrameType.DATA, end === count ? flags : Flag.NONE, stream.id);
        output.bytes(piece, from, end);
        from = end;
      } while (from < count);
    }
    this.#announce();
    if (last) this.#sent(stream);
  }

  /** The end that waited behind the held bytes of a body. */
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
