/**
 * Stops copies to a shadow that fails most of them, and sends a probe from time to time:
 *
 *   CLOSED --failures at the bound--> OPEN --cooldown over--> HALF_OPEN --the probe completes--> CLOSED
 *                                       ^                        |
 *                                       +-----the probe fails----+
 *
 * There is one breaker per mirror and shadow thread. A failure is a copy that was attempted and got no whole
 * response; a response with an error status is not a failure, because the comparison must see it. `enter`
 * returns a ticket, which is returned with the result. Results of copies from before the latest change of
 * state are not counted.
 */
import { limits } from '../limits.js';
import type { BreakerPlan } from '../plan.js';

const State = { CLOSED: 0, OPEN: 1, HALF_OPEN: 2 } as const;
type State = (typeof State)[keyof typeof State];

/** The window slides in this many steps. */
const BUCKETS = 10;
const WHOLE_MILLIONTHS = 1_000_000;

export class Breaker {
  readonly plan: BreakerPlan;
  /** How often the breaker has opened. */
  opened = 0;
  #state: State = State.CLOSED;
  /** Tickets with another value are from before the latest change of state. */
  #ticket = 1;
  #openUntilUs = 0;
  readonly #bucketUs: number;
  readonly #results = new Float64Array(BUCKETS);
  readonly #failures = new Float64Array(BUCKETS);
  /** Number of the current bucket, counted from the clock's zero. */
  #bucket = 0;

  constructor(plan: BreakerPlan) {
    this.plan = plan;
    this.#bucketUs = (plan.windowMs * 1e3) / BUCKETS;
  }

  /** True when copies are refused, except for probes. */
  get open(): boolean {
    return this.#state !== State.CLOSED;
  }

  /** `refuses` returns true when a copy would be refused now. */
  refuses(nowUs: number): boolean {
    return this.#state === State.HALF_OPEN || (this.#state === State.OPEN && nowUs < this.#openUntilUs);
  }

  /**
   * `enter` admits a copy that was not refused and returns its ticket. The caller returns each ticket exactly
   * once.
   */
  enter(): number {
    if (this.#state === State.OPEN) this.#become(State.HALF_OPEN);
    return this.#ticket;
  }

  completed(ticket: number, nowUs: number): void {
    if (ticket !== this.#ticket) return;
    if (this.#state === State.CLOSED) {
      this.#slide(nowUs);
      this.#results[this.#bucket % BUCKETS]++;
      return;
    }
    this.#become(State.CLOSED);
    this.#results.fill(0);
    this.#failures.fill(0);
  }

  failed(ticket: number, nowUs: number): void {
    if (ticket !== this.#ticket) return;
    if (this.#state === State.CLOSED) {
      this.#slide(nowUs);
      this.#results[this.#bucket % BUCKETS]++;
      this.#failures[this.#bucket % BUCKETS]++;
      if (!this.#isAtBound()) return;
    }
    this.opened++;
    this.#openUntilUs = nowUs + this.plan.cooldownMs * 1e3;
    this.#become(State.OPEN);
  }

  /**
   * `released` returns the ticket of a copy that ended for a reason other than the shadow. If it was a probe,
   * the next copy becomes the probe.
   */
  released(ticket: number): void {
    if (ticket === this.#ticket && this.#state === State.HALF_OPEN) this.#become(State.OPEN);
  }

  #become(state: State): void {
    this.#state = state;
    this.#ticket++;
  }

  #isAtBound(): boolean {
    let results = 0;
    let failures = 0;
    for (let i = 0; i < BUCKETS; i++) {
      results += this.#results[i];
      failures += this.#failures[i];
    }
    return (
      results >= limits.breakerResults && failures * WHOLE_MILLIONTHS >= results * this.plan.failureMillionths
    );
  }

  /** `#slide` empties the buckets that have left the window. */
  #slide(nowUs: number): void {
    const bucket = Math.floor(nowUs / this.#bucketUs);
    const stale = Math.min(bucket - this.#bucket, BUCKETS);
    for (let i = 0; i < stale; i++) {
      this.#results[(bucket - i) % BUCKETS] = 0;
      this.#failures[(bucket - i) % BUCKETS] = 0;
    }
    this.#bucket = Math.max(bucket, this.#bucket);
  }
}
