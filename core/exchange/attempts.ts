/**
 * The request of one exchange, kept so that it can be sent to its primary again, and the attempts that are left. Only
 * exchanges of routes with `retries` have one; it is reused with its exchange.
 *
 *   begin ──▶ try under way ──failure or status──▶ waits (back-off) ──▶ try under way ──▶ … ──▶ end
 */

import type { Failure } from '../errors.js';
import { Framing, type RequestHead } from '../http/message.js';
import { EXPECT_CONTINUE } from '../http/request-writer.js';
import { limits } from '../limits.js';
import { VersionField } from '../record/version-counters.js';
import type { UpstreamCall } from '../upstream/client.js';
import { Deadline } from '../upstream/deadlines.js';
import type { RouteRuntime } from './runtime.js';

/** Bytes of bodies that one thread keeps for retries. */
export interface KeptBytes {
  /** False: there is no room; counted. */
  keep(bytes: number): boolean;
  letGo(bytes: number): void;
}

const nothing = new Uint8Array(0);
const US_PER_MS = 1000;

export class Attempts {
  /** Every retry was used, and one more would have been due. */
  exhausted = false;
  readonly #call: UpstreamCall;
  readonly #kept: KeptBytes;
  /** Of the attempt under way, or of the wait for the next. */
  readonly #deadline: Deadline;
  readonly #onGivenUp: () => void;
  #route: RouteRuntime | null = null;
  #beganUs = 0;
  #left = 0;
  #done = 0;
  #waits = false;
  #tryIsOver = false;
  /** Nothing of the request is missing so far. */
  #whole = false;
  #complete = false;
  #wire = '';
  #method = '';
  #framing: Framing = Framing.NONE;
  #contentLength = 0;
  #trailers = '';
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** `onGivenUp`: the time of the whole exchange was over before the next attempt. */
  constructor(call: UpstreamCall, kept: KeptBytes, onGivenUp: () => void) {
    this.#call = call;
    this.#kept = kept;
    this.#onGivenUp = onGivenUp;
    this.#deadline = new Deadline(() => this.#onDue());
  }

  /** The first attempt begins: `wire` is the request's head as it is sent. */
  begin(route: RouteRuntime, head: RequestHead, wire: string, nowUs: number): void {
    this.exhausted = false;
    this.#route = route;
    this.#beganUs = nowUs;
    this.#left = route.retry!.attempts;
    this.#done = 0;
    this.#waits = false;
    this.#tryIsOver = false;
    this.#whole =
      head.upgrade === '' && !(head.framing === Framing.LENGTH && head.contentLength > limits.retryBodyBytes);
    this.#complete = head.framing === Framing.NONE;
    // The 100 was for the client, who has sent its body by the time of a retry.
    this.#wire = head.expectsContinue ? wire.replace(`\r\n${EXPECT_CONTINUE}`, '\r\n') : wire;
    this.#method = head.method;
    this.#framing = head.framing;
    this.#contentLength = head.contentLength;
    this.#trailers = '';
    this.#bytes = 0;
    if (this.#complete) this.#watchTry();
  }

  /** The next piece of the request's body. */
  body(piece: Uint8Array, last: boolean): void {
    if (this.#whole && piece.byteLength > 0) {
      if (this.#bytes + piece.byteLength > limits.retryBodyBytes || !this.#kept.keep(piece.byteLength)) {
        this.#forget();
      } else {
        this.#bytes += piece.byteLength;
        this.#pieces.push(Buffer.from(piece));
      }
    }
    if (!last) return;
    this.#complete = true;
    this.#watchTry();
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  /** Whether the attempt that failed so is followed by another one, which then begins by itself. */
  afterFailure(failure: Failure): boolean {
    return this.#route!.retry!.takesFailure(failure, this.#tryIsOver) && this.#again();
  }

  /** The same for a response, which is then given up. */
  afterStatus(status: number): boolean {
    this.#clear();
    if (!this.#route!.retry!.takesStatus(status) || !this.#again()) return false;
    this.#call.abandon();
    return true;
  }

  /** The exchange is over. */
  end(): void {
    this.#clear();
    this.#forget();
  }

  #again(): boolean {
    this.#clear();
    if (!this.#whole || !this.#complete) return false;
    const { pool, retry, sampler, counters } = this.#route!;
    if (this.#left === 0) {
      this.exhausted = true;
      counters.add(VersionField.retriesExhausted);
      return false;
    }
    this.#left--;
    this.#done++;
    this.#waits = true;
    pool.resources.counters.requestRetried(pool.plan);
    const waitMs = Math.min(
      retry!.backOffMs(this.#done) * sampler.fraction(),
      Math.max(0, this.#remainingMs()),
    );
    pool.resources.deadlines.set(this.#deadline, waitMs, pool.resources.clock());
    return true;
  }

  #onDue(): void {
    if (this.#waits) this.#send();
    else {
      this.#tryIsOver = true;
      this.#call.expire();
    }
  }

  #send(): void {
    const { pool, plan } = this.#route!;
    const remainingMs = this.#remainingMs();
    if (remainingMs <= 0) {
      this.#onGivenUp();
      return;
    }
    this.#waits = false;
    this.#tryIsOver = false;
    const call = this.#call;
    const { firstByteTimeoutMs } = plan;
    call.start(
      pool,
      this.#wire,
      this.#method,
      this.#framing,
      this.#contentLength,
      remainingMs,
      false,
      false,
      firstByteTimeoutMs,
    );
    this.#watchTry();
    if (this.#framing === Framing.NONE) return;
    if (this.#trailers !== '') call.trailers(this.#trailers);
    const pieces = this.#pieces;
    for (let i = 0; i < pieces.length; i++) call.write(pieces[i], i === pieces.length - 1);
    if (pieces.length === 0) call.write(nothing, true);
  }

  /** As in Envoy the time of an attempt begins when the request is complete. */
  #watchTry(): void {
    const { pool, retry } = this.#route!;
    if (retry!.perTryTimeoutMs === 0) return;
    pool.resources.deadlines.set(this.#deadline, retry!.perTryTimeoutMs, pool.resources.clock());
  }

  #remainingMs(): number {
    const { pool, plan } = this.#route!;
    return plan.timeoutMs - (pool.resources.clock() - this.#beganUs) / US_PER_MS;
  }

  #clear(): void {
    this.#route!.pool.resources.deadlines.clear(this.#deadline);
  }

  #forget(): void {
    this.#whole = false;
    this.#wire = '';
    if (this.#bytes > 0) this.#kept.letGo(this.#bytes);
    this.#bytes = 0;
    this.#pieces = [];
  }
}
