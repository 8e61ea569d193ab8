/**
 * When a route sends a request to its primary again, compiled. Envoy's conditions, by Envoy's rules
 * ("x-envoy-retry-on").
 */
import { Failure } from '../errors.js';
import type { RetryPlan } from '../plan.js';

const CONFLICT = 409;
/**
 * The longest wait before the first retry. Each further one may take twice as long, up to ten times this.
 */
const BACK_OFF_MS = 25;
const BACK_OFF_MAX_MS = 10 * BACK_OFF_MS;

export class RetryPolicy {
  readonly attempts: number;
  readonly perTryTimeoutMs: number;
  /** A connection could not be made; nothing was delivered. */
  readonly #onConnect: boolean;
  /** No head of a response. */
  readonly #onReset: boolean;
  readonly #on5xx: boolean;
  readonly #onGateway: boolean;
  readonly #statuses: readonly number[];

  constructor({ attempts, perTryTimeoutMs, on }: RetryPlan) {
    this.attempts = attempts;
    this.perTryTimeoutMs = perTryTimeoutMs;
    this.#on5xx = on.includes('5xx');
    this.#onGateway = on.includes('gateway-error');
    // A request without any answer would be a 5xx of umbra's own, so these two ask for it as well.
    this.#onReset = on.includes('reset') || this.#on5xx || this.#onGateway;
    this.#onConnect = on.includes('connect') || this.#onReset;
    const numbers = on.filter((condition) => typeof condition === 'number');
    this.#statuses = on.includes('retriable-4xx') ? [...numbers, CONFLICT] : numbers;
  }

  /** `tryIsOver`: the failure is a timeout of this attempt alone. */
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

  takesStatus(status: number): boolean {
    if (status >= 500 && this.#on5xx) return true;
    if (status >= 502 && status <= 504 && this.#onGateway) return true;
    return this.#statuses.includes(status);
  }

  /** The longest wait before the `attempt`-th retry, counted from 1. */
  backOffMs(attempt: number): number {
    return Math.min(BACK_OFF_MS * 2 ** (attempt - 1), BACK_OFF_MAX_MS);
  }
}
