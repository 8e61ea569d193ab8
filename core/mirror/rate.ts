/** A bound on requests per second: a token bucket that holds the tokens of one second, and at least one. */
export class RateBound {
  readonly #perUs: number;
  readonly #burst: number;
  #tokens: number;
  #lastUs = -1;

  constructor(perSecond: number) {
    this.#perUs = perSecond / 1e6;
    this.#burst = Math.max(1, perSecond);
    this.#tokens = this.#burst;
  }

  /** `take` takes one token and returns false when there is none. `nowUs` never decreases. */
  take(nowUs: number): boolean {
    if (this.#lastUs >= 0) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowUs - this.#lastUs) * this.#perUs);
    }
    this.#lastUs = nowUs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
