/**
 * Distributes requests over several versions by weight, at random or by a key (core/route/sampler).
 *
 *   0                                                          1_000_000
 *   | last version | the one before it | …          | first version  |
 *
 * So the last version has the keys that a mirror with its share copies. A version that grows at the cost of
 * those before it in the list keeps its keys.
 */
import type { RequestHead } from '../http/message.js';
import type { SamplePlan } from '../plan.js';
import type { ClientAddress, Sampler } from './sampler.js';

const WHOLE_MILLIONTHS = 1_000_000;

/** Belongs to one thread and one plan. */
export class WeightedPrimaries<T> {
  readonly #sampler: Sampler;
  readonly #sample: SamplePlan;
  /** The parts, from the last to the first. */
  readonly #parts: readonly T[];
  /** Upper bound of each part, in millionths. */
  readonly #ends: readonly number[];

  /** `weights` are those of `parts`, in the list's order: finite, above 0, and relative to their sum. */
  constructor(parts: readonly T[], weights: readonly number[], sample: SamplePlan, sampler: Sampler) {
    this.#sampler = sampler;
    this.#sample = sample;
    this.#parts = [...parts].reverse();
    const sum = weights.reduce((a, b) => a + b, 0);
    let before = 0;
    this.#ends = [...weights].reverse().map((weight) => {
      before += weight;
      return Math.round((before / sum) * WHOLE_MILLIONTHS);
    });
  }

  /**
   * `choose` returns the part of a request. A request without the key goes to the first part of the list. It
   * allocates no more than `Sampler.place` does.
   */
  choose(head: RequestHead, client: ClientAddress): T {
    const ends = this.#ends;
    const place = this.#sampler.place(this.#sample, head, client);
    const last = ends.length - 1;
    if (place < 0) return this.#parts[last];
    let at = 0;
    while (at < last && place >= ends[at]) at++;
    return this.#parts[at];
  }
}
