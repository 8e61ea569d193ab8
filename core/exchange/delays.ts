/**
 * The requests of one thread that are delayed on purpose. Their number and the bytes of their bodies are
 * bounded.
 */

import type { Clock } from '../clock.js';
import type { Failure } from '../errors.js';
import { keepPiece } from '../http/kept-pieces.js';
import { copyHead, Framing, RequestHead } from '../http/message.js';
import { limits } from '../limits.js';
import { Deadline, Deadlines } from '../upstream/deadlines.js';
import type { RequestSink, Responder } from './downstream.js';

/** Forwards a request when its delay is over. The returned sink takes the rest of its body. */
export type Resume = (head: RequestHead, responder: Responder) => RequestSink;

const nothing = new Uint8Array(0);

export class Delays {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #waiting = 0;
  #heldBytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
  }

  /**
   * `hold` delays a request for `delayMs`, or slightly longer. It returns null when too many are delayed:
   * forward it at once.
   */
  hold(delayMs: number, head: RequestHead, responder: Responder, resume: Resume): RequestSink | null {
    if (this.#waiting >= limits.delayedRequests) return null;
    this.#waiting++;
    const delayed = new DelayedRequest(this, head, responder, resume);
    this.#deadlines.set(delayed.deadline, delayMs, this.#clock());
    return delayed;
  }

  /** `take` reserves bytes. It returns false when there is no room, and the request must be forwarded. */
  take(bytes: number): boolean {
    if (this.#heldBytes + bytes > limits.delayedBytes) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** `release` is called when a request is forwarded, or its client is gone. */
  release(deadline: Deadline, heldBytes: number): void {
    this.#deadlines.clear(deadline);
    this.#waiting--;
    this.#heldBytes -= heldBytes;
  }
}

class DelayedRequest implements RequestSink {
  readonly deadline = new Deadline(() => this.#go());
  readonly #delays: Delays;
  readonly #head = new RequestHead();
  readonly #responder: Responder;
  readonly #resume: Resume;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #trailers = '';
  #last = false;
  #paused = false;
  /** The sink of the request after its delay. */
  #sink: RequestSink | null = null;

  constructor(delays: Delays, head: RequestHead, responder: Responder, resume: Resume) {
    this.#delays = delays;
    copyHead(head, this.#head);
    this.#responder = responder;
    this.#resume = resume;
  }

  onRequestBody(piece: Uint8Array, last: boolean): void {
    if (this.#sink === null && !this.#hold(piece, last)) this.#go();
    this.#sink?.onRequestBody(piece, last);
  }

  onRequestTrailers(lines: string): void {
    if (this.#sink === null) this.#trailers = lines;
    else this.#sink.onRequestTrailers(lines);
  }

  onAborted(reason: Failure): void {
    if (this.#sink === null) this.#delays.release(this.deadline, this.#bytes);
    else this.#sink.onAborted(reason);
  }

  onWritable(): void {
    this.#sink?.onWritable();
  }

  lastWords(reason: Failure): string {
    return this.#sink?.lastWords(reason) ?? '';
  }

  #hold(piece: Uint8Array, last: boolean): boolean {
    if (!this.#delays.take(piece.byteLength)) return false;
    this.#bytes += piece.byteLength;
    this.#last = last;
    if (piece.byteLength > 0) keepPiece(this.#pieces, piece);
    // The client may already have sent more.
    if (!last && !this.#paused) {
      this.#paused = true;
      this.#responder.pauseBody();
    }
    return true;
  }

  #go(): void {
    this.#delays.release(this.deadline, this.#bytes);
    if (this.#paused) this.#responder.resumeBody();
    const sink = this.#resume(this.#head, this.#responder);
    this.#sink = sink;
    if (this.#head.framing === Framing.NONE) return;
    const pieces: Uint8Array[] = this.#pieces.length === 0 ? [nothing] : this.#pieces;
    this.#pieces = [];
    pieces.forEach((piece, i) => {
      const last = this.#last && i === pieces.length - 1;
      if (last && this.#trailers !== '') sink.onRequestTrailers(this.#trailers);
      sink.onRequestBody(piece, last);
    });
  }
}
