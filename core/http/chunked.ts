import { limits } from '../limits.js';
import { Char, hexValueOf, isFieldByte, isTokenByte, NOT_HEX } from './chars.js';
import { ResponseFault } from './response-fault.js';
import { latin1Slice } from './wire.js';

/** Takes the data of chunks. The bytes are a view of the input and are valid during the call only. */
export interface ChunkSink {
  onBody(bytes: Uint8Array): void;
}

/** The position of the next byte in the grammar of RFC 9112, section 7.1. */
const State = {
  SIZE_START: 0,
  SIZE: 1,
  /** White space after the size, which is allowed only before an extension. */
  SIZE_BLANK: 2,
  /** After a semicolon: the name of an extension follows. */
  EXTENSION_START: 3,
  EXTENSION_NAME: 4,
  NAME_END: 5,
  /** After an equals sign: a token or a quoted string follows. */
  VALUE_START: 6,
  VALUE: 7,
  VALUE_END: 8,
  /**
   * Within quotes, which must close on the same line: some parsers would otherwise continue in the next line.
   */
  QUOTED: 9,
  QUOTED_PAIR: 10,
  SIZE_LF: 11,
  DATA: 12,
  DATA_CR: 13,
  DATA_LF: 14,
  TRAILER_START: 15,
  TRAILER_NAME: 16,
  TRAILER_VALUE: 17,
  TRAILER_LF: 18,
  LAST_LF: 19,
  DONE: 20,
  REFUSED: 21,
  STOPPED: 22,
} as const;
type State = (typeof State)[keyof typeof State];

/** Bytes of the empty line that ends the trailer section. */
const EMPTY_LINE_BYTES = 2;

/** The largest size to which another hexadecimal digit can be added without exceeding 2^53 - 1. */
const SIZE_BEFORE_DIGIT_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 16);

/**
 * Decodes a chunked body, any number of bytes at a time. Sizes are bounded, extensions are bounded and
 * ignored, and CRLF is strict. Trailers are checked and kept separate; they are never merged into the head.
 */
export class ChunkedDecoder {
  fault: ResponseFault = ResponseFault.NONE;
  /** The lines of the trailer section as they arrived, once `done`: a wire string, usually empty. */
  trailers = '';
  #state: State = State.SIZE_START;
  /** The size that is being read, then the bytes of data that are missing. */
  #left = 0;
  /** Bytes of the current line or of the trailer section. */
  #lineBytes = 0;

  reset(): void {
    this.fault = ResponseFault.NONE;
    this.trailers = '';
    this.#state = State.SIZE_START;
    this.#left = 0;
    this.#lineBytes = 0;
  }

  get done(): boolean {
    return this.#state === State.DONE;
  }

  /** `stop` ends `feed` after the current call of the sink. */
  stop(): void {
    this.#state = State.STOPPED;
  }

  /**
   * `feed` decodes `bytes[start, end)` into `sink` and returns where it stopped. That is `end`, or a position
   * before it when the body is `done`, was rejected (`fault`), or the sink called `stop`.
   */
  feed(bytes: Buffer, start: number, end: number, sink: ChunkSink): number {
    let at = start;
    while (at < end && this.#state < State.DONE) {
      if (this.#state === State.DATA) at = this.#data(bytes, at, end, sink);
      else if (this.#state >= State.TRAILER_START) at = this.#trailerSection(bytes, at, end);
      else this.#step(bytes[at++]!);
    }
    return at;
  }

  #data(bytes: Buffer, at: number, end: number, sink: ChunkSink): number {
    const to = Math.min(end, at + this.#left);
    this.#left -= to - at;
    // The state is set before the call, because the sink may call `stop`.
    if (this.#left === 0) this.#state = State.DATA_CR;
    sink.onBody(bytes.subarray(at, to));
    return to;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case State.SIZE_START:
        this.#left = 0;
        this.#lineBytes = 0;
        this.#state =
          hexValueOf[byte] === NOT_HEX ? this.#refused(ResponseFault.CHUNK_LINE) : this.#size(byte);
        break;
      case State.SIZE:
        this.#state = this.#size(byte);
        break;
      case State.SIZE_BLANK:
        this.#state = this.#sizeBlank(byte);
        break;
      case State.EXTENSION_START:
      case State.EXTENSION_NAME:
      case State.NAME_END:
      case State.VALUE_START:
      case State.VALUE:
      case State.VALUE_END:
        this.#state = this.#extension(byte);
        break;
      case State.QUOTED:
      case State.QUOTED_PAIR:
        this.#state = this.#quoted(byte);
        break;
      case State.SIZE_LF:
        this.#lineBytes = 0;
        if (byte !== Char.LF) this.#state = this.#refused(ResponseFault.CHUNK_LINE);
        else this.#state = this.#left === 0 ? State.TRAILER_START : State.DATA;
        break;
      case State.DATA_CR:
        this.#state = byte === Char.CR ? State.DATA_LF : this.#refused(ResponseFault.CHUNK_END);
        break;
      case State.DATA_LF:
        this.#state = byte === Char.LF ? State.SIZE_START : this.#refused(ResponseFault.CHUNK_END);
        break;
    }
  }

  /** `#trailerSection` reads the trailer section and keeps its lines. */
  #trailerSection(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state < State.DONE) this.#state = this.#trailer(bytes[at++]!);
    const isDone = this.#state === State.DONE;
    // Nearly always the section is just the empty line.
    if (isDone && this.#lineBytes === EMPTY_LINE_BYTES) {
      this.trailers = '';
      return at;
    }
    this.trailers += latin1Slice(bytes, start, at);
    if (isDone) this.trailers = this.trailers.slice(0, -EMPTY_LINE_BYTES);
    return at;
  }

  #size(byte: number): State {
    if (this.#lineIsFull()) return this.#refused(ResponseFault.CHUNK_LINE);
    const digit = hexValueOf[byte]!;
    if (digit !== NOT_HEX) {
      if (this.#left > SIZE_BEFORE_DIGIT_MAX) return this.#refused(ResponseFault.CHUNK_LINE);
      this.#left = this.#left * 16 + digit;
      return State.SIZE;
    }
    if (byte === Char.CR) return State.SIZE_LF;
    return this.#sizeBlank(byte);
  }

  #sizeBlank(byte: number): State {
    if (this.#lineIsFull()) return this.#refused(ResponseFault.CHUNK_LINE);
    if (byte === Char.SEMICOLON) return State.EXTENSION_START;
    if (byte === Char.SP || byte === Char.HTAB) return State.SIZE_BLANK;
    return this.#refused(ResponseFault.CHUNK_LINE);
  }

  /** `#extension` follows RFC 9112, section 7.1.1: names are tokens, values are tokens or quoted strings. */
  #extension(byte: number): State {
    if (this.#lineIsFull()) return this.#refused(ResponseFault.CHUNK_LINE);
    const state = this.#state;
    const inName = state === State.EXTENSION_START || state === State.EXTENSION_NAME;
    const inValue = state === State.VALUE_START || state === State.VALUE;
    if (isTokenByte[byte] === 1) {
      if (inName) return State.EXTENSION_NAME;
      return inValue ? State.VALUE : this.#refused(ResponseFault.CHUNK_LINE);
    }
    if (byte === Char.SP || byte === Char.HTAB) {
      if (state === State.EXTENSION_START || state === State.VALUE_START) return state;
      return state === State.EXTENSION_NAME || state === State.NAME_END ? State.NAME_END : State.VALUE_END;
    }
    if (state === State.VALUE_START && byte === Char.QUOTE) return State.QUOTED;
    if (state === State.EXTENSION_START || state === State.VALUE_START)
      return this.#refused(ResponseFault.CHUNK_LINE);
    if (byte === Char.CR) return State.SIZE_LF;
    if (byte === Char.SEMICOLON) return State.EXTENSION_START;
    const named = state === State.EXTENSION_NAME || state === State.NAME_END;
    return named && byte === Char.EQUALS ? State.VALUE_START : this.#refused(ResponseFault.CHUNK_LINE);
  }

  #quoted(byte: number): State {
    if (isFieldByte[byte] === 0 || this.#lineIsFull()) return this.#refused(ResponseFault.CHUNK_LINE);
    if (this.#state === State.QUOTED_PAIR) return State.QUOTED;
    if (byte === Char.BACKSLASH) return State.QUOTED_PAIR;
    return byte === Char.QUOTE ? State.VALUE_END : State.QUOTED;
  }

  #trailer(byte: number): State {
    if (++this.#lineBytes > limits.trailerBytes) return this.#refused(ResponseFault.TRAILER);
    switch (this.#state) {
      case State.TRAILER_START:
        if (byte === Char.CR) return State.LAST_LF;
        return isTokenByte[byte] === 1 ? State.TRAILER_NAME : this.#refused(ResponseFault.TRAILER);
      case State.TRAILER_NAME:
        if (byte === Char.COLON) return State.TRAILER_VALUE;
        return isTokenByte[byte] === 1 ? State.TRAILER_NAME : this.#refused(ResponseFault.TRAILER);
      case State.TRAILER_VALUE:
        if (byte === Char.CR) return State.TRAILER_LF;
        return isFieldByte[byte] === 1 ? State.TRAILER_VALUE : this.#refused(ResponseFault.TRAILER);
      case State.TRAILER_LF:
        return byte === Char.LF ? State.TRAILER_START : this.#refused(ResponseFault.TRAILER);
      default:
        return byte === Char.LF ? State.DONE : this.#refused(ResponseFault.TRAILER);
    }
  }

  #lineIsFull(): boolean {
    return ++this.#lineBytes > limits.chunkLineBytes;
  }

  #refused(fault: ResponseFault): State {
    this.fault = fault;
    return State.REFUSED;
  }
}
