import type { EjectionPlan } from '../plan.js';

/**
 * 502 to 504: the upstream, or a proxy in front of it, is unavailable. Any other status is a valid response.
 */
export function isUnavailable(status: number): boolean {
  return status >= 502 && status <= 504;
}

/** 500 and above: the service, or what stands before it, could not answer. */
export function isError(status: number): boolean {
  return status >= 500;
}

/**
 * Whether one endpoint is left out for what it did to real requests, on one thread:
 *
 *   IN --refused, or too many failed answers in a row--> OUT --its time is over--> IN
 *                                                        OUT (for a refusal) --any answer--> IN
 *
 * A refusal (no connection, no TLS, or a new connection dropped without a byte) ejects at once: nothing was
 * served, and failed connection attempts are the most expensive outcome. An answer that is a failure ejects
 * only after several in a row, and only where enough others are left, because an endpoint that fails some
 * requests may be the best there is.
 *
 * The n-th ejection in a row takes n times the base time. A row ends when the endpoint was in for as long as
 * it was last out. Native-free; time is handed in, in microseconds of one line.
 */
export class Ejection {
  out = false;
  readonly #plan: EjectionPlan;
  /** It is, or was last, ejected for a refusal and not for its answers. */
  forRefusal = false;
  /** Failed answers in a row, and errors in a row, which those are too. */
  #failures = 0;
  #errors = 0;
  /** Ejections in a row. */
  #row = 0;
  #lastMs = 0;
  #backUs = 0;

  constructor(plan: EjectionPlan) {
    this.#plan = plan;
  }

  /** Returns for how many milliseconds it is ejected by this, 0: not, or it is out already. */
  refused(nowUs: number): number {
    if (this.out) return 0;
    this.forRefusal = true;
    return this.#eject(nowUs);
  }

  /** `hasRoom`: so many others are in that it may be left out. Returns what `refused` does. */
  failed(nowUs: number, hasRoom: boolean): number {
    if (this.out) return 0;
    this.#failures++;
    this.#errors++;
    return this.#decide(nowUs, hasRoom);
  }

  /** An answer came whose status is an error of the service: it counts as an error and not as a failure. */
  erred(nowUs: number, hasRoom: boolean): number {
    if (this.out) return 0;
    this.#failures = 0;
    this.#errors++;
    return this.#decide(nowUs, hasRoom);
  }

  /** An answer that is no error was complete. */
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

  /** The head of any answer came. True: it was out for a refusal and is in again, which ends the row too. */
  answered(nowUs: number): boolean {
    if (!this.out || !this.forRefusal) return false;
    this.#row = 0;
    this.back(nowUs);
    return true;
  }

  /** Its time is over. */
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
