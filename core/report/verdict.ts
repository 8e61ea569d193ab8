/**
 * May the shadow be released? Each check compares an interval with a bound: it passes when even the interval's bad end is within the
 * bound, fails when even its good end is beyond it, and else there is too little data to tell. docs/comparing.md says why. Pure.
 */
import { addVersions, type MirrorSnapshot, type VersionSnapshot } from '../record/snapshot.js';
import type { DiffsView } from './diffs.js';
import { errorsOf } from './errors-of.js';
import { differenceInterval, type Interval, proportionInterval, quantileRatioInterval } from './intervals.js';
import { isBaseline, type MirrorReading, type Reading } from './reading.js';

/** All as fractions: 0.1 is 10 %. */
export interface VerdictBounds {
  /** By how much the shadow's p99 may be above the primary's, of the primary's. */
  readonly p99Delta: number;
  /** By how much the shadow's share of errors may be above the primary's. */
  readonly errorDelta: number;
  /** The share of pairs that may differ. */
  readonly diff: number;
  /** Fewer samples than this on either side are too little data, whatever they say. */
  readonly samplesMin: number;
}

export type Outcome = 'pass' | 'fail' | 'too-little-data';

export interface Check {
  readonly name: 'p99' | 'errors' | 'status' | 'differences';
  readonly outcome: Outcome;
  /** What was measured: a relative or absolute difference, or a share. NaN where nothing was. */
  readonly measured: number;
  readonly interval: Interval;
  readonly bound: number;
  /** What the primary differs from itself by; null where that is not known. A difference that is no larger is not held against the shadow. */
  readonly noise: Noise | null;
  /** The two sides, or the one that there is. */
  readonly primary: Side | null;
  readonly shadow: Side;
}

/** The p99 of a primary beside another one of its own, relative to the lower one. */
export interface Noise {
  /** `parts`: between its best part of the window and its worst. `baseline`: as a shadow, which is what a baseline is, over as a primary. */
  readonly from: 'parts' | 'baseline';
  readonly share: number;
}

/** `value`: microseconds for p99, else a share. */
export interface Side {
  readonly value: number;
  readonly count: number;
}

export interface MirrorVerdict {
  readonly route: string;
  readonly primary: string;
  readonly shadow: string;
  readonly outcome: Outcome;
  readonly checks: readonly Check[];
}

export interface Verdict {
  /** Too little data where there is no mirror to judge. */
  readonly outcome: Outcome;
  readonly mirrors: readonly MirrorVerdict[];
}

const P99 = 0.99;
/** Fewer values have no p99 but a maximum. */
const PART_COUNT_MIN = 100;

/**
 * Judges every mirror that is switched on. `diffs` is null where nothing compares bodies. `parts`: the same window cut into a few
 * readings of equal length, by which noise is known; empty: it is not.
 */
export function judge(
  reading: Reading,
  diffs: DiffsView | null,
  bounds: VerdictBounds,
  parts: readonly Reading[] = [],
): Verdict {
  const mirrors = reading.mirrors.flatMap((mirror): MirrorVerdict[] => {
    if (!mirror.enabled || mirror.primary === null || isBaseline(mirror) || mirror.isSink) return [];
    const primary = countsOfAll(reading, mirror.primaries);
    const shadow = countsOf(reading, mirror.to, 'shadow');
    if (primary === null || shadow === null) return [];
    const checks = [
      checkP99(
        primary,
        shadow,
        bounds,
        noiseOf(parts, mirror.primaries, primary, baselineOf(reading, mirror)),
      ),
      checkErrors(primary, shadow, bounds),
      ...checkDifferences(mirror.route, mirror.to, mirror.counts, diffs, bounds),
    ];
    const outcome = worst(checks.map((check) => check.outcome));
    return [{ route: mirror.route, primary: mirror.primary, shadow: mirror.to, outcome, checks }];
  });
  return { outcome: worst(mirrors.map((mirror) => mirror.outcome)), mirrors };
}

function checkP99(
  primary: VersionSnapshot,
  shadow: VersionSnapshot,
  bounds: VerdictBounds,
  noise: Noise | null,
): Check {
  const [first, second] = [primary.latency, shadow.latency];
  const ratio = quantileRatioInterval(first, second, P99);
  const [a, b] = [p99Of(primary), p99Of(shadow)];
  return check({
    name: 'p99',
    measured: a === 0 ? Number.NaN : b / a - 1,
    interval: { low: ratio.low - 1, high: ratio.high - 1 },
    bound: bounds.p99Delta,
    noise,
    primary: { value: a, count: first.count },
    shadow: { value: b, count: second.count },
    samplesMin: bounds.samplesMin,
  });
}

function checkErrors(primary: VersionSnapshot, shadow: VersionSnapshot, bounds: VerdictBounds): Check {
  const [first, second] = [errorsOf(primary), errorsOf(shadow)];
  const [a, b] = [share(first.hits, first.count), share(second.hits, second.count)];
  return check({
    name: 'errors',
    measured: b - a,
    interval: differenceInterval(first, second),
    bound: bounds.errorDelta,
    noise: null,
    primary: { value: a, count: first.count },
    shadow: { value: b, count: second.count },
    samplesMin: bounds.samplesMin,
  });
}

/**
 * Where bodies are compared field by field, what differs beyond noise counts, and the status of all pairs besides. Else the pairs as
 * they are: there is no noise to be told apart.
 */
function checkDifferences(
  route: string,
  version: string,
  counts: MirrorSnapshot,
  diffs: DiffsView | null,
  bounds: VerdictBounds,
): Check[] {
  const compared = diffs?.mirrors.find((one) => one.route === route && one.version === version);
  if (compared === undefined || compared.compared === 0) {
    return [checkShare('differences', counts.different, counts.paired, bounds)];
  }
  return [
    checkShare('status', counts.statusDifferent, counts.paired, bounds),
    checkShare('differences', compared.differentBeyondNoise, compared.compared, bounds),
  ];
}

function checkShare(name: Check['name'], hits: number, count: number, bounds: VerdictBounds): Check {
  return check({
    name,
    measured: share(hits, count),
    interval: proportionInterval(hits, count),
    bound: bounds.diff,
    noise: null,
    primary: null,
    shadow: { value: share(hits, count), count },
    samplesMin: bounds.samplesMin,
  });
}

function check({ samplesMin, ...rest }: Omit<Check, 'outcome'> & { samplesMin: number }): Check {
  const fewest = Math.min(rest.shadow.count, rest.primary?.count ?? Number.POSITIVE_INFINITY);
  let outcome: Outcome = 'too-little-data';
  if (fewest >= Math.max(1, samplesMin)) {
    if (rest.interval.high <= rest.bound) outcome = 'pass';
    else if (rest.interval.low > rest.bound && !isWithinNoise(rest)) outcome = 'fail';
  }
  return { ...rest, outcome };
}

/** The primary differs from itself by as much: a machine that is busy, now and then or all the time, not the shadow, may have made the difference. */
export function isWithinNoise({ measured, noise }: Pick<Check, 'measured' | 'noise'>): boolean {
  return noise !== null && measured <= noise.share;
}

/** The larger one of what is known. `baseline`: the primary as a shadow. */
function noiseOf(
  parts: readonly Reading[],
  primaries: readonly string[],
  primary: VersionSnapshot,
  baseline: VersionSnapshot | null,
): Noise | null {
  const moved = apart(parts.map((part) => countsOfAll(part, primaries)));
  const isSlower = baseline !== null && p99Of(baseline) > p99Of(primary);
  const slower = isSlower ? apart([primary, baseline]) : null;
  if (slower !== null && slower > (moved ?? 0)) return { from: 'baseline', share: slower };
  return moved === null ? null : { from: 'parts', share: moved };
}

/** How far the best p99 of several measurements and the worst are apart; null where not two of them have one. */
function apart(measurements: readonly (VersionSnapshot | null)[]): number | null {
  const p99s = measurements.flatMap((one) =>
    one === null || one.latency.count < PART_COUNT_MIN ? [] : [p99Of(one)],
  );
  if (p99s.length < 2) return null;
  return Math.max(...p99s) / Math.max(1, Math.min(...p99s)) - 1;
}

function p99Of({ latency }: VersionSnapshot): number {
  return latency.percentileUs(P99 * 100);
}

/** What the mirror's primary does as a shadow, where it is asked twice. */
function baselineOf(reading: Reading, { route, to }: MirrorReading): VersionSnapshot | null {
  const baseline = reading.mirrors.find((one) => one.route === route && one.baselineOf === to);
  return baseline === undefined ? null : countsOf(reading, baseline.to, 'shadow');
}

function worst(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('fail')) return 'fail';
  return outcomes.length === 0 || outcomes.includes('too-little-data') ? 'too-little-data' : 'pass';
}

function countsOf(reading: Reading, name: string, role: 'primary' | 'shadow'): VersionSnapshot | null {
  return reading.versions.find((version) => version.name === name && version.role === role)?.counts ?? null;
}

/** Of several primaries together. */
function countsOfAll(reading: Reading, names: readonly string[]): VersionSnapshot | null {
  const all = names.map((name) => countsOf(reading, name, 'primary')).filter((counts) => counts !== null);
  return all.length === 0 ? null : all.reduce(addVersions);
}

function share(hits: number, count: number): number {
  return count === 0 ? Number.NaN : hits / count;
}
