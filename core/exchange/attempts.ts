/**
 * The retries of one exchange: `Attempts` keeps the request's body, waits between attempts, bounds each
 * attempt and starts the call again. core/upstream/resend decides whether there is another attempt. Only
 * exchanges of routes with `retries` have one; it is reused with its exchange.
 *
 *   begin ──▶ attempt ──failure or status──▶ back-off ──▶ attempt ──▶ … ──▶ end
 */

import type { Failure } from '../errors.js';
import type { GrpcStatus } from '../grpc/grpc-status.js';
import { keepPiece } from '../http/kept-pieces.js';
import { Framing } from '../http/message.js';
import { limits } from '../limits.js';
import { VersionField } from '../record/version-counters.js';
import type { Calls } from '../upstream/calls.js';
import { Deadline } from '../upstream/deadlines.js';
import type { UpstreamRequest } from '../upstream/upstream-request.js';
import type { RouteRuntime } from './runtime.js';

/** The bytes of request bodies that one thread keeps for retries. */
export interface KeptBytes {
  /** Reserves bytes. Returns false, and counts it, when there is no room. */
  keep(bytes: number): boolean;
  release(bytes: number): void;
}

const nothing = new Uint8Array(0);
const US_PER_MS = 1000;

export class Attempts {
  readonly #calls: Calls;
  readonly #request: UpstreamRequest;
  readonly #kept: KeptBytes;
  /** Ends the current attempt, or the wait for the next one. */
  readonly #deadline: Deadline;
  readonly #onTooLate: () => void;
  #route: RouteRuntime | null = null;
  /** The time of the whole exchange when it began; 0 is no bound. */
  #totalMs = 0;
  #beganUs = 0;
  /** When the request was complete; 0 before that. */
  #wholeUs = 0;
  /** Attempts that have ended. */
  #done = 0;
  #waits = false;
  #tryIsOver = false;
  /** The whole request is available so far. */
  #whole = false;
  #complete = false;
  #trailers = '';
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** `onTooLate` is called when the time of the exchange ends before the next attempt. */
  constructor(calls: Calls, request: UpstreamRequest, kept: KeptBytes, onTooLate: () => void) {
    this.#calls = calls;
    this.#request = request;
    this.#kept = kept;
    this.#onTooLate = onTooLate;
    this.#deadline = new Deadline(() => this.#onDue());
  }

  /** `begin` starts the first attempt with the current request. */
  begin(route: RouteRuntime, nowUs: number): void {
    const { framing, contentLength, upgrade } = this.#request;
    this.#route = route;
    this.#beganUs = nowUs;
    this.#totalMs = this.#request.totalMs;
    this.#done = 0;
    this.#waits = false;
    this.#tryIsOver = false;
    this.#whole = upgrade === '' && !(framing === Framing.LENGTH && contentLength > limits.retryBodyBytes);
    this.#complete = framing === Framing.NONE;
    this.#wholeUs = nowUs;
    this.#trailers = '';
    this.#bytes = 0;
    if (this.#complete) this.#watchTry();
  }

  /** `body` takes the next piece of the request's body. */
  body(piece: Uint8Array, last: boolean): void {
    if (this.#whole && piece.byteLength > 0) {
      if (this.#bytes + piece.byteLength > limits.retryBodyBytes || !this.#kept.keep(piece.byteLength)) {
        this.#dropBody();
      } else {
        this.#bytes += piece.byteLength;
        keepPiece(this.#pieces, piece);
      }
    }
    if (!last) return;
    this.#complete = true;
    this.#wholeUs = this.#route!.pool.resources.clock();
    this.#watchTry();
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  /**
   * `afterFailure` returns true when another attempt follows. The attempt then starts without a further call.
   */
  afterFailure(failure: Failure): boolean {
    this.#clear();
    if (!this.#isAtHand) return false;
    return this.#follow(this.#request.resends.afterFailure(failure, this.#tryIsOver));
  }

  /**
   * `afterStatus` does the same for a response. If an attempt follows, the response is abandoned.
   * `grpcStatus`: that of an answer without messages, or `NONE`.
   */
  afterStatus(status: number, grpcStatus: GrpcStatus): boolean {
    this.#clear();
    if (!this.#isAtHand || !this.#follow(this.#request.resends.afterStatus(status, grpcStatus))) return false;
    this.#calls.current.abandon();
    return true;
  }

  /** `end` releases what is kept when the exchange is over. */
  end(): void {
    this.#clear();
    this.#dropBody();
  }

  get #isAtHand(): boolean {
    return this.#whole && this.#complete;
  }

  /** `#follow` acts on a decision of core/upstream/resend, and returns it. */
  #follow(isSentAgain: boolean): boolean {
    if (isSentAgain) this.#wait();
    else if (this.#request.resends.exhausted) this.#route!.counters.add(VersionField.retriesExhausted);
    return isSentAgain;
  }

  #wait(): void {
    const { pool, retry, sampler } = this.#route!;
    this.#done++;
    this.#waits = true;
    pool.resources.counters.requestRetried(pool.plan);
    const backOffMs = retry!.backOffMs(this.#done) * sampler.fraction();
    const waitMs = Math.min(backOffMs, Math.max(0, this.#shortenTimes()));
    pool.resources.deadlines.set(this.#deadline, waitMs, pool.resources.clock());
  }

  #onDue(): void {
    if (this.#waits) this.#send();
    else {
      this.#tryIsOver = true;
      this.#calls.current.expire();
    }
  }

  #send(): void {
    if (this.#shortenTimes() <= 0) {
      this.#onTooLate();
      return;
    }
    this.#waits = false;
    this.#tryIsOver = false;
    const request = this.#request;
    // The client has already received the 100 and sent its body.
    request.expectsContinue = false;
    this.#calls.start(this.#route!.pool, request);
    this.#watchTry();
    if (request.framing === Framing.NONE) return;
    const call = this.#calls.current;
    if (this.#trailers !== '') call.trailers(this.#trailers);
    const pieces = this.#pieces;
    for (let i = 0; i < pieces.length; i++) call.write(pieces[i], i === pieces.length - 1);
    if (pieces.length === 0) call.write(nothing, true);
  }

  /** `#watchTry` sets the timeout of an attempt. As in Envoy, it starts when the request is complete. */
  #watchTry(): void {
    const { pool, retry } = this.#route!;
    if (retry!.perTryTimeoutMs === 0) return;
    pool.resources.deadlines.set(this.#deadline, retry!.perTryTimeoutMs, pool.resources.clock());
  }

  /**
   * `#shortenTimes` gives the next attempt the rest of the route's times. It returns the shorter of the two
   * in milliseconds.
   */
  #shortenTimes(): number {
    const { pool, plan } = this.#route!;
    const { requestMs } = plan.timeouts;
    const totalMs = this.#totalMs;
    const nowUs = pool.resources.clock();
    const request = this.#request;
    request.requestMs = requestMs === 0 ? 0 : requestMs - (nowUs - this.#wholeUs) / US_PER_MS;
    request.totalMs = totalMs === 0 ? 0 : totalMs - (nowUs - this.#beganUs) / US_PER_MS;
    return Math.min(
      requestMs === 0 ? Number.POSITIVE_INFINITY : request.requestMs,
      totalMs === 0 ? Number.POSITIVE_INFINITY : request.totalMs,
    );
  }

  #clear(): void {
    this.#route!.pool.resources.deadlines.clear(this.#deadline);
  }

  #dropBody(): void {
    this.#whole = false;
    if (this.#bytes > 0) this.#kept.release(this.#bytes);
    this.#bytes = 0;
    this.#pieces = [];
  }
}
