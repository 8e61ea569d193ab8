/**
 * The plans that a thread which reads rings still has frames of: each frame is served by the plan that it was
 * offered under, so that a change of the configuration never changes a copy that is on its way. For the
 * thread's own use.
 */
import { Drop } from '../errors.js';
import type { MirrorCounters } from '../record/mirror-counters.js';

/** One plan, as such a thread runs it. */
export interface PlanInForce<M> {
  readonly generation: number;
  /** By slot; a slot whose mirror is not in this plan, or is another kind of thread's, is undefined. */
  readonly mirrors: readonly (M | undefined)[];
  /** By slot, of every mirror that the process ever had: what can't be served must still be counted. */
  readonly counters: readonly (MirrorCounters | undefined)[];
}

export class PlansInForce<M> {
  /** The newest first. */
  #plans: PlanInForce<M>[] = [];
  #retireBelow = 0;

  get newest(): PlanInForce<M> {
    return this.#plans[0];
  }

  /**
   * The newest plan. Frames of earlier generations are still served by the plan that they were offered under.
   */
  use(plan: PlanInForce<M>): void {
    this.#plans.unshift(plan);
  }

  /**
   * Every proxy thread has left the generations below this one and has published what it offered under them,
   * so they can be forgotten as soon as the rings are seen empty.
   */
  retire(belowGeneration: number): void {
    this.#retireBelow = belowGeneration;
  }

  /** The rings were seen empty. */
  ringsAreEmpty(): void {
    if (this.#retireBelow === 0) return;
    const below = this.#retireBelow;
    this.#retireBelow = 0;
    this.#plans = this.#plans.filter(({ generation }) => generation >= below);
  }

  /** By the plan that the frame was offered under, or the nearest that this thread still knows. */
  mirrorOf(slot: number, generation: number): M | undefined {
    let nearest: M | undefined;
    for (let i = 0; i < this.#plans.length; i++) {
      const plan = this.#plans[i];
      nearest = plan.mirrors[slot] ?? nearest;
      if (plan.generation <= generation) break;
    }
    return nearest;
  }

  /**
   * A frame whose mirror no plan has: a thread that was restarted after a mirror was removed may still find
   * some.
   */
  countUnserved(slot: number): void {
    const counters = this.newest.counters[slot];
    if (counters === undefined) throw new Error(`a frame names mirror slot ${slot}, which never existed`);
    counters.received();
    counters.dropped(Drop.DRAINING);
  }
}
