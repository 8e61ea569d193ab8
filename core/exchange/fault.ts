/** What a route does to its requests on purpose, drawn by chance for each. */
import type { FaultPlan } from '../plan.js';
import type { Sampler } from '../route/sampler.js';

export class Fault {
  readonly #plan: FaultPlan;
  readonly #sampler: Sampler;

  constructor(plan: FaultPlan, sampler: Sampler) {
    this.#plan = plan;
    this.#sampler = sampler;
  }

  /** How long the request has to wait, in milliseconds; 0: it does not. */
  drawDelayMs(): number {
    const { delay } = this.#plan;
    return delay !== null && this.#sampler.happens(delay.shareMillionths) ? delay.delayMs : 0;
  }

  /** The status that it is answered with at once; 0: it goes on. */
  drawAbort(): number {
    const { abort } = this.#plan;
    return abort !== null && this.#sampler.happens(abort.shareMillionths) ? abort.status : 0;
  }
}
