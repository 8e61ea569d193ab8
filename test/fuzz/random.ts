/** Chance with a seed: the same seed gives the same run. */
export class Chance {
  #state: number;

  /** `seed`: an unsigned 32-bit number. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A 32-bit step of mulberry32, as a number from 0 below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  one<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** True once in `n`. */
  onceIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** Between 0 and `most` places within `length`, ascending. */
  cuts(length: number, most: number): number[] {
    const cuts = Array.from({ length: this.below(most + 1) }, () => this.below(length + 1));
    return cuts.sort((a, b) => a - b);
  }

  /** The pieces of `text` between the cuts. */
  pieces(text: string, most: number): string[] {
    let from = 0;
    const pieces: string[] = [];
    for (const cut of [...this.cuts(text.length, most), text.length]) {
      pieces.push(text.slice(from, cut));
      from = cut;
    }
    return pieces.filter((piece) => piece !== '');
  }
}
