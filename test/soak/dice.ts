/** Chance that a seed repeats (mulberry32, Tommy Ettinger: a 32-bit state through two multiplications). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least `from`, below `to`. */
  between(from: number, to: number): number {
    return from + this.#next() * (to - from);
  }

  chance(share: number): boolean {
    return this.#next() < share;
  }

  oneOf<T>(values: readonly T[]): T {
    return values[Math.floor(this.#next() * values.length)];
  }

  /** One of the values, as likely as its weight says. */
  weighted<T>(values: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.#next() * values.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of values) {
      left -= weight;
      if (left < 0) return value;
    }
    return values[values.length - 1][1];
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
