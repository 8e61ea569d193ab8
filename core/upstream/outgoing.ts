import { Framing } from '../http/message.js';
import { CHUNK_END, chunkStart, lastChunk } from '../http/request-writer.js';
import { limits } from '../limits.js';
import { Outbox, type WriteTarget } from './outbox.js';
import type { WriteArena } from './write-arena.js';

/** What became of a piece of the body. */
export const Put = {
  OK: 0,
  /** The body is longer or shorter than its Content-Length. */
  WRONG_LENGTH: 1,
  /** It can't be held: `limits.heldBodyBytes`, or the thread's arena is empty. */
  NO_ROOM: 2,
} as const;
export type Put = (typeof Put)[keyof typeof Put];

/**
 * The request of one exchange on its way out: framed, held while there is no connection, and kept for a
 * second sending where one may be needed.
 *
 * A request that is short enough is one wire string until its connection has answered; what grows past
 * `limits.replayBytes`, or flows on a fresh connection, goes through the outbox alone.
 */
export class OutgoingRequest {
  /** The body without framing, as far as the owner has written it. */
  bodyBytes = 0;
  /** The owner has written the last piece. */
  lastWritten = false;
  /** The trailers of a chunked body, set before its last piece is put: whole field lines, a wire string. */
  trailers = '';
  #framing: Framing = Framing.NONE;
  #contentLength = 0;
  /** The request from its first byte, while `#wireWhole`. */
  #wire = '';
  #wireWhole = false;
  /** What the socket has not taken. */
  readonly #outbox = new Outbox();

  begin(arena: WriteArena, head: string, framing: Framing, contentLength: number): void {
    this.bodyBytes = 0;
    this.lastWritten = framing === Framing.NONE;
    this.trailers = '';
    this.#framing = framing;
    this.#contentLength = contentLength;
    this.#wire = head;
    this.#wireWhole = true;
    this.#outbox.begin(arena);
  }

  /** Bytes kept in memory; those that wait for a connection and are kept as text count once. */
  get heldBytes(): number {
    return this.#wire.length + this.#outbox.heldBytes;
  }

  /**
   * A second sending is possible: nothing was lost, and the body's end is known. A streamed body is never
   * sent twice.
   */
  get replayable(): boolean {
    return this.#wireWhole && (this.lastWritten || this.#framing === Framing.LENGTH);
  }

  /**
   * Takes a piece of the body. With a connection a large one is written at once as far as it goes, and
   * `flush` follows; null: what comes is held.
   */
  put(piece: Uint8Array, last: boolean, connection: WriteTarget | null): Put {
    this.bodyBytes += piece.length;
    this.lastWritten = last;
    if (this.#framing === Framing.LENGTH && this.#missesLength()) return Put.WRONG_LENGTH;
    if (this.#wireWhole) {
      if (this.#fitsReplay() || (connection === null && this.bodyBytes <= limits.replayBytes)) {
        this.#wire += this.#framed(piece);
        if (connection === null) return Put.OK;
      } else {
        // Too much to keep as a string. What waits for a connection moves to the outbox.
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
   * The exchange begins on a connection: what is at hand goes to the outbox, and `flush` follows. `keep`: a
   * second sending may be needed. False: the arena is empty.
   */
  open(keep: boolean): boolean {
    if (!this.#wireWhole) return true;
    if (!this.#outbox.putText(this.#wire)) return false;
    if (!keep || !this.#fitsReplay()) this.dropWire();
    return true;
  }

  /** Writes what the kernel takes at once; true: all of it. */
  flushDirect(connection: WriteTarget): boolean {
    this.#outbox.flushDirect(connection);
    return this.#outbox.heldBytes === 0;
  }

  flush(connection: WriteTarget): void {
    this.#outbox.flush(connection);
  }

  /** The socket has written all that it held: the next bytes go to it. */
  onWritten(connection: WriteTarget): void {
    this.#outbox.dropWritten();
    this.#outbox.flush(connection);
  }

  /**
   * Whether the kernel has all that was written so far; what waits as a short string for a connection counts
   * as gone.
   */
  drained(connection: WriteTarget | null): boolean {
    return this.#outbox.heldBytes === 0 && !(connection?.writing ?? false);
  }

  /** Drops the text of the request: it can't be sent again from here on. */
  dropWire(): void {
    this.#wire = '';
    this.#wireWhole = false;
  }

  /** Gives back what is in the outbox; the wire string stays, for another connection. */
  clearOutbox(connection: WriteTarget | null): void {
    this.#outbox.clear(connection);
  }

  #missesLength(): boolean {
    return this.lastWritten ? this.bodyBytes !== this.#contentLength : this.bodyBytes > this.#contentLength;
  }

  /** Whether the body can be kept for a second sending, as far as its length is known. */
  #fitsReplay(): boolean {
    const bytes = this.#framing === Framing.LENGTH ? this.#contentLength : this.bodyBytes;
    return bytes <= limits.replayBytes;
  }

  /**
   * Whether a piece goes to the kernel from where it lies: chunks are framed piece by piece, and a small
   * piece is cheaper to copy than to call for.
   */
  #passes(piece: Uint8Array, { writing }: WriteTarget): boolean {
    return piece.length >= limits.passedBytes && !writing && this.#framing !== Framing.CHUNKED;
  }

  /** Frames a piece into the outbox. */
  #box(piece: Uint8Array): boolean {
    const outbox = this.#outbox;
    if (this.#framing !== Framing.CHUNKED) return outbox.putBytes(piece);
    if (piece.length > 0) {
      const fits = outbox.putText(chunkStart(piece.length)) && outbox.putBytes(piece);
      if (!fits || !outbox.putText(CHUNK_END)) return false;
    }
    return !this.lastWritten || outbox.putText(lastChunk(this.trailers));
  }

  /** A piece as it goes over the wire, as a wire string. */
  #framed(piece: Uint8Array): string {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    if (this.#framing !== Framing.CHUNKED) return text;
    const chunk = piece.length > 0 ? chunkStart(piece.length) + text + CHUNK_END : '';
    return this.lastWritten ? chunk + lastChunk(this.trailers) : chunk;
  }
}
