import { Framing } from '../http/message.js';
import { CHUNK_END, chunkStart, lastChunk } from '../http/request-writer.js';
import { limits } from '../limits.js';
import type { WriteTarget } from '../write-queue.js';
import { Outbox, type OutboxTarget } from './outbox.js';
import type { WriteArena } from './write-arena.js';

/** The result of adding a piece of the body. */
export const Put = {
  OK: 0,
  /** The body is longer or shorter than its Content-Length. */
  WRONG_LENGTH: 1,
  /** It can't be held: `limits.heldBodyBytes` is reached, or the thread's arena is empty. */
  NO_ROOM: 2,
} as const;
export type Put = (typeof Put)[keyof typeof Put];

/**
 * The request of one exchange on its way to the upstream: framed, held while there is no connection, and kept
 * where it may be sent a second time.
 *
 * A short request is kept as one wire string until its connection has answered. A request larger than
 * `limits.replayBytes`, or one on a fresh connection, goes through the outbox alone.
 */
export class OutgoingRequest {
  /** Bytes of the body without framing that the owner has written so far. */
  bodyBytes = 0;
  /** The owner has written the last piece. */
  lastWritten = false;
  /** The trailers of a chunked body, set before its last piece: whole field lines, a wire string. */
  trailers = '';
  #framing: Framing = Framing.NONE;
  #contentLength = 0;
  /** The whole request so far, while `#wireWhole`. */
  #wire = '';
  #headBytes = 0;
  /** The number of pieces in `#wire`. */
  #pieces = 0;
  #wireWhole = false;
  /** Bytes that the socket has not taken. */
  readonly #outbox = new Outbox();

  begin(arena: WriteArena, head: string, framing: Framing, contentLength: number): void {
    this.bodyBytes = 0;
    this.lastWritten = framing === Framing.NONE;
    this.trailers = '';
    this.#framing = framing;
    this.#contentLength = contentLength;
    this.#wire = head;
    this.#headBytes = head.length;
    this.#pieces = 0;
    this.#wireWhole = true;
    this.#outbox.begin(arena);
  }

  /** Bytes kept in memory. Bytes that are kept as text and wait for a connection count once. */
  get heldBytes(): number {
    return this.#wire.length + this.#outbox.heldBytes;
  }

  /**
   * The request can be sent a second time: it is complete in memory, and the end of the body is known. A
   * streamed body is never sent twice.
   */
  get replayable(): boolean {
    return this.#wireWhole && (this.lastWritten || this.#framing === Framing.LENGTH);
  }

  /**
   * `put` adds a piece of the body. With a connection, a large piece is written at once as far as possible,
   * and `flush` follows. With null the piece is held.
   */
  put(piece: Uint8Array, last: boolean, connection: WriteTarget | null): Put {
    this.bodyBytes += piece.length;
    this.lastWritten = last;
    if (this.#framing === Framing.LENGTH && this.#missesLength()) return Put.WRONG_LENGTH;
    if (this.#wireWhole) {
      if (this.#fitsReplay() || (connection === null && this.#waitsShort())) {
        this.#wire += this.#framed(piece);
        if (connection === null) {
          // V8 keeps the parts of a concatenated string, at a cost that a client may multiply with pieces of
          // one byte.
          if (++this.#pieces % flatPieces === 0) this.#wire = flat(this.#wire);
          return Put.OK;
        }
      } else {
        // Too large to keep as a string. A request that waits for a connection moves to the outbox.
        const wire = this.#wire;
        this.dropWire();
        if (connection === null && !this.#outbox.putText(wire)) return Put.NO_ROOM;
      }
    }
    if (this.#outbox.heldBytes + piece.length > limits.heldBodyBytes) return Put.NO_ROOM;
    if (connection !== null && this.#passes(piece, connection))
      return this.#outbox.passBytes(piece, connection) ? Put.OK : Put.NO_ROOM;
    return this.#box(piece) ? Put.OK : Put.NO_ROOM;
  }

  /**
   * `open` begins the exchange on a connection: the request so far goes to the outbox, and `flush` follows.
   * With `keep` it may be needed a second time. False: the arena is empty.
   */
  open(keep: boolean): boolean {
    if (!this.#wireWhole) return true;
    if (!this.#outbox.putText(this.#wire)) return false;
    if (!keep || !this.#fitsReplay()) this.dropWire();
    return true;
  }

  /** `flushDirect` writes what the kernel takes at once. True: everything was written. */
  flushDirect(connection: WriteTarget): boolean {
    this.#outbox.flushDirect(connection);
    return this.#outbox.heldBytes === 0;
  }

  /** False: the arena has no block left for pieces of the current read that the kernel did not take. */
  flush(connection: WriteTarget): boolean {
    return this.#outbox.flush(connection);
  }

  /** The latest pieces are written at the end of the current read. */
  get borrows(): boolean {
    return this.#outbox.borrows;
  }

  /**
   * `drained` returns true when the kernel has everything written so far. A short request that waits for a
   * connection counts as written.
   */
  drained(connection: WriteTarget | null): boolean {
    return this.#outbox.heldBytes === 0 && !(connection?.writing ?? false);
  }

  /** `dropWire` drops the text of the request. It can't be sent again afterwards. */
  dropWire(): void {
    this.#wire = '';
    this.#wireWhole = false;
  }

  /** `clearOutbox` clears the outbox. The wire string stays for another connection. */
  clearOutbox(connection: OutboxTarget | null): void {
    this.#outbox.discard(connection);
  }

  #missesLength(): boolean {
    return this.lastWritten ? this.bodyBytes !== this.#contentLength : this.bodyBytes > this.#contentLength;
  }

  /** `#waitsShort` returns true when a long body is still short enough to be kept. */
  #waitsShort(): boolean {
    return this.#framing === Framing.LENGTH && this.bodyBytes <= limits.replayBytes;
  }

  /**
   * `#fitsReplay` returns true when the body, as far as its length is known, can be kept for a second
   * sending.
   */
  #fitsReplay(): boolean {
    const bytes = this.#framing === Framing.LENGTH ? this.#contentLength : this.bodyBytes;
    // The framing of chunks may be larger than their data.
    return bytes <= limits.replayBytes && this.#wire.length - this.#headBytes <= 2 * limits.replayBytes;
  }

  /**
   * `#passes` returns true when a piece is written without a copy. Chunks are framed piece by piece, and a
   * small piece is cheaper to copy than to write by a call of its own.
   */
  #passes(piece: Uint8Array, { writing }: WriteTarget): boolean {
    return piece.length >= limits.passedBytes && !writing && this.#framing !== Framing.CHUNKED;
  }

  /** `#box` frames a piece into the outbox. */
  #box(piece: Uint8Array): boolean {
    const outbox = this.#outbox;
    if (this.#framing !== Framing.CHUNKED) return outbox.append(piece, 0, piece.length);
    if (piece.length > 0) {
      const fits = outbox.putText(chunkStart(piece.length)) && outbox.append(piece, 0, piece.length);
      if (!fits || !outbox.putText(CHUNK_END)) return false;
    }
    return !this.lastWritten || outbox.putText(lastChunk(this.trailers));
  }

  /** `#framed` returns a framed piece as a wire string. */
  #framed(piece: Uint8Array): string {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    if (this.#framing !== Framing.CHUNKED) return text;
    const chunk = piece.length > 0 ? chunkStart(piece.length) + text + CHUNK_END : '';
    return this.lastWritten ? chunk + lastChunk(this.trailers) : chunk;
  }
}

const flatPieces = 64;

/** `flat` returns the same wire string as one part. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
