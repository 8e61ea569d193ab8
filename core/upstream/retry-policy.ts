/**
 * When a route sends a request to its primary again, compiled: Envoy's conditions with Envoy's rules
 * ("x-envoy-retry-on").
 */
import { Failure } from '../errors.js';
import { GrpcStatus } from '../grpc/grpc-status.js';
import type { RetryCondition, RetryPlan } from '../plan.js';

const CONFLICT = 409;
/** The longest wait before the first retry. Each further one may take twice as long, up to ten times this. */
const BACK_OFF_MS = 25;
const BACK_OFF_MAX_MS = 10 * BACK_OFF_MS;

/** Envoy's "x-envoy-retry-grpc-on". */
const grpcConditions: readonly (readonly [RetryCondition, GrpcStatus])[] = [
  ['cancelled', GrpcStatus.CANCELLED],
  ['deadline-exceeded', GrpcStatus.DEADLINE_EXCEEDED],
  ['internal', GrpcStatus.INTERNAL],
  ['resource-exhausted', GrpcStatus.RESOURCE_EXHAUSTED],
  ['unavailable', GrpcStatus.UNAVAILABLE],
];

export class RetryPolicy {
  readonly attempts: number;
  readonly perTryTimeoutMs: number;
  /** A connection could not be made, so nothing was delivered. */
  readonly #onConnect: boolean;
  /** No response head arrived. */
  readonly #onReset: boolean;
  readonly #on5xx: boolean;
  readonly #onGateway: boolean;
  readonly #statuses: readonly number[];
  readonly #grpcStatuses: readonly GrpcStatus[];

  constructor({ attempts, perTryTimeoutMs, on }: RetryPlan) {
    this.attempts = attempts;
    this.perTryTimeoutMs = perTryTimeoutMs;
    this.#on5xx = on.includes('5xx');
    this.#onGateway = on.includes('gateway-error');
    // Without a response, umbra itself would answer with a 5xx, so these two conditions include a reset.
    this.#onReset = on.includes('reset') || this.#on5xx || this.#onGateway;
    this.#onConnect = on.includes('connect') || this.#onReset;
    this.#grpcStatuses = grpcConditions.filter(([word]) => on.includes(word)).map(([, status]) => status);
    const numbers = on.filter((condition) => typeof condition === 'number');
    this.#statuses = on.includes('retriable-4xx') ? [...numbers, CONFLICT] : numbers;
  }

  /**
   * `takesFailure` returns true when the failure allows a retry. `tryIsOver`: only the timeout of this
   * attempt expired.
   */
  takesFailure(failure: Failure, tryIsOver: boolean): boolean {
    switch (failure) {
      case Failure.CONNECT:
      case Failure.TLS:
        return this.#onConnect;
      case Failure.RESET:
      case Failure.PROTOCOL:
        return this.#onReset;
      case Failure.TIMEOUT:
        return tryIsOver && this.#onReset;
      default:
        return false;
    }
  }

  /** `grpcStatus`: that of a gRPC answer without messages, or `NONE`. Its HTTP status is 200. */
  takesStatus(status: number, grpcStatus: GrpcStatus): boolean {
    if (grpcStatus !== GrpcStatus.NONE && this.#grpcStatuses.includes(grpcStatus)) return true;
    if (status >= 500 && this.#on5xx) return true;
    if (status >= 502 && status <= 504 && this.#onGateway) return true;
    return this.#statuses.includes(status);
  }

  /** `backOffMs` returns the longest wait before the `attempt`-th retry, counted from 1. */
  backOffMs(attempt: number): number {
    return Math.min(BACK_OFF_MS * 2 ** (attempt - 1), BACK_OFF_MAX_MS);
  }
}
