/**
 * The bounds and the current usage of one mirror on one shadow thread. They outlive plans, because a changed
 * percentage must not reset what is in flight. So they are kept by slot and passed from plan to plan.
 */
import type { BreakerPlan, MirrorPlan } from '../plan.js';
import { Breaker } from './breaker.js';
import type { FullSlots } from './full-slots.js';
import { RateBound } from './rate.js';

export class MirrorBounds {
  /** Copies that were admitted and have not ended. */
  inFlight = 0;
  /** Ordered copies that wait for the one before them. */
  waiting = 0;
  /** Bytes of requests that are held in memory for the shadow. */
  heldBytes = 0;
  breaker: Breaker | null = null;
  #heldBytesMax = 0;
  #openedReported = 0;
  #openReported = false;
  #inFlightMax = 1;
  #ratePerSecond: number | null = null;
  #rate: RateBound | null = null;
  readonly #slot: number;
  readonly #fullSlots: FullSlots;

  /** `fullSlots` belongs to this thread. Proxy threads read there that this mirror is full. */
  constructor(slot: number, fullSlots: FullSlots) {
    this.#slot = slot;
    this.#fullSlots = fullSlots;
  }

  /** `follow` applies the bounds of `plan`, of which this thread has one part in `shadowThreads`. */
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

  /** `exceedsMemory` returns true when `bytes` more would exceed the bound on held bytes. */
  exceedsMemory(bytes: number): boolean {
    return this.heldBytes + bytes > this.#heldBytesMax;
  }

  /** `newlyOpened` returns how often the breaker has opened since the last call. */
  newlyOpened(): number {
    const opened = this.breaker?.opened ?? 0;
    const more = opened - this.#openedReported;
    this.#openedReported = opened;
    return more;
  }

  /** `breakerTurned` returns true when the breaker has opened or closed since the last call. */
  breakerTurned(): boolean {
    const open = this.breaker?.open ?? false;
    if (open === this.#openReported) return false;
    this.#openReported = open;
    return true;
  }

  /** `breakerRefuses` returns true when the breaker would refuse a copy now. */
  breakerRefuses(nowUs: number): boolean {
    return this.breaker?.refuses(nowUs) ?? false;
  }

  /** `takeRate` uses one request of the rate. It returns false when the rate is used up. */
  takeRate(nowUs: number): boolean {
    return this.#rate === null || this.#rate.take(nowUs);
  }

  /** A breaker whose settings did not change keeps its state. */
  #followBreaker(plan: BreakerPlan | null): void {
    const before = this.breaker?.plan ?? null;
    const same =
      before?.failureMillionths === plan?.failureMillionths &&
      before?.windowMs === plan?.windowMs &&
      before?.cooldownMs === plan?.cooldownMs;
    if (same) return;
    this.breaker = plan === null ? null : new Breaker(plan);
    this.#openedReported = 0;
  }
}
