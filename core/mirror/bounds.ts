/**
 * What one shadow thread allows one mirror at a time. It outlives plans (a changed percentage must not reset
 * what is in flight), so it is kept by slot and handed from plan to plan.
 */
import type { MirrorPlan } from '../plan.js';
import { RateBound } from './rate.js';

export class MirrorBounds {
  inFlight = 0;
  #inFlightMax = 1;
  #ratePerSecond: number | null = null;
  #rate: RateBound | null = null;

  /** Takes over the bounds of `plan`, of which this thread has one part in `shadowThreads`. */
  follow(plan: MirrorPlan, shadowThreads: number): void {
    this.#inFlightMax = Math.max(1, Math.floor(plan.inFlightMax / shadowThreads));
    if (plan.ratePerSecond === this.#ratePerSecond) return;
    this.#ratePerSecond = plan.ratePerSecond;
    this.#rate = plan.ratePerSecond === null ? null : new RateBound(plan.ratePerSecond / shadowThreads);
  }

  get full(): boolean {
    return this.inFlight >= this.#inFlightMax;
  }

  /** False: the rate is used up. */
  takeRate(nowUs: number): boolean {
    return this.#rate === null || this.#rate.take(nowUs);
  }
}
