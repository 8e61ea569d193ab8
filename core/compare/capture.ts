/**
 * Both responses of one pair while they come, on the shadow thread: the primary's as frames, the
 * shadow's from its connection. What is held is bounded for the thread; a capture that finds no room is
 * given up.
 */

import { keepPiece } from '../http/kept-pieces.js';
import type { ResponseHead } from '../http/response-head.js';
import { headText } from '../http/response-text.js';
import { latin1Slice } from '../http/wire.js';

/** Bytes that all captures of one thread may hold. */
export class CaptureBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** One response as far as it was captured. */
class CapturedResponse {
  status = 0;
  head: Buffer = nothing;
  readonly pieces: Buffer[] = [];
  bodyBytes = 0;
  /** The body is longer than what is here. */
  truncated = false;
}

const STATUS_DIGITS = 3;
const nothing = Buffer.alloc(0);
/** The text of a head ends without one. */
const CRLF = Buffer.from('\r\n');

export class PairCapture {
  readonly primary = new CapturedResponse();
  readonly shadow = new CapturedResponse();
  /** `id` names the request of this pair in samples. */
  readonly id: string;
  readonly method: string;
  readonly target: string;
  readonly #budget: CaptureBudget;
  readonly #bodyBytesMax: number;
  #held = 0;
  /** There was no room for all of it. */
  lost = false;

  constructor(budget: CaptureBudget, bodyBytesMax: number, id: string, method: string, target: string) {
    this.#budget = budget;
    this.#bodyBytesMax = bodyBytesMax;
    this.id = id;
    this.method = method;
    this.target = target;
  }

  /** `text` is what `headText` writes: it begins with the status. It is copied, because it is of a frame. */
  primaryHead(text: Buffer): void {
    this.primary.status = Number(latin1Slice(text, 0, STATUS_DIGITS));
    if (this.#take(text.byteLength)) this.primary.head = Buffer.from(text);
  }

  /** Trailers are compared as fields: gRPC sends the same ones in the head of an answer without messages. */
  primaryTrailers(lines: Buffer): void {
    this.#addTrailers(this.primary, lines);
  }

  primaryBody(piece: Buffer): void {
    this.#add(this.primary, piece);
  }

  shadowHead(head: ResponseHead): void {
    this.shadow.status = head.status;
    const text = headText(head);
    if (this.#take(text.byteLength)) this.shadow.head = Buffer.from(text);
  }

  shadowBody(bytes: Uint8Array): void {
    const room = this.#bodyBytesMax - this.shadow.bodyBytes;
    if (bytes.byteLength > room) this.shadow.truncated = true;
    this.#add(this.shadow, bytes.byteLength <= room ? bytes : bytes.subarray(0, room));
  }

  shadowTrailers(lines: string): void {
    this.#addTrailers(this.shadow, Buffer.from(lines, 'latin1'));
  }

  /** Nothing is held any more. */
  release(): void {
    this.#budget.give(this.#held);
    this.#held = 0;
    this.primary.pieces.length = 0;
    this.shadow.pieces.length = 0;
  }

  #addTrailers(to: CapturedResponse, lines: Buffer): void {
    if (this.#take(lines.byteLength + CRLF.length)) to.head = Buffer.concat([to.head, CRLF, lines]);
  }

  #add(to: CapturedResponse, piece: Uint8Array): void {
    if (piece.byteLength === 0 || !this.#take(piece.byteLength)) return;
    keepPiece(to.pieces, piece);
    to.bodyBytes += piece.byteLength;
  }

  #take(bytes: number): boolean {
    if (this.lost) return false;
    if (this.#budget.take(bytes)) {
      this.#held += bytes;
      return true;
    }
    this.lost = true;
    this.release();
    return false;
  }
}
