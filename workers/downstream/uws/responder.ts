import { STATUS_CODES } from 'node:http';
import { Framing, RequestHead } from '../../../core/http/message.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import type { RequestHandler, RequestSink, Responder } from '../downstream.js';
import { addressText } from './address.js';
import type { UwsResponse } from './binding.js';
import type { HeadWriter } from './head-writer.js';
import { Refusal, refusalAnswers } from './refusal.js';

/** What a responder needs of its engine. */
export interface ResponderOwner {
  readonly handler: RequestHandler;
  readonly headWriter: HeadWriter;
  /** Responses from now on should be the last of their connections. */
  readonly draining: boolean;
  /** The response is over; the object may still be `reusable` later, when the rest of the request has come. */
  onReleased(): void;
  /** Nothing of uWS refers to the object any more. */
  onReusable(responder: UwsResponder): void;
}

const Phase = {
  /** In the pool, or only swallowing the rest of a request whose response is over. */
  IDLE: 0,
  /** The head is here and a body is announced: the proxy hears of it with the first piece, or a turn later. */
  WAITING: 1,
  /** Refused by the engine; the answer goes out a turn later. */
  REFUSED: 2,
  /** The proxy has it and has sent nothing final. */
  OPEN: 3,
  /** The final head was sent. */
  STREAMING: 4,
  /** uWS has all of the response and took `res` back; the proxy has not said `finish` yet. */
  WRITTEN: 5,
  /** The proxy said `finish`; what it wrote is on its way. */
  FINISHING: 6,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const nothing = new Uint8Array(0);
/**
 * Size of the chunk that finds out whether uWS's own buffer is empty again, which nothing else tells: `write`
 * flushes first and answers false while anything is left. Writing whole pieces instead would let the buffer grow
 * with a client that drains less than one piece each time.
 */
const PROBE_BYTES = 1024;

/**
 * One request and its response on uWS. Pooled: its handlers are bound once, so that a request costs no closure.
 *
 * `res` throws on any use after its end, so it is set to null at the very moment it dies: when the last byte is
 * handed over, at `close`, and in `onAborted`. uWS goes on delivering a request's body after its response is
 * complete; such a responder returns to the pool only with the last piece, and is left to the collector if the
 * connection ends first (uWS tells nobody).
 */
export class UwsResponder implements Responder {
  readonly head = new RequestHead();
  readonly #owner: ResponderOwner;
  readonly #onData = (piece: ArrayBuffer, last: boolean): void => this.#receive(piece, last);
  readonly #onAborted = (): void => this.#abort();
  readonly #onWritable = (): boolean => this.#resume();
  readonly #drainTail = (): void => this.#writeTail();
  readonly #writeRefusal = (): void => this.#refuseNow();

  #phase: Phase = Phase.IDLE;
  #res: UwsResponse | null = null;
  #sink: RequestSink | null = null;
  #refusal: Refusal = Refusal.NONE;
  /** The request's body is complete. */
  #received = true;
  #paused = false;
  /** uWS gathers what is written now: in its own callbacks and in `cork`. */
  #corked = false;
  /** A status line went out with an interim response, so `writeStatus` is used up. */
  #statusUsed = false;
  #framing: Framing = Framing.NONE;
  #bodyless = false;
  #lengthReported = false;
  #contentLength = 0;
  /** Bytes that the proxy still owes of a LENGTH body. */
  #owed = 0;
  /** Bytes of a LENGTH body that uWS took. */
  #taken = 0;
  /** This response should end its connection, and no `Connection: close` was written yet. */
  #closing = false;
  #writableAsked = false;
  /** `write` answered false and no later one true. */
  #backlog = false;
  /** The proxy was told to wait for `onWritable`. */
  #blocked = false;
  /** The engine ended the response, not the proxy and not the client. */
  #gaveUp = false;
  /** Bytes that uWS did not take. */
  #tail: Uint8Array | null = null;

  constructor(owner: ResponderOwner) {
    this.#owner = owner;
  }

  /** Takes a request without a body, within uWS's route handler. */
  start(res: UwsResponse): void {
    this.#begin(res, Phase.WAITING, true);
    this.#corked = true;
    this.#open();
    this.#corked = false;
  }

  /** Takes a request whose body is announced. The owner must call `openLate` in the next turn. */
  startWithBody(res: UwsResponse): void {
    this.#begin(res, Phase.WAITING, false);
    res.onData(this.#onData);
  }

  /**
   * Takes a request that must not be forwarded. The owner must call `openLate` in the next turn: an answer at once
   * would make uWS go on to the next request in the same read, whose very beginning is what is in doubt. While this
   * one is pending, uWS closes the connection when another comes.
   */
  startRefused(res: UwsResponse, refusal: Refusal): void {
    this.#begin(res, Phase.REFUSED, true);
    this.#refusal = refusal;
  }

  /** A turn after the head: refuses, or opens a request none of whose body came with the head. */
  openLate(): void {
    if (this.#phase === Phase.WAITING) {
      this.batch(this.#openWithoutPiece);
    } else if (this.#phase === Phase.REFUSED) {
      this.#res!.cork(this.#writeRefusal);
    }
  }

  batch(run: () => void): void {
    if (this.#phase === Phase.IDLE) throw new Error('the response is over');
    if (this.#corked || this.#res === null) {
      run();
      return;
    }
    this.#corked = true;
    try {
      this.#res.cork(run);
    } finally {
      this.#corked = false;
    }
  }

  sendInterim(head: ResponseHead): void {
    // uWS has answered `Expect: 100-continue` itself.
    if (head.status === 100) return;
    if (!this.#corked) {
      this.batch(() => this.sendInterim(head));
      return;
    }
    this.#owner.headWriter.writeInterim(this.#res!, head, this.#statusUsed);
    this.#statusUsed = true;
  }

  sendHead(head: ResponseHead): void {
    if (!this.#corked) {
      this.batch(() => this.sendHead(head));
      return;
    }
    this.#phase = Phase.STREAMING;
    this.#bodyless = head.bodyless;
    this.#lengthReported = head.hasContentLength;
    this.#framing = head.framing;
    this.#contentLength = head.contentLength;
    this.#owed = head.framing === Framing.LENGTH ? head.contentLength : 0;
    this.#owner.headWriter.writeFinal(this.#res!, head, this.#statusUsed);
    this.#closing = !this.#received || this.#owner.draining;
  }

  sendBody(bytes: Uint8Array): boolean {
    if (this.#res === null) return this.#phase === Phase.WRITTEN;
    if (bytes.length === 0 || this.#bodyless) return !this.#blocked;
    if (!this.#corked) {
      let writable = false;
      this.batch(() => {
        writable = this.sendBody(bytes);
      });
      return writable;
    }
    if (this.#tail !== null) return this.#holdMore(bytes);
    return this.#framing === Framing.LENGTH ? this.#sendOfLength(bytes) : this.#sendChunk(bytes);
  }

  finish(): void {
    if (this.#phase === Phase.WRITTEN) {
      this.#release();
      return;
    }
    if (!this.#corked) {
      this.batch(() => this.finish());
      return;
    }
    // Short of what was announced: passing it on as complete would be a lie.
    if (this.#owed > 0) {
      this.cut();
      return;
    }
    this.#phase = Phase.FINISHING;
    this.#sink = null;
    // With a backlog the end waits for its last piece, so that a drain sees what is still to be sent.
    if (!this.#blocked) this.#end();
  }

  answer(status: number, body: string): void {
    if (!this.#corked) {
      this.batch(() => this.answer(status, body));
      return;
    }
    const closing = !this.#received || this.#owner.draining;
    const bytes = Buffer.from(body, 'utf8');
    const res = this.#takeRes();
    this.#owner.headWriter.writeAnswer(res, `${status} ${STATUS_CODES[status] ?? ''}`, this.#statusUsed);
    if (this.head.method === 'HEAD') res.endWithoutBody(bytes.length, closing);
    else res.end(bytes, closing);
    this.#release();
  }

  cut(): void {
    const res = this.#res;
    this.#phase = Phase.IDLE;
    if (res !== null) {
      this.#res = null;
      this.#received = true;
      // Calls onAborted before it returns, which finds the phase IDLE.
      res.close();
    }
    this.#release();
  }

  pauseBody(): void {
    if (this.#res === null || this.#received || this.#paused) return;
    this.#paused = true;
    this.#res.pause();
  }

  resumeBody(): void {
    if (this.#res === null || !this.#paused) return;
    this.#paused = false;
    // What uWS knows of a pause is one state per thread, not per connection: a resume alone may find another
    // connection's state and do nothing. A pause just before makes the state this connection's own.
    this.#res.pause();
    this.#res.resume();
  }

  clientAddress(): string {
    return this.#res === null ? '' : addressText(this.#res.getRemoteAddress());
  }

  #begin(res: UwsResponse, phase: Phase, received: boolean): void {
    this.#phase = phase;
    this.#res = res;
    this.#sink = null;
    this.#received = received;
    this.#paused = false;
    this.#corked = false;
    this.#statusUsed = false;
    this.#framing = Framing.NONE;
    this.#bodyless = false;
    this.#owed = 0;
    this.#taken = 0;
    this.#closing = false;
    this.#writableAsked = false;
    this.#backlog = false;
    this.#blocked = false;
    this.#gaveUp = false;
    this.#tail = null;
    res.onAborted(this.#onAborted);
  }

  #open(): void {
    this.#phase = Phase.OPEN;
    const sink = this.#owner.handler.onRequest(this.head, this);
    // The handler may have answered already.
    if (!this.#isOver()) this.#sink = sink;
    else if (this.#gaveUp) sink.onAborted();
  }

  /** A method, because the compiler can't see that a call to the handler may change the phase. */
  #isOver(): boolean {
    return this.#phase === Phase.IDLE;
  }

  readonly #openWithoutPiece = (): void => {
    this.#open();
    this.#sink?.onRequestBody(nothing, false);
  };

  #receive(piece: ArrayBuffer, last: boolean): void {
    this.#received = last;
    this.#corked = true;
    if (this.#phase === Phase.WAITING) this.#open();
    if (this.#sink !== null) this.#sink.onRequestBody(new Uint8Array(piece), last);
    else if (last && this.#phase === Phase.IDLE) this.#owner.onReusable(this);
    this.#corked = false;
  }

  #abort(): void {
    if (this.#phase === Phase.IDLE) return;
    const sink = this.#sink;
    this.#res = null;
    this.#received = true;
    this.#release();
    sink?.onAborted();
  }

  #refuseNow(): void {
    const { status, body } = refusalAnswers[this.#refusal]!;
    const res = this.#takeRes();
    this.#owner.headWriter.writeAnswer(res, `${status} ${STATUS_CODES[status]}`, false);
    if (this.head.method === 'HEAD') res.endWithoutBody(body.length, true);
    else res.end(body, true);
    this.#release();
  }

  #sendOfLength(bytes: Uint8Array): boolean {
    if (bytes.length > this.#owed) {
      this.#giveUp();
      return false;
    }
    this.#owed -= bytes.length;
    if (this.#closing) {
      this.#closing = false;
      if (this.#taken === 0 && this.#owed === 0 && !this.#owner.draining) {
        // The whole body is here and the request's is not: the one case in which uWS can close after the response.
        this.#takeRes().end(bytes, true);
        this.#phase = Phase.WRITTEN;
        return true;
      }
      this.#owner.headWriter.writeClose(this.#res!);
    }
    this.#offerTail(bytes, bytes);
    return !this.#blocked;
  }

  /** Gives uWS the next bytes of a LENGTH body; `lent` are the bytes that die with the call and must be copied. */
  #offerTail(bytes: Uint8Array, lent: Uint8Array | null): void {
    const res = this.#res!;
    // Before the call that completes the response: `res` throws right after it.
    if (this.#paused && this.#owed === 0) this.resumeBody();
    const result = res.tryEnd(bytes, this.#contentLength);
    if (result[1]) {
      this.#res = null;
      this.#tail = null;
      this.#blocked = false;
      if (this.#phase === Phase.FINISHING) this.#release();
      else this.#phase = Phase.WRITTEN;
      return;
    }
    if (result[0]) {
      this.#taken += bytes.length;
      this.#tail = null;
      this.#blocked = false;
      return;
    }
    const offset = res.getWriteOffset();
    const rest = bytes.subarray(offset - this.#taken);
    this.#taken = offset;
    this.#hold(rest, lent !== null);
  }

  #sendChunk(bytes: Uint8Array): boolean {
    if (this.#closing) {
      this.#closing = false;
      this.#owner.headWriter.writeClose(this.#res!);
    }
    this.#offerChunk(bytes, true);
    return !this.#blocked;
  }

  #offerChunk(bytes: Uint8Array, lent: boolean): void {
    const res = this.#res!;
    let rest = bytes;
    if (this.#backlog) {
      rest = bytes.subarray(PROBE_BYTES);
      if (!res.write(bytes.subarray(0, PROBE_BYTES))) {
        this.#hold(rest, lent);
        return;
      }
      this.#backlog = false;
    }
    this.#tail = null;
    this.#blocked = false;
    if (rest.length > 0 && !res.write(rest)) {
      this.#backlog = true;
      this.#hold(nothing, false);
    }
  }

  /** Keeps what uWS did not take, and asks to be told when there is room. */
  #hold(rest: Uint8Array, lent: boolean): void {
    this.#tail = rest.length === 0 ? null : lent ? rest.slice() : rest;
    this.#blocked = true;
    if (!this.#writableAsked) {
      this.#writableAsked = true;
      this.#res!.onWritable(this.#onWritable);
    }
  }

  /** More bytes although the proxy was told to wait: one read of its upstream may hold several pieces. */
  #holdMore(bytes: Uint8Array): boolean {
    const tail = this.#tail!;
    if (
      tail.length + bytes.length > limits.downstreamBufferBytes ||
      (this.#framing === Framing.LENGTH && bytes.length > this.#owed)
    ) {
      this.#giveUp();
      return false;
    }
    if (this.#framing === Framing.LENGTH) this.#owed -= bytes.length;
    const joined = new Uint8Array(tail.length + bytes.length);
    joined.set(tail);
    joined.set(bytes, tail.length);
    this.#tail = joined;
    return false;
  }

  /** uWS has room. Its answer: whether all that was there could be written. */
  #resume(): boolean {
    if (this.#res === null) return true;
    this.batch(this.#drainTail);
    return this.#tail === null;
  }

  #writeTail(): void {
    const tail = this.#tail;
    if (tail !== null) {
      if (this.#framing === Framing.LENGTH) this.#offerTail(tail, null);
      else this.#offerChunk(tail, false);
      if (this.#blocked) return;
    }
    // Without a tail there is only uWS's own buffer, which this cork flushes when it ends.
    this.#blocked = false;
    if (this.#phase === Phase.FINISHING) this.#end();
    else if (this.#phase !== Phase.IDLE) this.#sink?.onWritable();
  }

  #end(): void {
    const res = this.#takeRes();
    if (this.#bodyless) {
      if (this.#lengthReported) res.endWithoutBody(this.#contentLength, this.#closing);
      else {
        if (this.#closing) this.#owner.headWriter.writeClose(res);
        res.endWithoutBody();
      }
    } else if (this.#framing === Framing.LENGTH || this.#closing) {
      // No byte was written: `Content-Length: 0`, and uWS can close.
      res.end(nothing, this.#closing);
    } else {
      res.end();
    }
    this.#release();
  }

  /** The proxy broke the border's rules, or its upstream ours: the response can't be completed rightly. */
  #giveUp(): void {
    this.#gaveUp = true;
    const sink = this.#sink;
    this.cut();
    sink?.onAborted();
  }

  /** `res` for its very last call. A paused connection would stay so for its next request. */
  #takeRes(): UwsResponse {
    if (this.#paused) this.resumeBody();
    const res = this.#res!;
    this.#res = null;
    return res;
  }

  #release(): void {
    this.#phase = Phase.IDLE;
    this.#sink = null;
    this.#tail = null;
    this.#owner.onReleased();
    if (this.#received) this.#owner.onReusable(this);
  }
}
