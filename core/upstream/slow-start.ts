/** The share of an endpoint at the beginning of its slow start. */
const SHARE_FIRST = 0.1;

/**
 * The growing share of one endpoint that returned: it rises linearly from a tenth to the full share.
 *
 * Weights do not work here: under least-pending, an endpoint without pending calls wins every comparison,
 * however small its weight. So its choices are counted. With each choice of its pool it earns its share of an
 * equal part, and it may be chosen once it has earned a whole choice. No native code; times are passed in.
 */
export class SlowStart {
  /** Null: no slow start. */
  #fromUs: number | null = null;
  #lengthUs = 0;
  /** Choices that the endpoint has earned. It saves at most one, so that it gets no burst. */
  #earned = 0;

  begin(fromUs: number, lengthMs: number): void {
    this.#fromUs = lengthMs > 0 ? fromUs : null;
    this.#lengthUs = lengthMs * 1e3;
    this.#earned = 0;
  }

  get active(): boolean {
    return this.#fromUs !== null;
  }

  /** The endpoint may be chosen like the others. */
  get due(): boolean {
    return this.#fromUs === null || this.#earned >= 1;
  }

  /** `share` returns its share of a full part, 0.1 to 1. */
  share(nowUs: number): number {
    if (this.#fromUs === null) return 1;
    return Math.min(1, Math.max(SHARE_FIRST, (nowUs - this.#fromUs) / this.#lengthUs));
  }

  /** `earn` counts a choice among `count` endpoints, of this endpoint if `chosen`. */
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
