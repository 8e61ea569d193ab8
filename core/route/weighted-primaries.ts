/**
 * Gives each request to one of several versions by weight, by chance or by a key (core/route/sampler).
 *
 *   0                                                          1_000_000
 *   | last version | the one before it | …          | first version  |
 *
 * So the last version has the keys that a mirror of its share copies, and one that grows at the cost of those
 * before it in the list keeps the keys it had.
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
  /** Where each part ends. */
  readonly #ends: readonly number[];

  /** `weights` of `parts`: above 0 and finite, in the list's order; their sum counts as the whole. */
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
   * A request without the key goes to the first part of the list. Allocates nothing but what the key's place
   * costs.
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
