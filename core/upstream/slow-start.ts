/** The share that an endpoint begins with when it comes back. */
const SHARE_FIRST = 0.1;

/**
 * The growing share of one endpoint that came back: from a tenth of what it would get, straight up to all of
 * it.
 *
 * Weights would not do it: under least-pending an endpoint without pending calls wins every comparison,
 * however small its weight. So its choices are counted: with each choice of its pool it earns its share of an
 * equal part, and it may be chosen when that comes to a whole one. Native-free; time is handed in.
 */
export class SlowStart {
  /** Null: it gets what the others get. */
  #fromUs: number | null = null;
  #lengthUs = 0;
  /** Choices that it has earned; more than one is not saved up, so that it does not come in a burst. */
  #earned = 0;

  begin(fromUs: number, lengthMs: number): void {
    this.#fromUs = lengthMs > 0 ? fromUs : null;
    this.#lengthUs = lengthMs * 1e3;
    this.#earned = 0;
  }

  get active(): boolean {
    return this.#fromUs !== null;
  }

  /** It may be chosen as the others are. */
  get due(): boolean {
    return this.#fromUs === null || this.#earned >= 1;
  }

  /** Its share of what it would get, 0.1 to 1. */
  share(nowUs: number): number {
    if (this.#fromUs === null) return 1;
    return Math.min(1, Math.max(SHARE_FIRST, (nowUs - this.#fromUs) / this.#lengthUs));
  }

  /** A choice was made among `count` endpoints, of this one if `chosen`. */
  earn(nowUs: number, count: number, chosen: boolean): void {
    if (this.#fromUs === null) return;
    const share = this.share(nowUs);
    if (share === 1) {
      this.#fromUs = null;
      return;
    }
    if (chosen) this.#earned = Math.max(0, this.#earned - 1);
    const part = share / count;
    this.#earned = Math.min(1 + part, this.#earned + part);
  }
}
