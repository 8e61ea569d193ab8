import type { HealthPlan } from '../plan.js';
import { Health, type HealthBlock } from './health-block.js';

/**
 * `HealthState` decides whether one address is healthy, from the results of its checks in order:
 *
 *   UNKNOWN --first check--> HEALTHY --`unhealthyThreshold` failed in a row--> UNHEALTHY
 *          \--first check--> UNHEALTHY --`healthyThreshold` passed in a row--> HEALTHY
 *
 * The first check alone decides, because a threshold needs earlier results. The state is kept in the block,
 * so that a prober that replaces another continues from it. No native code and no clock.
 */
export class HealthState {
  readonly #plan: Pick<HealthPlan, 'healthyThreshold' | 'unhealthyThreshold'>;
  readonly #block: HealthBlock;
  /** Results in a row that contradict the present state. */
  #against = 0;

  constructor(plan: Pick<HealthPlan, 'healthyThreshold' | 'unhealthyThreshold'>, block: HealthBlock) {
    this.#plan = plan;
    this.#block = block;
  }

  /** `checked` applies the result of a check and returns true when it changed the state. */
  checked(passed: boolean, nowUs: number): boolean {
    const block = this.#block;
    block.count(passed);
    const { state } = block;
    const wanted = passed ? Health.HEALTHY : Health.UNHEALTHY;
    if (state === wanted) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    const { healthyThreshold, unhealthyThreshold } = this.#plan;
    const threshold = passed ? healthyThreshold : unhealthyThreshold;
    if (state !== Health.UNKNOWN && this.#against < threshold) return false;
    this.#against = 0;
    block.set(wanted, nowUs);
    return true;
  }
}

/** `statusPasses` returns true when a response with this status passes a check. */
export function statusPasses(plan: Pick<HealthPlan, 'statuses'>, status: number): boolean {
  return plan.statuses.some(([first, last]) => status >= first && status <= last);
}
