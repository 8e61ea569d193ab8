/**
 * The accounting law: no mirrored request is lost without a trace. It holds for every mirror, over all
 * threads and at rest:
 *
 *   eligible = sent + sum(dropped by reason)          sent = completed + sum(failed by reason) + in flight
 *
 * A thread that dies leaves requests between two of its counters. Its blocks outlive it, and no thread writes
 * them until its successor starts. In that time main corrects them with the `settle` functions, and the law
 * holds again.
 */
import { Drop, Failure } from '../errors.js';
import type { Field } from './counter-table.js';
import { type MirrorCounters, MirrorField } from './mirror-counters.js';
import { type MirrorSnapshot, total } from './snapshot.js';
import { type VersionCounters, VersionField } from './version-counters.js';

/**
 * Both are 0 at rest. Under load, `unsent` counts the copies in rings. A value that stays indicates a bug in
 * umbra.
 */
export interface AccountingGap {
  /** eligible - sent - dropped. */
  readonly unsent: number;
  /**
   * sent - completed - failed - in flight. It may differ from 0 for a moment when a reader reads between two
   * stores.
   */
  readonly unfinished: number;
}

export function accountingGap(mirror: MirrorSnapshot): AccountingGap {
  return {
    unsent: mirror.eligible - mirror.sent - total(mirror.dropped),
    unfinished: mirror.sent - mirror.completed - total(mirror.failed) - mirror.inFlight,
  };
}

/**
 * `settleDeadProxy` drops what a dead proxy thread had chosen and neither offered nor dropped. What it had
 * offered is still in the ring, and the shadow thread accounts for it.
 */
export function settleDeadProxy(counters: MirrorCounters): void {
  dropBetween(counters, MirrorField.eligible, MirrorField.offered);
}

/**
 * `settleDeadShadow` settles a dead shadow thread: copies that it received and did not send are dropped,
 * copies in flight failed.
 */
export function settleDeadShadow(counters: MirrorCounters): void {
  dropBetween(counters, MirrorField.received, MirrorField.sent);
  counters.failInFlight(Failure.THREAD_ENDED);
}

/** `dropBetween` drops what a dead thread counted in `from`, and neither in `to` nor as a drop. */
function dropBetween(counters: MirrorCounters, from: Field<'counter'>, to: Field<'counter'>): void {
  const lost = counters.get(from) - counters.get(to) - counters.totalOf(MirrorField.dropped);
  counters.dropped(Drop.THREAD_ENDED, lost);
}

/**
 * `settleDeadVersion` settles a dead thread of either kind: requests that it had begun fail in its version
 * counters, and its connections are gone.
 */
export function settleDeadVersion(counters: VersionCounters): void {
  counters.failure(Failure.THREAD_ENDED, counters.get(VersionField.requests) - counters.finished);
  counters.resetGauges();
}
