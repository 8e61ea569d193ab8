/**
 * Was enough looked at? Copies that umbra or its guard dropped, and sampled pairs that no analyst took, are
 * in no other check. They are not a random part: a ring is full when there is most to do. What the
 * configuration or the client left out is not missed. Pure.
 */
import { blameOf, Drop, dropReasons, type Failure, failureReasons } from '../errors.js';
import { Unexamined, unexaminedReasons } from '../record/mirror-counters.js';
import type { Decided } from './check.js';
import { isShadowsDrop, shadowDrops } from './error-check.js';
import { endedPairs, type PairCounts } from './pair-counts.js';
import type { VerdictBounds } from './verdict.js';

/** One reason why something was not looked at. */
export interface Missed {
  readonly reason: string;
  readonly count: number;
}

export interface CoverageDecided extends Decided {
  /** Copies that are in no check, by reason, most first. */
  readonly missed: readonly Missed[];
  /** Sampled pairs that were not taken apart. */
  readonly unexamined: readonly Missed[];
  /** What the configuration and the client left out. */
  readonly leftOut: readonly Missed[];
}

const coverageMin = 0.95;
/** Not mirrored on purpose, or not umbra's to mirror. */
const byChoice: readonly Drop[] = [
  Drop.METHOD,
  Drop.LOOP,
  Drop.UPGRADE,
  Drop.ABORTED,
  Drop.SLOW_CLIENT,
  Drop.ANSWERED_EARLY,
  Drop.MALFORMED_BODY,
  Drop.SLOW_READER,
];

export function coverageCheck(all: PairCounts, bounds: VerdictBounds): CoverageDecided {
  const drops = dropReasons
    .map((reason, drop) => ({ reason, drop: drop as Drop, count: all.dropped[drop] ?? 0 }))
    .filter(({ count }) => count > 0);
  const failures = failureReasons
    .map((reason, failure) => ({ reason, count: all.failed[failure as Failure] ?? 0 }))
    .filter(({ reason, count }) => count > 0 && (blameOf(reason) === 'umbra' || blameOf(reason) === 'guard'));
  const missed = sorted([
    ...drops.filter(({ drop }) => !byChoice.includes(drop) && !isShadowsDrop(drop, all)),
    ...failures,
  ]);
  const unexamined = sorted(
    unexaminedReasons.flatMap((reason, i) =>
      i === Unexamined.NO_PAIR || !(all.unexamined[i] > 0) ? [] : [{ reason, count: all.unexamined[i] }],
    ),
  );
  const judged = endedPairs(all) + shadowDrops(all, all);
  const sent = shareOf(judged, missed);
  const examined = all.sampled === 0 ? 1 : shareOf(all.examined, unexamined);
  const measured = Math.min(sent, examined);
  const hasPairs = judged >= Math.max(1, bounds.samplesMin);
  const isCovered = measured >= coverageMin;
  return {
    name: 'coverage',
    outcome: hasPairs && isCovered ? 'pass' : 'undecided',
    why: !isCovered ? 'coverage' : hasPairs ? null : 'few-pairs',
    measured: judged === 0 ? Number.NaN : measured,
    interval: { low: measured, high: measured },
    bound: coverageMin,
    pairs: judged,
    missed,
    unexamined,
    leftOut: sorted(drops.filter(({ drop }) => byChoice.includes(drop))),
  };
}

function shareOf(seen: number, missed: readonly Missed[]): number {
  const all = seen + missed.reduce((sum, { count }) => sum + count, 0);
  return all === 0 ? 1 : seen / all;
}

function sorted(missed: readonly Missed[]): Missed[] {
  return missed.map(({ reason, count }) => ({ reason, count })).sort((a, b) => b.count - a.count);
}
