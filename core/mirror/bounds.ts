/**
 * What one shadow thread allows one mirror at a time. It outlives plans (a changed percentage must not reset
 * what is in flight), so it is kept by slot and handed from plan to plan.
 */
import type { BreakerPlan, MirrorPlan } from '../plan.js';
import { Breaker } from './breaker.js';
import type { FullSlots } from './full-slots.js';
import { RateBound } from './rate.js';

export class MirrorBounds {
  /** Copies that were taken and have not ended. */
  inFlight = 0;
  /** Copies in order that wait for the one before them. */
  waiting = 0;
  /** Bytes of requests that are held for the shadow. */
  heldBytes = 0;
  breaker: Breaker | null = null;
  #heldBytesMax = 0;
  #openedTold = 0;
  #inFlightMax = 1;
  #ratePerSecond: number | null = null;
  #rate: RateBound | null = null;
  readonly #slot: number;
  readonly #fullSlots: FullSlots;

  /** `fullSlots` is this thread's: proxy threads read there that this mirror is full. */
  constructor(slot: number, fullSlots: FullSlots) {
    this.#slot = slot;
    this.#fullSlots = fullSlots;
  }

  /** Takes over the bounds of `plan`, of which this thread has one part in `shadowThreads`. */
  follow(plan: MirrorPlan, shadowThreads: number): void {
    this.#inFlightMax = Math.max(1, Math.floor(plan.inFlightMax / shadowThreads));
    this.#heldBytesMax = Math.max(1, Math.floor(plan.heldBytesMax / shadowThreads));
    this.#fullSlots.set(this.#slot, this.full);
    this.#followBreaker(plan.breaker);
    if (plan.ratePerSecond === this.#ratePerSecond) return;
    this.#ratePerSecond = plan.ratePerSecond;
    this.#rate = plan.ratePerSecond === null ? null : new RateBound(plan.ratePerSecond / shadowThreads);
  }

  get full(): boolean {
    return this.inFlight >= this.#inFlightMax;
  }

  begun(): void {
    this.inFlight++;
    if (this.full) this.#fullSlots.set(this.#slot, true);
  }

  ended(): void {
    this.inFlight--;
    if (!this.full) this.#fullSlots.set(this.#slot, false);
  }

  /** Whether so many more bytes would be too many. */
  exceedsMemory(bytes: number): boolean {
    return this.heldBytes + bytes > this.#heldBytesMax;
  }

  /** How often the breaker has opened since this was asked last. */
  newlyOpened(): number {
    const opened = this.breaker?.opened ?? 0;
    const more = opened - this.#openedTold;
    this.#openedTold = opened;
    return more;
  }

  /** Whether a copy that came now would be refused by the breaker. */
  breakerRefuses(nowUs: number): boolean {
    return this.breaker?.refuses(nowUs) ?? false;
  }

  /** False: the rate is used up. */
  takeRate(nowUs: number): boolean {
    return this.#rate === null || this.#rate.take(nowUs);
  }

  /** One that is asked for as before keeps its state. */
  #followBreaker(plan: BreakerPlan | null): void {
    const before = this.breaker?.plan ?? null;
    const same =
      before?.failureMillionths === plan?.failureMillionths &&
      before?.windowMs === plan?.windowMs &&
      before?.cooldownMs === plan?.cooldownMs;
    if (same) return;
    this.breaker = plan === null ? null : new Breaker(plan);
    this.#openedTold = 0;
  }
}
