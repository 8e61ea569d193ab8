/**
 * Watches a primary, and holds back mirrors of its route when the primary becomes slower or fails more often
 * than before.
 *
 *   base line   the latest good windows, at most `limits.guardBaseWindows`
 *   bad window  its p99 is above the median p99 of the base line by more than the bound and by more than
 *               `limits.guardFloorUs`, and above that of nine in ten windows; or its share of errors is above
 *               the base line's by more than the bound
 *
 *   two bad windows in a row ──▶ one step down: all, a half, a quarter, a tenth, none of the copies
 *   good for `recover`       ──▶ one step up; the next one takes twice as long, up to sixteen times
 *   bad with no copies left  ──▶ not caused by mirrors: the bad windows are the base line, copies return
 *
 * One bad window is noise. Two in a row above nine tenths of the base line happen by chance once in a hundred
 * pairs, even with a p99 bound of 0. The last rule ends a wrong verdict. The guard can't detect a cost of
 * mirroring that was there from the first window on, because it is part of the base line, or one that grows
 * by less than the bound from window to window.
 *
 * The class is pure and is fed with windows, so that tests control time.
 */
import { limits } from '../limits.js';
import type { GuardPlan } from '../plan.js';

/** The figures of a primary in one window. */
export interface GuardWindow {
  /** Responses and failures, without those that the client caused. */
  readonly requests: number;
  /** Failures among them, and responses from 500 to 599. */
  readonly errors: number;
  readonly p99Us: number;
}

export type GuardEvent =
  /** The guard reduced the share of copies by one step, for this reason. */
  | { readonly kind: 'backed-off'; readonly because: 'p99' | 'errors'; readonly window: GuardWindow }
  /** The primary was no better without any copies. */
  | { readonly kind: 'unrelated' }
  /** The guard raised the share of copies by one step. */
  | { readonly kind: 'recovering' };

/** Shares of the copies that are sent, in millionths, by step. */
export const guardSteps: readonly number[] = [1_000_000, 500_000, 250_000, 100_000, 0];

const BAD_IN_A_ROW = 2;
/** Nothing is judged before the base line has this many windows. */
const BASE_WINDOWS_MIN = 3;
const PATIENCE_MAX = 4;
const WHOLE_MILLIONTHS = 1_000_000;

export class Guard {
  readonly plan: GuardPlan;
  #step: number;
  #base: GuardWindow[] = [];
  /** Bad windows in a row. */
  #bad: GuardWindow[] = [];
  /** Windows since the last bad one or the last change of the share. */
  #calm = 0;
  #patience = 0;

  /** `keptMillionths` is the share of copies at the beginning, which an earlier guard may have reduced. */
  constructor(plan: GuardPlan, keptMillionths: number = WHOLE_MILLIONTHS) {
    this.plan = plan;
    this.#step = Math.max(
      0,
      guardSteps.findIndex((share) => share <= keptMillionths),
    );
  }

  /** The share of the copies that are sent, in millionths. */
  get keptMillionths(): number {
    return guardSteps[this.#step];
  }

  /** The base line for reports; null while it is not known. */
  get base(): { readonly p99Us: number; readonly errorShare: number } | null {
    if (this.#base.length < BASE_WINDOWS_MIN) return null;
    return { p99Us: quantile(this.#base, 0.5), errorShare: errorShare(this.#base) };
  }

  /** `take` judges the next window. It returns the resulting event, or null. */
  take(window: GuardWindow): GuardEvent | null {
    // Too few requests for a percentile; load this low does no harm.
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
    // Calm windows at the full share reduce it again.
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
