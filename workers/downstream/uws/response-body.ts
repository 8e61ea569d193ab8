import { Framing } from '../../../core/http/message.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import type { UwsResponse } from './binding.js';

/** What became of bytes that were offered. */
export const Offer = {
  /** More may come. */
  ROOM: 0,
  /** Taken or kept; nothing more until uWS is writable. */
  FULL: 1,
  /** uWS has the whole response, and took `res` back: it must not be touched again. */
  COMPLETE: 2,
  /** More than was announced, or than may be held: the response can't be completed rightly. */
  EXCESS: 3,
} as const;
export type Offer = (typeof Offer)[keyof typeof Offer];

/**
 * Size of the chunk that finds out whether uWS's own buffer is empty again, which nothing else shows: `write`
 * flushes first and answers false while anything is left. Writing whole pieces instead would let the buffer
 * grow with a client that drains less than one piece each time.
 */
const PROBE_BYTES = 1024;

/** The body of one response on its way into uWS, and what uWS did not take of it. All calls within a cork. */
export class ResponseBody {
  /** HEAD, 204, 304: nothing is sent, whatever is offered. */
  bodyless = false;
  lengthReported = false;
  contentLength = 0;
  /** The proxy was asked to wait. */
  blocked = false;
  #framing: Framing = Framing.NONE;
  /** Bytes of a LENGTH body that were not offered yet. */
  #owed = 0;
  /** Bytes of a LENGTH body that uWS took. */
  #taken = 0;
  /** `write` answered false and no later one true. */
  #backlog = false;
  /** Bytes that uWS did not take, and that are ours. */
  #tail: Uint8Array | null = null;

  reset(): void {
    this.bodyless = false;
    this.lengthReported = false;
    this.contentLength = 0;
    this.blocked = false;
    this.#framing = Framing.NONE;
    this.#owed = 0;
    this.#taken = 0;
    this.#backlog = false;
    this.#tail = null;
  }

  begin(head: ResponseHead): void {
    this.bodyless = head.bodyless;
    this.lengthReported = head.hasContentLength;
    this.contentLength = head.contentLength;
    this.#framing = head.framing;
    this.#owed = this.hasLength() ? head.contentLength : 0;
  }

  hasLength(): boolean {
    return this.#framing === Framing.LENGTH && !this.bodyless;
  }

  /** Bytes are still to come of a body whose length was announced. */
  isShort(): boolean {
    return this.#owed > 0;
  }

  /** These bytes are the whole body. */
  isWhole(bytes: Uint8Array): boolean {
    return this.hasLength() && this.#owed === bytes.length && this.contentLength === bytes.length;
  }

  /** Offering this many bytes more may complete the response. */
  endsWithin(bytes: number): boolean {
    return this.hasLength() && this.#owed <= bytes;
  }

  hasTail(): boolean {
    return this.#tail !== null;
  }

  /** `bytes`, at least one, die with the call: what uWS does not take is copied. */
  send(res: UwsResponse, bytes: Uint8Array): Offer {
    if (this.hasLength()) {
      if (bytes.length > this.#owed) return Offer.EXCESS;
      this.#owed -= bytes.length;
    }
    if (this.#tail !== null) return this.#append(this.#tail, bytes);
    return this.hasLength() ? this.#offerOfLength(res, bytes, true) : this.#offerChunk(res, bytes, true);
  }

  /** uWS is writable: offers what was kept. */
  resume(res: UwsResponse): Offer {
    const tail = this.#tail;
    if (tail === null) {
      // Only uWS's own buffer is left, which the cork around this call flushes when it ends.
      this.blocked = false;
      return Offer.ROOM;
    }
    return this.hasLength() ? this.#offerOfLength(res, tail, false) : this.#offerChunk(res, tail, false);
  }

  #offerOfLength(res: UwsResponse, bytes: Uint8Array, lent: boolean): Offer {
    const [ok, complete] = res.tryEnd(bytes, this.contentLength);
    if (complete) return this.#unblock(Offer.COMPLETE);
    if (ok) {
      this.#taken += bytes.length;
      return this.#unblock(Offer.ROOM);
    }
    const offset = res.getWriteOffset();
    const rest = bytes.subarray(offset - this.#taken);
    this.#taken = offset;
    return this.#keep(rest, lent);
  }

  #offerChunk(res: UwsResponse, bytes: Uint8Array, lent: boolean): Offer {
    let rest = bytes;
    if (this.#backlog) {
      rest = bytes.subarray(PROBE_BYTES);
      if (!res.write(bytes.subarray(0, PROBE_BYTES))) return this.#keep(rest, lent);
      this.#backlog = false;
      if (rest.length === 0) return this.#unblock(Offer.ROOM);
    }
    if (res.write(rest)) return this.#unblock(Offer.ROOM);
    // It has buffered all of it.
    this.#backlog = true;
    this.#tail = null;
    this.blocked = true;
    return Offer.FULL;
  }

  #unblock(offer: Offer): Offer {
    this.#tail = null;
    this.blocked = false;
    return offer;
  }

  #keep(rest: Uint8Array, lent: boolean): Offer {
    // Not `slice`: that of a Buffer makes a view, and the next read of any connection would write over it.
    this.#tail = rest.length === 0 ? null : lent ? new Uint8Array(rest) : rest;
    this.blocked = true;
    return Offer.FULL;
  }

  /** More although the proxy was asked to wait: one read of its upstream may hold several pieces. */
  #append(tail: Uint8Array, bytes: Uint8Array): Offer {
    if (tail.length + bytes.length > limits.downstreamBufferBytes) return Offer.EXCESS;
    const joined = new Uint8Array(tail.length + bytes.length);
    joined.set(tail);
    joined.set(bytes, tail.length);
    this.#tail = joined;
    return Offer.FULL;
  }
}
