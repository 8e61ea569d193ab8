import { ChunkedDecoder, type ChunkSink } from './chunked.js';
import { Framing } from './message.js';
import { ResponseFault } from './response-fault.js';
import { forwardableTrailers } from './trailers.js';

/** Takes the pieces of a body, each valid during the call only. With `last` the body is complete. */
export interface BodySink {
  /**
   * Takes the forwarded trailers of a chunked body, before its last piece: whole field lines, a wire string.
   */
  onTrailers(lines: string): void;
  onPiece(piece: Uint8Array, last: boolean): void;
}

const nothing = new Uint8Array(0);

/**
 * Removes the framing of a request's body, any number of bytes at a time: Content-Length or chunks (RFC 9112,
 * sections 6 and 7). Extensions are bounded and ignored; trailers are bounded and checked.
 */
export class RequestBodyReader implements ChunkSink {
  /** The body is invalid, and the connection can't be used any more. */
  refused = false;
  complete = true;
  #framing: Framing = Framing.NONE;
  #left = 0;
  #named = '';
  readonly #chunked = new ChunkedDecoder();
  /** The latest data of a chunk is held until it is known whether the body ends in the same read. */
  #piece: Uint8Array | null = null;
  #sink: BodySink | null = null;

  /**
   * `contentLength` is used with `Framing.LENGTH` only, and is above 0. `named` is the list of the request's
   * Connection fields, in any case.
   */
  begin(framing: Framing, contentLength: number, named: string): void {
    this.refused = false;
    this.complete = framing === Framing.NONE;
    this.#framing = framing;
    this.#left = contentLength;
    this.#named = named;
    if (framing === Framing.CHUNKED) this.#chunked.reset();
  }

  /**
   * `feed` reads `bytes[start, end)` into `sink` and returns where it stopped. That is `end`, or a position
   * before it when the body is `complete` or `refused`.
   */
  feed(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    if (this.complete || this.refused) return start;
    if (this.#framing === Framing.CHUNKED) return this.#feedChunks(bytes, start, end, sink);
    const to = Math.min(end, start + this.#left);
    this.#left -= to - start;
    // The state is set before the call, because the sink may begin another body.
    this.complete = this.#left === 0;
    sink.onPiece(bytes.subarray(start, to), this.complete);
    return to;
  }

  /** Called by the decoder. */
  onBody(bytes: Uint8Array): void {
    if (this.#piece !== null) this.#sink!.onPiece(this.#piece, false);
    this.#piece = bytes;
  }

  #feedChunks(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    const decoder = this.#chunked;
    this.#sink = sink;
    const at = decoder.feed(bytes, start, end, this);
    const piece = this.#piece;
    this.#piece = null;
    this.complete = decoder.done;
    this.refused = decoder.fault !== ResponseFault.NONE;
    if (this.complete) {
      const trailers = decoder.trailers === '' ? '' : forwardableTrailers(decoder.trailers, this.#named);
      if (trailers !== '') sink.onTrailers(trailers);
      sink.onPiece(piece ?? nothing, true);
    } else if (piece !== null) sink.onPiece(piece, false);
    return at;
  }
}
