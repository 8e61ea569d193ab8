/**
 * Keeps the body of a request for the fallback of its route: the version that answers what another one was
 * not given. Only exchanges of routes with a fallback have one; it is reused with its exchange.
 */
import { keepPiece } from '../http/kept-pieces.js';
import { Framing } from '../http/message.js';
import { limits } from '../limits.js';
import type { Call } from '../upstream/call.js';
import type { UpstreamRequest } from '../upstream/upstream-request.js';
import type { KeptBytes } from './attempts.js';

const nothing = new Uint8Array(0);

export class Fallback {
  readonly #kept: KeptBytes;
  /** Everything that came so far is kept. */
  isWhole = false;
  #hasBody = false;
  #isComplete = false;
  #trailers = '';
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(kept: KeptBytes) {
    this.#kept = kept;
  }

  begin({ framing, upgrade }: UpstreamRequest): void {
    this.isWhole = upgrade === '';
    this.#hasBody = framing !== Framing.NONE;
    this.#isComplete = !this.#hasBody;
    this.#trailers = '';
    this.#bytes = 0;
  }

  /** `body` takes the next piece of the request's body, within the bounds of `retries`. */
  body(piece: Uint8Array, last: boolean): void {
    this.#isComplete = last;
    if (!this.isWhole || piece.byteLength === 0) return;
    if (this.#bytes + piece.byteLength > limits.retryBodyBytes || !this.#kept.keep(piece.byteLength)) {
      this.end();
      return;
    }
    this.#bytes += piece.byteLength;
    keepPiece(this.#pieces, piece);
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  /**
   * `send` writes to a call that has started. The client may still send more. It returns what `write` does.
   */
  send(call: Call): boolean {
    if (!this.#hasBody) return true;
    if (this.#trailers !== '') call.trailers(this.#trailers);
    const pieces = this.#pieces;
    let flowing = true;
    for (let i = 0; i < pieces.length; i++)
      flowing = call.write(pieces[i], this.#isComplete && i === pieces.length - 1);
    if (pieces.length === 0 && this.#isComplete) flowing = call.write(nothing, true);
    return flowing;
  }

  /** `end` releases what is kept. */
  end(): void {
    this.isWhole = false;
    if (this.#bytes > 0) this.#kept.release(this.#bytes);
    this.#bytes = 0;
    if (this.#pieces.length > 0) this.#pieces = [];
  }
}
