import type { EjectionPlan } from '../plan.js';

/**
 * `isUnavailable` is true for 502 to 504: the upstream, or a proxy in front of it, is unavailable. Any other
 * status is a valid response.
 */
export function isUnavailable(status: number): boolean {
  return status >= 502 && status <= 504;
}

/** `isError` is true for 500 and above: the service, or a proxy in front of it, failed. */
export function isError(status: number): boolean {
  return status >= 500;
}

/**
 * Whether one endpoint is ejected for its answers to real requests, on one thread:
 *
 *   IN --refused, or too many failed answers in a row--> OUT --its time is over--> IN
 *                                                        OUT (for a refusal) --any answer--> IN
 *
 * A refusal (no connection, no TLS, or a new connection that closes without a byte) ejects at once: nothing
 * was served, and failed connection attempts are the most expensive outcome. Failed answers eject only after
 * several in a row, and only where enough other endpoints are left, because an endpoint that fails some
 * requests may be the best one.
 *
 * The n-th ejection in a row takes n times the base time. A row ends when the endpoint was in for as long as
 * its last ejection took. No native code; times are passed in, in microseconds of one clock.
 */
export class Ejection {
  out = false;
  readonly #plan: EjectionPlan;
  /** The current or last ejection was for a refusal and not for answers. */
  forRefusal = false;
  /** Failed answers in a row, and errors in a row. A failed answer counts as both. */
  #failures = 0;
  #errors = 0;
  /** Ejections in a row. */
  #row = 0;
  #lastMs = 0;
  #backUs = 0;

  constructor(plan: EjectionPlan) {
    this.#plan = plan;
  }

  /** `refused` returns the length of the resulting ejection in milliseconds, or 0 when it was out already. */
  refused(nowUs: number): number {
    if (this.out) return 0;
    this.forRefusal = true;
    return this.#eject(nowUs);
  }

  /**
   * `failed` counts a failed answer and returns the length as `refused` does. `hasRoom`: enough others are in
   * that it may be ejected.
   */
  failed(nowUs: number, hasRoom: boolean): number {
    if (this.out) return 0;
    this.#failures++;
    this.#errors++;
    return this.#decide(nowUs, hasRoom);
  }

  /**
   * `erred` counts a response whose status is an error of the service. It is an error but not a failed
   * answer.
   */
  erred(nowUs: number, hasRoom: boolean): number {
    if (this.out) return 0;
    this.#failures = 0;
    this.#errors++;
    return this.#decide(nowUs, hasRoom);
  }

  /** A response without an error was complete. */
  succeeded(): void {
    this.#failures = 0;
    this.#errors = 0;
  }

  #decide(nowUs: number, hasRoom: boolean): number {
    const { failures, errors } = this.#plan;
    const isOver = (failures > 0 && this.#failures >= failures) || (errors > 0 && this.#errors >= errors);
    if (!isOver || !hasRoom) return 0;
    this.forRefusal = false;
    return this.#eject(nowUs);
  }

  /**
   * `answered` is called for the head of any response. It returns true when that ends an ejection for a
   * refusal, and the row.
   */
  answered(nowUs: number): boolean {
    if (!this.out || !this.forRefusal) return false;
    this.#row = 0;
    this.back(nowUs);
    return true;
  }

  /** `back` ends the ejection. */
  back(nowUs: number): void {
    this.out = false;
    this.#failures = 0;
    this.#errors = 0;
    this.#backUs = nowUs;
  }

  #eject(nowUs: number): number {
    if (this.#row > 0 && nowUs - this.#backUs >= this.#lastMs * 1e3) this.#row = 0;
    this.#row++;
    this.#lastMs = Math.min(this.#plan.baseTimeMs * this.#row, this.#plan.maxTimeMs);
    this.out = true;
    return this.#lastMs;
  }
}
