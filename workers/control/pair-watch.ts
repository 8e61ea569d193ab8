/** Reads the pairs of all mirrors a few times a second, so that a verdict knows when they occurred. */
import { wallClockMs } from '../../core/clock.js';
import type { ObservedMirror } from '../../core/report/observed.js';
import { type Block, unitMs } from '../../core/verdict/block-series.js';
import { PairHistory } from '../../core/verdict/evidence.js';

export class PairWatch {
  readonly #history = new PairHistory();
  readonly #timer: NodeJS.Timeout;

  /** The first look is immediate: earlier counts belong to no block. */
  constructor(mirrors: () => readonly ObservedMirror[]) {
    const look = (): void => this.#history.look(mirrors(), wallClockMs());
    look();
    this.#timer = setInterval(look, unitMs);
  }

  readonly blocksOf = (mirror: ObservedMirror): readonly Block[] =>
    this.#history.blocksOf(mirror, wallClockMs());

  stop(): void {
    clearInterval(this.#timer);
  }
}
