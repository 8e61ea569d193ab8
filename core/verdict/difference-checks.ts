/**
 * Do answers differ? `status` is of all pairs. `differences` is of all pairs as far as they are equal byte by
 * byte; where too many are not, the pairs that were taken apart say how much of it is more than noise. Pairs
 * in which a version failed are the business of `errors`. Pure.
 */
import type { DiffSummaryView } from '../report/diffs.js';
import type { Block, Stretch } from './block-series.js';
import { type Decided, shareCheck } from './check.js';
import { independent } from './dispersion.js';
import { type Excess, type Looks, shareExcess } from './looks.js';
import type { VerdictBounds } from './verdict.js';

export interface DifferencesDecided extends Decided {
  /** The pairs without an error in which anything differs: status, size, checksums. */
  readonly bytesDiffer: number;
  readonly bytesPairs: number;
  /** The pairs taken apart; null where none are, or where the bytes decided. */
  readonly examined: DiffSummaryView | null;
}

/**
 * So few pairs that certainly differ fail a shadow, however few were taken apart, where they are above the
 * bound.
 */
const certainPairsMin = 3;
/** Where more pairs differ than are equal, differing may be the service's nature. */
const mostPairs = 0.5;

export function statusCheck({ blocks }: Stretch, bounds: VerdictBounds, looks: Looks): Decided {
  return shareCheck('status', differing(blocks, 'statusDifferent'), bounds.diff, bounds, looks);
}

/** `diffs`: null where pairs are not taken apart. */
export function differenceCheck(
  { blocks, all }: Stretch,
  diffs: DiffSummaryView | null,
  bounds: VerdictBounds,
  looks: Looks,
): DifferencesDecided {
  const bytes = {
    ...shareCheck('differences', differing(blocks, 'different'), bounds.diff, bounds, looks),
    bytesDiffer: all.different,
    bytesPairs: all.bothOk,
    examined: null,
  };
  // Checksums cover bodies and chosen header fields alone, so what was found elsewhere keeps them from
  // passing.
  const isFound = diffs !== null && diffs.differentBeyondNoise + diffs.undecided > 0;
  if (bytes.outcome === 'pass' && !isFound) return bytes;
  // Where none was taken apart yet, nothing says how much of it is noise.
  if (diffs !== null) return { ...bytes, ...examinedCheck(diffs, bounds, looks), examined: diffs };
  if (bytes.outcome === 'fail' && all.different > mostPairs * all.bothOk)
    return { ...bytes, outcome: 'undecided', why: 'unknown-noise' };
  return bytes;
}

/** Pairs that differ for sure can fail the shadow; those that may differ keep it from passing. */
function examinedCheck(diffs: DiffSummaryView, bounds: VerdictBounds, looks: Looks): Decided {
  const { compared, differentBeyondNoise, undecided, overflow } = diffs;
  const share = (hits: number): Excess =>
    shareExcess(
      { shadowOnly: Math.min(hits, compared), primaryOnly: 0, pairs: compared },
      bounds.diff,
      independent,
      looks,
    );
  const surely = share(differentBeyondNoise);
  const perhaps = share(differentBeyondNoise + undecided);
  const check = {
    name: 'differences' as const,
    measured: Math.min(1, differentBeyondNoise / Math.max(1, compared)),
    interval: { low: surely.interval.low, high: perhaps.interval.high },
    bound: bounds.diff,
    pairs: compared,
  };
  if (surely.isAboveBound && differentBeyondNoise >= certainPairsMin)
    return { ...check, outcome: 'fail', why: null };
  // More pairs do not complete these counts.
  if (overflow.length > 0) return { ...check, outcome: 'undecided', why: 'overflow' };
  if (compared < bounds.samplesMin) return { ...check, outcome: 'undecided', why: 'few-pairs' };
  if (perhaps.isWithinBound) return { ...check, outcome: 'pass', why: null };
  return { ...check, outcome: 'undecided', why: undecided > 0 ? 'noise' : 'wide' };
}

function differing(blocks: readonly Block[], what: 'different' | 'statusDifferent') {
  return blocks.map(({ pairs }) => ({ shadowOnly: pairs[what], primaryOnly: 0, pairs: pairs.bothOk }));
}
