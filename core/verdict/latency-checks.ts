/** Is the shadow slower in general (`latency`), and are its slowest requests slower (`tail`)? Pure. */
import type { Stretch } from './block-series.js';
import { type Decided, decide, passBoundOf } from './check.js';
import type { Interval } from './interval.js';
import { delayShift, estimators, type Shift, shiftOf } from './latency-shift.js';
import { type Tail, tailOf } from './latency-tail.js';
import { boundConfidence, type Looks, meanWidth, zeroConfidenceOf } from './looks.js';
import { latencyScale } from './slot-counts.js';
import type { VerdictBounds } from './verdict.js';

export interface TailDecided extends Decided {
  readonly primaryP99Us: number;
  readonly shadowP99Us: number;
  /**
   * What the primary's version does as a shadow, relative to itself as a primary; null where it is not known.
   */
  readonly baseline: number | null;
}

export interface ShiftDecided extends Decided {
  /** The primary's median, microseconds. */
  readonly primaryMedianUs: number;
  /** umbra's own median delay in sending a copy, microseconds. */
  readonly delayUs: number;
  /** The shift that umbra's own delay alone may show, where the outcome depends on it; else 0. */
  readonly resolution: number;
  readonly hasBaseline: boolean;
}

/** Fewer pairs of a baseline say nothing of a middle, or of a p99. */
const baselinePairsMin = 100;
const baselineTailPairsMin = 1000;
const everything: Interval = { low: -1, high: Number.POSITIVE_INFINITY };

/**
 * `baseline`: blocks of the same stretches; empty where there is none. All blocks are of one length,
 * ascending.
 */
export function shiftCheck(
  time: Stretch,
  baseline: Stretch,
  bounds: VerdictBounds,
  looks: Looks,
): ShiftDecided {
  const pairs = time.all.ratio.count;
  const hasBaseline = baseline.all.ratio.count >= baselinePairsMin;
  const primaryMedianUs = time.all.primary.quantileUs(0.5, latencyScale);
  const delayUs = time.all.queue.quantileUs(0.5, latencyScale);
  const decided = estimators.map((estimator) => {
    // A shadow thread takes copies a little after a proxy thread sends the original, and reads answers as
    // late. What is not above that says nothing.
    const resolution = (): number => (hasBaseline ? 0 : delayShift(time, estimator));
    const shift = shiftOf(time, hasBaseline ? baseline : null, estimator);
    return decideShift(shift, pairs, resolution, bounds, looks);
  });
  const shown = decided.find(({ outcome }) => outcome === 'fail') ?? decided[0];
  return { ...shown, primaryMedianUs, delayUs, hasBaseline };
}

function decideShift(
  { log, error }: Shift,
  pairs: number,
  resolution: () => number,
  bounds: VerdictBounds,
  looks: Looks,
): Decided & Pick<ShiftDecided, 'resolution'> {
  const passes = passBoundOf(bounds.shift, bounds);
  const check = {
    name: 'latency' as const,
    measured: Math.expm1(log),
    bound: bounds.shift,
    ...passes,
    pairs,
    resolution: 0,
  };
  if (error === null) {
    const why = pairs < bounds.samplesMin ? 'few-pairs' : 'few-blocks';
    return { ...check, outcome: 'undecided', why, interval: everything };
  }
  const half = error.standardError * meanWidth(boundConfidence, error.df, looks, pairs);
  const interval = { low: Math.expm1(log - half), high: Math.expm1(log + half) };
  const isAbove = interval.low > bounds.shift;
  const own = isAbove ? resolution() : 0;
  const excess = {
    interval,
    isAboveBound: isAbove && interval.low > own,
    isAboveZero: log > error.standardError * meanWidth(zeroConfidenceOf(looks), error.df, looks, pairs),
    isWithinBound: interval.high <= (passes.passBound ?? bounds.shift),
  };
  const { outcome, why } = decide(excess, pairs, bounds);
  if (why !== 'wide') return { ...check, interval, outcome, why };
  if (isAbove && !excess.isAboveBound)
    return { ...check, interval, outcome, why: 'resolution', resolution: own };
  return { ...check, interval, outcome, why: error.isDependent ? 'bursts' : 'wide' };
}

export function tailCheck(
  time: Stretch,
  baseline: Stretch,
  bounds: VerdictBounds,
  looks: Looks,
): TailDecided {
  const tail = tailOf(time, looks);
  const { pairs, primaryP99Us, shadowP99Us } = tail;
  const own = baseline.all.ratio.count >= baselineTailPairsMin ? slowerBy(tailOf(baseline, looks)) : null;
  const delayUs = own === null ? time.all.queue.quantileUs(0.99, latencyScale) : 0;
  const measured = slowerBy(tail);
  const decided = decide(
    {
      interval: tail.interval,
      isAboveBound: tail.interval.low > bounds.p99Delta,
      isAboveZero: tail.isAboveZero,
      isWithinBound: tail.interval.high <= bounds.p99Delta,
    },
    pairs,
    bounds,
  );
  const check = {
    name: 'tail' as const,
    measured,
    interval: tail.interval,
    bound: bounds.p99Delta,
    pairs,
    primaryP99Us,
    shadowP99Us,
    baseline: own,
  };
  if (tail.hasFewBlocks && decided.why !== 'few-pairs')
    return { ...check, outcome: 'undecided', why: 'few-blocks' };
  if (decided.outcome === 'fail') {
    if (own !== null && tail.interval.low <= own) return { ...check, outcome: 'undecided', why: 'baseline' };
    if (primaryP99Us * (tail.interval.low - bounds.p99Delta) <= delayUs)
      return { ...check, outcome: 'undecided', why: 'resolution' };
  }
  return { ...check, ...decided };
}

function slowerBy({ primaryP99Us, shadowP99Us }: Tail): number {
  return shadowP99Us / primaryP99Us - 1;
}
