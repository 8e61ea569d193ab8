import { ErrorCode } from './error-code.js';
import {
  Flag,
  FRAME_BYTES_DEFAULT,
  FRAME_HEAD_BYTES,
  FrameType,
  HeadAt,
  LAST_KNOWN_TYPE,
  PREFACE,
  readUint24,
  readUint31,
} from './frame.js';

/** Receives frames in order. The bytes are valid only during the call. */
export interface FrameSink {
  /** The reader stops. */
  readonly isOver: boolean;
  /** A complete frame other than DATA. A frame of an unknown type is passed without its payload. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void;
  /** A DATA frame begins. `length` is its flow-controlled length, which includes padding. */
  onDataHead(flags: number, stream: number, length: number): void;
  /** The next bytes of its data, possibly none. `last`: they end the frame. */
  onDataPiece(bytes: Buffer, start: number, end: number, last: boolean): void;
  /** The bytes are not a valid frame; `code` is the connection error. */
  onBadFrame(code: ErrorCode): void;
}

/** What the reader expects next. */
const Next = {
  PREFACE: 0,
  HEAD: 1,
  /** The payload of a frame that is delivered as a whole. */
  PAYLOAD: 2,
  PAD_LENGTH: 3,
  DATA: 4,
  /** Padding, or the payload of an unknown frame. */
  SKIPPED: 5,
} as const;
type Next = (typeof Next)[keyof typeof Next];

/**
 * `FrameReader` splits the bytes of one connection into frames, whatever the boundaries of reads. DATA is
 * delivered as it arrives, without a copy. Other frames are delivered in place when they are complete within
 * one read; otherwise the reader collects their payload first.
 */
export class FrameReader {
  /** Frames whose heads were read. */
  frames = 0;
  readonly #sink: FrameSink;
  #next: Next;
  /** Bytes received of the preface, or of a frame head or payload that a read has split. */
  #have = 0;
  /** Bytes left of the payload, the data or the skipped part. */
  #left = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #padding = 0;
  readonly #head = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  #held: Buffer = none;

  /** `afterPreface`: the peer sends no preface, as servers do not. */
  constructor(sink: FrameSink, afterPreface: boolean) {
    this.#sink = sink;
    this.#next = afterPreface ? Next.HEAD : Next.PREFACE;
  }

  /** Whether the preface, or a frame other than DATA, has begun and is incomplete. */
  get isPartial(): boolean {
    return this.#have > 0 || this.#next === Next.PREFACE || this.#next === Next.PAYLOAD;
  }

  /** Reads `bytes[start, end)` until the sink `isOver`. */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#sink.isOver) {
      switch (this.#next) {
        case Next.PREFACE:
          at = this.#readPreface(bytes, at, end);
          break;
        case Next.HEAD:
          at = this.#readHead(bytes, at, end);
          break;
        case Next.PAYLOAD:
          at = this.#readPayload(bytes, at, end);
          break;
        case Next.PAD_LENGTH:
          this.#readPadLength(bytes[at++]!);
          break;
        case Next.DATA:
          at = this.#readData(bytes, at, end);
          break;
        default:
          at = this.#skip(at, end);
      }
    }
  }

  #readPreface(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#have < PREFACE.length) {
      if (bytes[at++] !== PREFACE[this.#have++]) {
        this.#sink.onBadFrame(ErrorCode.PROTOCOL_ERROR);
        return at;
      }
    }
    if (this.#have === PREFACE.length) this.#expectHead();
    return at;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#have === 0 && end - start >= FRAME_HEAD_BYTES) {
      this.#begin(bytes, start);
      return this.#beginPayload(bytes, start + FRAME_HEAD_BYTES, end);
    }
    const count = Math.min(FRAME_HEAD_BYTES - this.#have, end - start);
    for (let i = 0; i < count; i++) this.#head[this.#have + i] = bytes[start + i]!;
    this.#have += count;
    if (this.#have < FRAME_HEAD_BYTES) return end;
    this.#begin(this.#head, 0);
    return this.#beginPayload(bytes, start + count, end);
  }

  #begin(bytes: Uint8Array, at: number): void {
    this.frames++;
    this.#have = 0;
    this.#left = readUint24(bytes, at + HeadAt.LENGTH);
    this.#type = bytes[at + HeadAt.TYPE]!;
    this.#flags = bytes[at + HeadAt.FLAGS]!;
    this.#stream = readUint31(bytes, at + HeadAt.STREAM);
    this.#padding = 0;
  }

  /**
   * Handles a frame whose head is known. A complete payload is delivered at once. Returns where to continue.
   */
  #beginPayload(bytes: Buffer, at: number, end: number): number {
    const length = this.#left;
    if (length > FRAME_BYTES_DEFAULT) {
      this.#sink.onBadFrame(ErrorCode.FRAME_SIZE_ERROR);
      return end;
    }
    if (this.#type === FrameType.DATA) {
      this.#beginData();
      return at;
    }
    if (this.#type > LAST_KNOWN_TYPE) {
      this.#next = length === 0 ? Next.HEAD : Next.SKIPPED;
      this.#sink.onFrame(this.#type, this.#flags, this.#stream, bytes, at, at);
      return at;
    }
    if (length > end - at) {
      this.#next = Next.PAYLOAD;
      return at;
    }
    this.#next = Next.HEAD;
    this.#sink.onFrame(this.#type, this.#flags, this.#stream, bytes, at, at + length);
    return at + length;
  }

  #readPayload(bytes: Buffer, start: number, end: number): number {
    if (this.#have === 0) this.#held = Buffer.allocUnsafeSlow(this.#left);
    const count = Math.min(this.#left - this.#have, end - start);
    bytes.copy(this.#held, this.#have, start, start + count);
    this.#have += count;
    if (this.#have < this.#left) return end;
    const held = this.#held;
    this.#held = none;
    this.#expectHead();
    this.#sink.onFrame(this.#type, this.#flags, this.#stream, held, 0, held.length);
    return start + count;
  }

  #beginData(): void {
    const isPadded = (this.#flags & Flag.PADDED) !== 0;
    if (isPadded && this.#left === 0) {
      this.#sink.onBadFrame(ErrorCode.FRAME_SIZE_ERROR);
      return;
    }
    this.#sink.onDataHead(this.#flags, this.#stream, this.#left);
    if (isPadded) this.#next = Next.PAD_LENGTH;
    else this.#expectData();
  }

  /** RFC 9113, section 6.1: padding longer than the rest of the payload is a connection error. */
  #readPadLength(padding: number): void {
    this.#left--;
    if (padding > this.#left) {
      this.#sink.onBadFrame(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    this.#left -= padding;
    this.#padding = padding;
    this.#expectData();
  }

  /** Empty data is delivered at once: the next byte may arrive much later. */
  #expectData(): void {
    if (this.#left > 0) this.#next = Next.DATA;
    else this.#endData(none, 0, 0);
  }

  #readData(bytes: Buffer, start: number, end: number): number {
    const to = Math.min(end, start + this.#left);
    this.#left -= to - start;
    if (this.#left > 0) this.#sink.onDataPiece(bytes, start, to, false);
    else this.#endData(bytes, start, to);
    return to;
  }

  #endData(bytes: Buffer, start: number, end: number): void {
    this.#left = this.#padding;
    this.#next = this.#padding > 0 ? Next.SKIPPED : Next.HEAD;
    this.#sink.onDataPiece(bytes, start, end, true);
  }

  #skip(start: number, end: number): number {
    const to = Math.min(end, start + this.#left);
    this.#left -= to - start;
    if (this.#left === 0) this.#expectHead();
    return to;
  }

  #expectHead(): void {
    this.#next = Next.HEAD;
    this.#have = 0;
  }
}

const none = Buffer.alloc(0);
