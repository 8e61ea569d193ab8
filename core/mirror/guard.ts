/**
 * Watches a primary, and holds mirrors of its route back when it becomes slower or fails more than it used
 * to.
 *
 *   base line   what the latest windows that were good have shown, up to `limits.guardBaseWindows` of them
 *   bad window  its p99 is above the median p99 of the base line by more than the bound, above nine in ten of
 *               its windows, and by more than `limits.guardFloorUs`; or its share of errors is above the base
 *               line's by more than the bound
 *
 *   two bad windows in a row ──▶ one step down: all, a half, a quarter, a tenth, none of the copies
 *   good for `recover`       ──▶ one step up; the next one takes twice as long, up to sixteen times
 *   bad with no copies left  ──▶ not the mirrors' doing: the new level is the base line, copies come back
 *
 * One bad window is noise: two in a row above nine tenths of the base line are so by chance once in a hundred
 * pairs even where the bound on p99 is 0. The last rule makes a wrong verdict end by itself. What it can't
 * see: a cost of mirroring that was there from the first window on (the base line has it in it), and one that
 * grows by less than the bound from window to window.
 *
 * Pure: fed with windows, so that tests own time.
 */
import { limits } from '../limits.js';
import type { GuardPlan } from '../plan.js';

/** What the primary did in one window. */
export interface GuardWindow {
  /** Responses and failures, those that the client caused left out. */
  readonly requests: number;
  /** Failures among them, and responses from 500 to 599. */
  readonly errors: number;
  readonly p99Us: number;
}

export type GuardEvent =
  /** A step down, for this reason. */
  | { readonly kind: 'backed-off'; readonly because: 'p99' | 'errors'; readonly window: GuardWindow }
  /** The primary was no better without any copies. */
  | { readonly kind: 'unrelated' }
  /** A step up. */
  | { readonly kind: 'recovering' };

/** Shares of the copies that go on, in millionths, step by step. */
export const guardSteps: readonly number[] = [1_000_000, 500_000, 250_000, 100_000, 0];

const BAD_IN_A_ROW = 2;
/** Before the base line has so many windows nothing is judged. */
const BASE_WINDOWS_MIN = 3;
const PATIENCE_MAX = 4;
const WHOLE_MILLIONTHS = 1_000_000;

export class Guard {
  readonly plan: GuardPlan;
  #step: number;
  #base: GuardWindow[] = [];
  /** Bad windows since the last one that was not. */
  #bad: GuardWindow[] = [];
  /** Windows since the last bad one or the last step. */
  #calm = 0;
  #patience = 0;

  /** `keptMillionths`: the share that goes on as it begins, which another guard may have left behind. */
  constructor(plan: GuardPlan, keptMillionths: number = WHOLE_MILLIONTHS) {
    this.plan = plan;
    this.#step = Math.max(
      0,
      guardSteps.findIndex((share) => share <= keptMillionths),
    );
  }

  /** The share of the copies that go on, in millionths. */
  get keptMillionths(): number {
    return guardSteps[this.#step];
  }

  /** What to compare with, for people; null while nothing is known. */
  get base(): { readonly p99Us: number; readonly errorShare: number } | null {
    if (this.#base.length < BASE_WINDOWS_MIN) return null;
    return { p99Us: quantile(this.#base, 0.5), errorShare: errorShare(this.#base) };
  }

  /** Takes the next window; what follows from it, if anything does. */
  take(window: GuardWindow): GuardEvent | null {
    // So few requests say nothing of a percentile, and nobody is hurt.
    if (window.requests < limits.guardRequests) return this.#calmly();
    const because = this.#whyBad(window);
    if (because === null) {
      this.#learn(window);
      return this.#calmly();
    }
    this.#calm = 0;
    this.#bad.push(window);
    if (this.#bad.length < BAD_IN_A_ROW) return null;
    const seen = this.#bad;
    this.#bad = [];
    if (this.#step < guardSteps.length - 1) {
      this.#step++;
      return { kind: 'backed-off', because, window };
    }
    this.#base = seen;
    return { kind: 'unrelated' };
  }

  #learn(window: GuardWindow): void {
    this.#base.push(window);
    if (this.#base.length > limits.guardBaseWindows) this.#base.shift();
  }

  #calmly(): GuardEvent | null {
    this.#bad = [];
    this.#calm++;
    const wait = Math.ceil(this.plan.recoverMs / this.plan.windowMs) * 2 ** this.#patience;
    if (this.#calm < wait) return null;
    this.#calm = 0;
    if (this.#step === 0) {
      this.#patience = Math.max(0, this.#patience - 1);
      return null;
    }
    this.#step--;
    // Time at the top pays it back.
    this.#patience = Math.min(PATIENCE_MAX, this.#patience + 1);
    return { kind: 'recovering' };
  }

  #whyBad(window: GuardWindow): 'p99' | 'errors' | null {
    const base = this.base;
    if (base === null) return null;
    const { p99Millionths, errorMillionths } = this.plan;
    const bound = errorMillionths / WHOLE_MILLIONTHS;
    if (window.errors >= limits.guardErrors && window.errors / window.requests > base.errorShare + bound)
      return 'errors';
    const rise = Math.max(base.p99Us * (p99Millionths / WHOLE_MILLIONTHS), limits.guardFloorUs);
    return window.p99Us > base.p99Us + rise && window.p99Us > quantile(this.#base, 0.9) ? 'p99' : null;
  }
}

/** `quantile` returns the value below which `share` of the windows' p99s lie. */
function quantile(windows: readonly GuardWindow[], share: number): number {
  const sorted = windows.map(({ p99Us }) => p99Us).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function errorShare(windows: readonly GuardWindow[]): number {
  let requests = 0;
  let errors = 0;
  for (const window of windows) {
    requests += window.requests;
    errors += window.errors;
  }
  return requests === 0 ? 0 : errors / requests;
}
