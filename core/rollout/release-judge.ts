/**
 * Is the new version worse than the old one, which answers other requests of the same route at the same time?
 * The two are compared block of time by block of time, so what both meet in a moment cancels out. A check
 * fails where the excess is above its final bound; it passes where the excess is within the bound of the
 * step, which is wider, because the next step lets the new version answer only a part of the requests. Tests
 * may be repeated as often as one likes (core/verdict/any-time). Pure.
 */
import { countText, durationText, shareText } from '../report/figures.js';
import { type BlockError, blockError, blocksMin } from '../verdict/block-mean.js';
import { lastedMs } from '../verdict/block-series.js';
import { dispersionOf, independent } from '../verdict/dispersion.js';
import type { Interval } from '../verdict/interval.js';
import { biweight, type Estimator, logLatency, trimmedMean } from '../verdict/location.js';
import { boundConfidence, type Excess, meanWidth, shareExcess, zeroConfidenceOf } from '../verdict/looks.js';
import { type DiscordantPairs, excessOf } from '../verdict/paired-shares.js';
import { isInMostBlocks } from '../verdict/sign-test.js';
import { latencyScale, type SlotCounts } from '../verdict/slot-counts.js';
import type { CheckName, Outcome } from '../verdict/verdict.js';
import { moreText } from './more-needed.js';
import { type ReleaseCounts, sumReleases } from './release-counts.js';
import type { ReleaseBlock } from './release-series.js';

/** One check of a step. Its names are those of `umbra rollout status --output json`. */
export interface StepCheck {
  readonly name: CheckName;
  /** Where its figures come from. */
  readonly of: 'versions' | 'pairs';
  readonly outcome: Outcome;
  /** One sentence for a person. */
  readonly text: string;
  /** A step may end although this check is undecided. */
  readonly isOptional: boolean;
}

/** Fractions; infinite: the check is left out. */
export interface ReleaseBounds {
  readonly shift: number;
  readonly p99Delta: number;
  readonly errorDelta: number;
}

export interface ReleaseQuestion {
  readonly old: string;
  readonly fresh: string;
  readonly bounds: ReleaseBounds;
  /** The share of requests that the new version answers after this step, up to 1. */
  readonly nextShare: number;
  /** Fewer requests of the new version decide nothing. */
  readonly requestsMin: number;
}

const looks = 'rollout';
const msPerS = 1000;
const p99 = 0.99;
/** Fewer latencies say nothing of a p99. */
const tailMin = 1000;

/** `judgeRelease` returns the checks that have a bound. */
export function judgeRelease(blocks: readonly ReleaseBlock[], question: ReleaseQuestion): StepCheck[] {
  const both = blocks.filter(({ counts }) => counts.old.ended > 0 && counts.fresh.ended > 0);
  const all = sumReleases(both.map(({ counts }) => counts));
  const { bounds } = question;
  const off = Number.POSITIVE_INFINITY;
  const tail = bounds.p99Delta === off ? [] : [p99Check(both, all, question)];
  const isTailAlike = tail.every(({ outcome }) => outcome === 'pass');
  return [
    ...(bounds.errorDelta === off ? [] : [errorsCheck(both, all, question)]),
    ...(bounds.shift === off ? [] : [latencyCheck(both, all, question, isTailAlike)]),
    ...tail,
  ];
}

function errorsCheck(
  blocks: readonly ReleaseBlock[],
  all: ReleaseCounts,
  { old, fresh, bounds, nextShare, requestsMin }: ReleaseQuestion,
): StepCheck {
  const group = groupOf(all);
  const pairs = blocks.map(({ counts }) => asPairs(counts, group));
  const total = pairs.reduce(addPairs, { shadowOnly: 0, primaryOnly: 0, pairs: 0, primaryWeight: 1 / group });
  const dispersion = total.pairs === 0 ? independent : dispersionOf(pairs);
  const excess = shareExcess(total, bounds.errorDelta, dispersion, looks);
  const isAboveZero = excess.isAboveZero || isInMostBlocks(pairs.map(excessOf), looks);
  const bound = Math.min(1, bounds.errorDelta / nextShare);
  const isWithinBound = bound >= 1 || shareExcess(total, bound, dispersion, looks).isWithinBound;
  const outcome = outcomeOf({ ...excess, isAboveZero, isWithinBound }, all.fresh.ended, requestsMin);
  const measured = total.pairs === 0 ? Number.NaN : excessOf(total) / total.pairs;
  const text = `${fresh} failed ${countText(all.fresh.errors)} of ${countText(all.fresh.ended)} requests, ${old} ${countText(all.old.errors)} of ${countText(all.old.ended)} at the same time: ${rangeText(measured, excess.interval, bound)}`;
  const { high } = excess.interval;
  const seconds = lastedMs(blocks) / msPerS;
  const more = moreText({ measured, high, bound, requests: all.fresh.ended, seconds });
  return {
    name: 'errors',
    of: 'versions',
    outcome,
    text: outcome === 'undecided' ? text + more : text,
    isOptional: false,
  };
}

/** Larger groups hardly lower the error of the difference. */
const groupMost = 10;

/** How many requests of the old version stand against one of the new one. */
function groupOf({ old, fresh }: ReleaseCounts): number {
  if (fresh.ended === 0) return 1;
  return Math.min(groupMost, Math.max(1, Math.floor(old.ended / fresh.ended)));
}

/**
 * `asPairs` compares each request of the new version with the average of `group` of the old one, with as many
 * as there are of both. Errors are the average over all ways to choose the groups, so they may be fractions;
 * two errors of the old version in one group count as if they were in two, which is rare.
 */
function asPairs({ old, fresh }: ReleaseCounts, group: number): DiscordantPairs {
  const pairs = Math.min(old.ended / group, fresh.ended);
  return {
    shadowOnly: (fresh.errors * pairs) / fresh.ended,
    primaryOnly: (old.errors * pairs * group) / old.ended,
    pairs,
    primaryWeight: 1 / group,
  };
}

function addPairs(a: DiscordantPairs, b: DiscordantPairs): DiscordantPairs {
  return {
    ...a,
    shadowOnly: a.shadowOnly + b.shadowOnly,
    primaryOnly: a.primaryOnly + b.primaryOnly,
    pairs: a.pairs + b.pairs,
  };
}

interface Shift {
  readonly log: number;
  readonly error: BlockError | null;
}

function latencyCheck(
  blocks: readonly ReleaseBlock[],
  all: ReleaseCounts,
  { old, fresh, bounds, nextShare, requestsMin }: ReleaseQuestion,
  isTailAlike: boolean,
): StepCheck {
  const count = all.fresh.latency.count;
  const bound = bounds.shift / nextShare;
  const decided = [trimmedMean, biweight].map((estimator) => {
    const shift = shiftOf(blocks, all, estimator);
    return {
      measured: Math.expm1(shift.log),
      ...decideShift(shift, count, bounds.shift, bound, requestsMin),
    };
  });
  const [trimmed, bulk] = decided;
  const failed = decided.find((one) => one.outcome === 'fail');
  // Stalls that each version has by itself blur the trimmed mean for hours. The biweight does not see them,
  // so it may show that requests take as long in general, where the measured trimmed mean and the measured
  // p99 say nothing against it: a version that stalls more than the other shows there.
  const isBulkAlike = bulk.outcome === 'pass' && trimmed.measured <= bound && isTailAlike;
  const { measured, interval, outcome } =
    failed ?? (trimmed.outcome === 'undecided' && isBulkAlike ? bulk : trimmed);
  const seconds = lastedMs(blocks) / msPerS;
  const more = moreText({ measured, high: interval.high, bound, requests: count, seconds });
  return {
    name: 'latency',
    of: 'versions',
    outcome,
    text: `requests to ${fresh} took ${slowerText(measured)} those to ${old} at the same time (medians ${medianText(all.fresh.latency)} and ${medianText(all.old.latency)}): ${rangeText(measured, interval, bound)}${outcome === 'undecided' ? more : ''}`,
    isOptional: false,
  };
}

/** The middle of the logarithms of the new version's latencies, less that of the old one's. */
function shiftOf(blocks: readonly ReleaseBlock[], all: ReleaseCounts, estimator: Estimator): Shift {
  if (all.old.latency.count === 0 || all.fresh.latency.count === 0) return { log: Number.NaN, error: null };
  const before = estimator(all.old.latency, logLatency);
  const after = estimator(all.fresh.latency, logLatency);
  const moveOf = (latency: SlotCounts, influence: Float64Array, count: number): number => {
    let move = 0;
    latency.forEach((slot, times) => {
      move += times * influence[slot];
    });
    return move / count;
  };
  const moves = blocks.map(
    ({ counts }) =>
      moveOf(counts.fresh.latency, after.influence, all.fresh.latency.count) -
      moveOf(counts.old.latency, before.influence, all.old.latency.count),
  );
  return { log: after.log - before.log, error: blockError(moves) };
}

function decideShift(
  { log, error }: Shift,
  count: number,
  bound: number,
  stepBound: number,
  requestsMin: number,
): { readonly interval: Interval; readonly outcome: Outcome } {
  if (error === null) return { interval: { low: -1, high: Number.POSITIVE_INFINITY }, outcome: 'undecided' };
  const half = error.standardError * meanWidth(boundConfidence, error.df, looks, count);
  const interval = { low: Math.expm1(log - half), high: Math.expm1(log + half) };
  const excess = {
    interval,
    isAboveBound: interval.low > bound,
    isAboveZero: log > error.standardError * meanWidth(zeroConfidenceOf(looks), error.df, looks, count),
    isWithinBound: interval.high <= stepBound,
  };
  return { interval, outcome: outcomeOf(excess, count, requestsMin) };
}

/**
 * The tail may fail the new version. A step does not wait for it: it needs a hundred times as many requests.
 */
function p99Check(
  blocks: readonly ReleaseBlock[],
  all: ReleaseCounts,
  { old, fresh, bounds }: ReleaseQuestion,
): StepCheck {
  const [before, after] = [all.old.latency, all.fresh.latency];
  const p99Us = before.quantileUs(p99, latencyScale);
  const measured = after.quantileUs(p99, latencyScale) / p99Us - 1;
  const p99Slot = before.quantileSlot(p99);
  const share = before.countAbove(p99Slot) / before.count;
  /** Whether more of the new version's latencies are above `slot` than of the old one's above its own p99. */
  const isAbove = (slot: number, confidence: number): boolean => {
    const freshShare = after.countAbove(slot) / after.count;
    const moves = blocks.map(
      ({ counts: { fresh, old } }) =>
        (fresh.latency.countAbove(slot) - freshShare * fresh.latency.count) / after.count -
        (old.latency.countAbove(p99Slot) - share * old.latency.count) / before.count,
    );
    const error = blockError(moves);
    if (error === null) return false;
    const width = meanWidth(confidence, error.df, looks, Math.min(after.count, before.count));
    return freshShare - share > error.standardError * width;
  };
  const enough = Math.min(before.count, after.count) >= tailMin && blocks.length >= blocksMin;
  const boundSlot = enough ? latencyScale.slotOf(Math.round(p99Us * (1 + bounds.p99Delta))) : 0;
  const isWorse = enough && isAbove(boundSlot, boundConfidence) && isAbove(p99Slot, zeroConfidenceOf(looks));
  return {
    name: 'tail',
    of: 'versions',
    outcome: isWorse ? 'fail' : enough && measured <= bounds.p99Delta ? 'pass' : 'undecided',
    text: `the p99 of ${fresh} was ${durationText(after.quantileUs(p99, latencyScale))} and that of ${old} ${durationText(p99Us)} at the same time, allowed +${shareText(bounds.p99Delta)}`,
    isOptional: true,
  };
}

function outcomeOf(excess: Excess, requests: number, requestsMin: number): Outcome {
  if (requests < Math.max(1, requestsMin)) return 'undecided';
  if (excess.isAboveBound && excess.isAboveZero) return 'fail';
  return excess.isWithinBound ? 'pass' : 'undecided';
}

function medianText(latency: SlotCounts): string {
  return latency.count === 0 ? 'none' : durationText(latency.quantileUs(0.5, latencyScale));
}

function slowerText(measured: number): string {
  if (Number.isNaN(measured)) return 'an unknown time beside';
  if (Math.abs(measured) < 0.0005) return 'as long as';
  return `${shareText(Math.abs(measured))} ${measured > 0 ? 'longer' : 'less'} than`;
}

function rangeText(measured: number, { low, high }: Interval, bound: number): string {
  return `${signed(measured)}, between ${signed(low)} and ${signed(high)}, allowed for the next step +${shareText(bound)}`;
}

function signed(fraction: number): string {
  if (Number.isNaN(fraction)) return 'not measured';
  if (fraction === Number.POSITIVE_INFINITY) return 'any';
  return `${fraction < 0 ? '-' : '+'}${shareText(Math.abs(fraction))}`;
}
