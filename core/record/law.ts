/**
 * The accounting law: no mirrored request is lost without a trace. For every mirror, over all threads and at
 * rest,
 *
 *   eligible = sent + sum(dropped by reason)          sent = completed + sum(failed by reason) + in flight
 *
 * A thread that dies leaves requests between two of its counters. Its blocks outlive it, and until its
 * successor is started no thread writes them: in that time main does, with the `settle` functions, and the
 * law holds again.
 */
import { Drop, Failure } from '../errors.js';
import { type MirrorCounters, MirrorField } from './mirror-counters.js';
import { type MirrorSnapshot, total } from './snapshot.js';
import { type VersionCounters, VersionField } from './version-counters.js';

/** Both are 0 at rest. Under load `unsent` is what waits in rings; a value that stays is a fault in umbra. */
export interface AccountingGap {
  /** eligible - sent - dropped. */
  readonly unsent: number;
  /** sent - completed - failed - in flight. Not 0 for a moment when a reader looks between two stores. */
  readonly unfinished: number;
}

export function accountingGap(mirror: MirrorSnapshot): AccountingGap {
  return {
    unsent: mirror.eligible - mirror.sent - total(mirror.dropped),
    unfinished: mirror.sent - mirror.completed - total(mirror.failed) - mirror.inFlight,
  };
}

/**
 * A proxy thread died: what it had chosen and neither offered nor dropped will never be offered. What it had
 * offered stays in the ring and is the shadow thread's to account for.
 */
export function settleDeadProxy(counters: MirrorCounters): void {
  counters.dropped(
    Drop.THREAD_ENDED,
    counters.get(MirrorField.eligible) -
      counters.get(MirrorField.offered) -
      counters.totalOf(MirrorField.dropped),
  );
}

/** A shadow thread died: what it had received and not sent is dropped, what it had in flight has failed. */
export function settleDeadShadow(counters: MirrorCounters): void {
  counters.dropped(
    Drop.THREAD_ENDED,
    counters.get(MirrorField.received) -
      counters.get(MirrorField.sent) -
      counters.totalOf(MirrorField.dropped),
  );
  counters.failInFlight(Failure.RESET);
}

/**
 * A thread of either kind died: requests that it had begun are failed in its version counters, and the
 * connections it held are gone.
 */
export function settleDeadVersion(counters: VersionCounters): void {
  counters.failure(Failure.ABORTED, counters.get(VersionField.requests) - counters.finished);
  counters.resetGauges();
}
