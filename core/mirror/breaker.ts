/**
 * Stops copies to a shadow that fails most of them, and tries one now and then:
 *
 *   CLOSED --failures at the bound--> OPEN --cooldown over--> HALF_OPEN --the probe completes--> CLOSED
 *                                       ^                        |
 *                                       +-----the probe fails----+
 *
 * One per mirror and shadow thread. A failure is a copy that was attempted and got no whole response; an
 * answer with an error status is an answer, which the comparison must see. Who enters gets a ticket and hands
 * it back with the result: results of requests from before the latest change of state say nothing about the
 * present and are not counted.
 */
import { limits } from '../limits.js';
import type { BreakerPlan } from '../plan.js';

const State = { CLOSED: 0, OPEN: 1, HALF_OPEN: 2 } as const;
type State = (typeof State)[keyof typeof State];

/** The window slides in so many steps. */
const BUCKETS = 10;
const WHOLE_MILLIONTHS = 1_000_000;

export class Breaker {
  readonly plan: BreakerPlan;
  /** How often it has opened. */
  opened = 0;
  #state: State = State.CLOSED;
  /** Tickets of other values are of the past. */
  #ticket = 1;
  #openUntilUs = 0;
  readonly #bucketUs: number;
  readonly #results = new Float64Array(BUCKETS);
  readonly #failures = new Float64Array(BUCKETS);
  /** Number of the bucket that is filled now, counted from the clock's zero. */
  #bucket = 0;

  constructor(plan: BreakerPlan) {
    this.plan = plan;
    this.#bucketUs = (plan.windowMs * 1e3) / BUCKETS;
  }

  /** Not closed: copies are refused, but for probes. */
  get open(): boolean {
    return this.#state !== State.CLOSED;
  }

  /** Whether a copy that came now would be refused. */
  refuses(nowUs: number): boolean {
    return this.#state === State.HALF_OPEN || (this.#state === State.OPEN && nowUs < this.#openUntilUs);
  }

  /** A copy goes out that was not refused; its ticket, which goes back exactly once. */
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

  /** The copy ended for a reason that is not the shadow's: a probe leaves its place to the next copy. */
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

  /** Empties the buckets that have left the window. */
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
