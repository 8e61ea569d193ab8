import { Failure } from '../errors.js';
import { GrpcStatus } from '../grpc/grpc-status.js';
import { safeMethods } from '../http/safe-methods.js';
import type { Endpoint } from './endpoint.js';
import type { RetryPolicy } from './retry-policy.js';

/** RFC 9110, section 9.2.2: several identical requests have the same effect as one. */
const idempotentMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'];

/** The version got nothing of the request. */
const notDelivered: readonly Failure[] = [Failure.CONNECT, Failure.TLS, Failure.NO_ENDPOINT];

/**
 * Decides whether a request is sent again. Callers only report what happened and follow the decision.
 *
 *   cause                                  acted on?   methods      at most              sent to
 *   no connection (connect, TLS)           no          all          each endpoint once   another endpoint
 *   no connection (out of resources)       no          none
 *   reused connection lost before a byte   perhaps     idempotent   once                 a new connection
 *   HTTP/2: the endpoint did not process   no          all          once                 any with room
 *   failure or status in `retries`         perhaps     all          `retries.attempts`   the next endpoint
 *   no connection, at no endpoint          no          all          once                 the route's fallback
 *   connection lost before a head          perhaps     safe         once                 the route's fallback
 *
 * A request of a route with `retries` is sent at most `attempts` times beyond the first, whatever the cause.
 * An endpoint of HTTP/2 says that it did not process a request by REFUSED_STREAM or GOAWAY (RFC 9113, section
 * 8.7). Only the route may decide to repeat methods that are not idempotent; umbra must not do so by itself
 * (RFC 9110, section 9.2.2). The last three causes also need the whole request: its keepers
 * (core/upstream/outgoing, http2-call, core/exchange/attempts) ask only when they have it. The object belongs
 * to one request and lives as long as all of its attempts.
 */
export class Resends {
  /** Endpoints to which this attempt could not connect. */
  readonly tried: Endpoint[] = [];
  /** All retries of the route were used, and one more would have been due. */
  exhausted = false;
  isIdempotent = true;
  #isSafe = true;
  #policy: RetryPolicy | null = null;
  /** Retries of the route that are left. */
  #left = 0;
  #lostIdle = false;
  #unprocessed = false;

  /** `begin` starts a request. `policy` is that of its route, or null for none. */
  begin(method: string, policy: RetryPolicy | null): void {
    this.exhausted = false;
    this.isIdempotent = idempotentMethods.includes(method);
    this.#isSafe = safeMethods.includes(method);
    this.#policy = policy;
    this.#left = policy === null ? 0 : policy.attempts;
    this.#lostIdle = false;
    this.#unprocessed = false;
    this.beginAttempt();
  }

  /** `beginAttempt` starts an attempt, which may try all endpoints. */
  beginAttempt(): void {
    if (this.tried.length > 0) this.tried.length = 0;
  }

  /**
   * `afterNoConnection` returns true when another of `endpoints` is tried after `endpoint` could not be
   * connected.
   */
  afterNoConnection(endpoint: Endpoint, endpoints: readonly Endpoint[], failure: Failure): boolean {
    if (failure === Failure.OUT_OF_RESOURCES) return false;
    const { tried } = this;
    if (!tried.includes(endpoint)) tried.push(endpoint);
    for (const one of endpoints) if (!tried.includes(one)) return true;
    return false;
  }

  /** The request must be kept while it is on a reused connection, because it may be sent again. */
  get mayFollowLostIdle(): boolean {
    return this.isIdempotent && !this.#lostIdle && (this.#policy === null || this.#left > 0);
  }

  /**
   * `afterLostIdle` returns true when the request is sent on a new connection, because the reused one closed
   * before any byte.
   */
  afterLostIdle(): boolean {
    if (!this.mayFollowLostIdle) return false;
    this.#lostIdle = true;
    if (this.#policy !== null) this.#left--;
    return true;
  }

  /** `afterUnprocessed` returns true when the request is sent again that the endpoint has not processed. */
  afterUnprocessed(): boolean {
    if (this.#unprocessed || (this.#policy !== null && this.#left === 0)) return false;
    this.#unprocessed = true;
    if (this.#policy !== null) this.#left--;
    return true;
  }

  /**
   * `afterFailure` decides after an attempt failed before a head went to the client. `tryIsOver`: only the
   * attempt's timeout expired.
   */
  afterFailure(failure: Failure, tryIsOver: boolean): boolean {
    if (this.#policy === null || !this.#policy.takesFailure(failure, tryIsOver)) return false;
    return this.#retry();
  }

  /** `afterStatus` decides after the head of a response arrived and before it is sent to the client. */
  afterStatus(status: number, grpcStatus: GrpcStatus = GrpcStatus.NONE): boolean {
    if (this.#policy === null || !this.#policy.takesStatus(status, grpcStatus)) return false;
    return this.#retry();
  }

  /**
   * `afterVersion` decides whether the fallback of the route gets a request that its version failed before a
   * head went to the client, after all other attempts.
   */
  afterVersion(failure: Failure): boolean {
    return notDelivered.includes(failure) || (failure === Failure.RESET && this.#isSafe);
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
