/**
 * The plans that still have frames in the rings of a thread. Each frame is served by the plan that it was
 * offered under, so that a reload never changes a copy that is under way. Only the thread itself uses them.
 */
import { Drop } from '../errors.js';
import type { MirrorCounters } from '../record/mirror-counters.js';

/** One plan on a thread that reads rings. */
export interface PlanInForce<M> {
  readonly generation: number;
  /**
   * Mirrors by slot. A slot whose mirror is not in this plan, or belongs to another kind of thread, is
   * undefined.
   */
  readonly mirrors: readonly (M | undefined)[];
  /**
   * Counters by slot, of every mirror that the process ever had: copies that can't be served are still
   * counted.
   */
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
   * `use` adds the newest plan. Frames of earlier generations are still served by the plan that they were
   * offered under.
   */
  use(plan: PlanInForce<M>): void {
    this.#plans.unshift(plan);
  }

  /**
   * `retire` marks the generations below this one as unused: every proxy thread has left them and has
   * published what it offered under them. They are released when the rings are next seen empty.
   */
  retire(belowGeneration: number): void {
    this.#retireBelow = belowGeneration;
  }

  /** `ringsAreEmpty` is called when all rings were seen empty. */
  ringsAreEmpty(): void {
    if (this.#retireBelow === 0) return;
    const below = this.#retireBelow;
    this.#retireBelow = 0;
    this.#plans = this.#plans.filter(({ generation }) => generation >= below);
  }

  /**
   * `mirrorOf` returns the mirror in the plan that the frame was offered under, or in the nearest one that
   * this thread has.
   */
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
   * `countUnserved` counts a frame whose mirror is in no plan. A restarted thread may read some after a
   * mirror was removed.
   */
  countUnserved(slot: number): void {
    const counters = this.newest.counters[slot];
    if (counters === undefined) throw new Error(`a frame names mirror slot ${slot}, which never existed`);
    counters.received();
    counters.dropped(Drop.DRAINING);
  }
}
