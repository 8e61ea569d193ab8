import { Failure } from '../errors.js';
import type { Endpoint } from './endpoint.js';
import type { RetryPolicy } from './retry-policy.js';

/** RFC 9110, section 9.2.2: the effect of several such requests is that of one. */
const idempotentMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

/**
 * Decides whether a request is sent again. Nothing else does: callers report what happened and follow the
 * answer.
 *
 *   cause                                  acted on?   methods      at most              sent to
 *   no connection (connect, TLS)           no          all          each endpoint once   another endpoint
 *   no connection (out of resources)       no          none
 *   reused connection lost before a byte   perhaps     idempotent   once                 a new connection
 *   failure or status in `retries`         perhaps     all          `retries.attempts`   the next endpoint
 *
 * A request of a route with `retries` is never sent more than `attempts` times beyond the first, whatever the
 * cause. The route decides about methods that are not idempotent; umbra by itself must not send them again
 * (RFC 9110, section 9.2.2). The last two causes also need the whole request at hand: who keeps it
 * (core/upstream/outgoing, core/exchange/attempts) asks only then. The object belongs to one request and
 * lives as long as all of its attempts.
 */
export class Resends {
  /** Endpoints to which this attempt found no connection. */
  readonly tried: Endpoint[] = [];
  /** Every retry of the route was used, and one more would have been due. */
  exhausted = false;
  isIdempotent = true;
  #policy: RetryPolicy | null = null;
  /** Retries of the route that are left. */
  #left = 0;
  #lostIdle = false;

  /** A request begins. `policy`: of its route; null: it has none. */
  begin(method: string, policy: RetryPolicy | null): void {
    this.exhausted = false;
    this.isIdempotent = idempotentMethods.includes(method);
    this.#policy = policy;
    this.#left = policy === null ? 0 : policy.attempts;
    this.#lostIdle = false;
    this.beginAttempt();
  }

  /** An attempt begins: all endpoints may be tried. */
  beginAttempt(): void {
    if (this.tried.length > 0) this.tried.length = 0;
  }

  /** No connection could be made to `endpoint`, one of `endpoints`. True: another one is tried. */
  afterNoConnection(endpoint: Endpoint, endpoints: readonly Endpoint[], failure: Failure): boolean {
    if (failure === Failure.OUT_OF_RESOURCES) return false;
    const { tried } = this;
    if (!tried.includes(endpoint)) tried.push(endpoint);
    for (const one of endpoints) if (!tried.includes(one)) return true;
    return false;
  }

  /** Whether the request is to be kept while it is on a reused connection, because it may be sent again. */
  get mayFollowLostIdle(): boolean {
    return this.isIdempotent && !this.#lostIdle && (this.#policy === null || this.#left > 0);
  }

  /** The reused connection died before a byte of a response. True: the request is sent on a new one. */
  afterLostIdle(): boolean {
    if (!this.mayFollowLostIdle) return false;
    this.#lostIdle = true;
    if (this.#policy !== null) this.#left--;
    return true;
  }

  /**
   * The attempt failed before a head went to the client. `tryIsOver`: by the timeout of the attempt alone.
   */
  afterFailure(failure: Failure, tryIsOver: boolean): boolean {
    if (this.#policy === null || !this.#policy.takesFailure(failure, tryIsOver)) return false;
    return this.#retry();
  }

  /** The head of a response came and was not yet sent to the client. */
  afterStatus(status: number): boolean {
    if (this.#policy === null || !this.#policy.takesStatus(status)) return false;
    return this.#retry();
  }

  #retry(): boolean {
    if (this.#left === 0) {
      this.exhausted = true;
      return false;
    }
    this.#left--;
    return true;
  }
}
