/** The faults of a route, drawn at random for each request. */
import type { AbortPlan, FaultPlan } from '../plan.js';
import type { Sampler } from '../route/sampler.js';

export class Fault {
  readonly #plan: FaultPlan;
  readonly #sampler: Sampler;

  constructor(plan: FaultPlan, sampler: Sampler) {
    this.#plan = plan;
    this.#sampler = sampler;
  }

  /** `drawDelayMs` returns the delay of the request in milliseconds, or 0 for none. */
  drawDelayMs(): number {
    const { delay } = this.#plan;
    return delay !== null && this.#sampler.happens(delay.shareMillionths) ? delay.delayMs : 0;
  }

  /** `drawAbort` returns the immediate answer, or null when the request is forwarded. */
  drawAbort(): AbortPlan | null {
    const { abort } = this.#plan;
    return abort !== null && this.#sampler.happens(abort.shareMillionths) ? abort : null;
  }
}
