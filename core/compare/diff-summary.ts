/**
 * Judges the differences of one mirror from counts alone. The control thread judges everything since it
 * started, a command judges the counts of a window: both use this. Pure; any thread.
 */
import { GrpcStatus, grpcStatusNames, httpStatusOfGrpc } from '../grpc/grpc-status.js';
import type { Change, DifferenceKind } from './difference.js';
import {
  baselineHitsMin,
  type Excess,
  holm,
  marginalExcess,
  moreOftenP,
  noiseAlpha,
  pairedExcess,
  signP,
} from './noise.js';

/**
 * `different`: for sure. `noise`: the released version differs from itself there as often. Else
 * `undecided`.
 */
export type DifferenceClass = 'different' | 'noise' | 'undecided';

/** The counts of one difference. All of them add up over instances and subtract over time. */
export interface DifferenceCounts {
  /** Method and path pattern of the requests. */
  readonly endpoint: string;
  readonly kind: DifferenceKind;
  readonly path: string;
  readonly change: Change;
  /** Pairs that have it, of `compared` pairs of the endpoint. */
  readonly count: number;
  readonly compared: number;
  /** The same between two answers of the primary's version; null where the endpoint has no baseline. */
  readonly baseline: { readonly count: number; readonly compared: number } | null;
  /**
   * Requests that the primary, the shadow and the baseline answered, and those in which one alone has
   * it.
   */
  readonly triples: Discordance & { readonly pairs: number };
  /** Times that a side alone repeated its own last value while the primary's changed. */
  readonly repeats: Discordance;
  /**
   * Pairs that had another one before them, and those in which a side has the same value as in that one.
   */
  readonly steady: Steadiness;
}

export interface Steadiness {
  readonly pairs: number;
  readonly primary: number;
  readonly shadow: number;
}

export interface Discordance {
  readonly shadowOnly: number;
  readonly baselineOnly: number;
}

/** Pairs that have exactly these differences, noise that was known at the time left out. */
export interface DifferenceSet {
  /** Indexes into the list of differences. */
  readonly groups: readonly number[];
  readonly pairs: number;
}

export interface MirrorCounts {
  /** Since when there is a baseline, noise can be known. */
  readonly hasBaseline: boolean;
  readonly compared: number;
  readonly groups: readonly DifferenceCounts[];
  readonly sets: readonly DifferenceSet[];
  /** Requests of which one side alone has any difference that was not known as noise. */
  readonly any: Discordance & { readonly triples: number };
  /** Pairs with a difference for which a bound left no room. */
  readonly unplaced: number;
}

export interface Judgement {
  readonly class: DifferenceClass;
  /** The shadow repeats its value where the primary's and the baseline's change. */
  readonly constant: boolean;
  /** Null where there is no baseline to exceed. */
  readonly excess: Excess | null;
}

export interface MirrorJudgement {
  /** One for each of `groups`. */
  readonly groups: readonly Judgement[];
  readonly differentBeyondNoise: number;
  readonly undecided: number;
  /** The index of the noisy difference that leaves most pairs undecided; null without one. */
  readonly noisiest: number | null;
}

/**
 * A place whose shadow seems to repeat its value at this level is not called noise before there is more
 * data.
 */
const suspicionP = 0.05;

/** A fair coin that falls the same way in all of so many throws is no accident, of 20 coins either. */
const steadyPairsMin = 12;
const steadyShareMin = 0.95;

const readMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

export function methodOf(endpoint: string): string {
  return endpoint.slice(0, endpoint.indexOf(' '));
}

export function isRead(method: string): boolean {
  return readMethods.includes(method);
}

/** The baseline shows it often enough to call the place noisy. */
function isNoisy({ baseline, triples }: DifferenceCounts): boolean {
  return baseline !== null && Math.max(baseline.count, triples.baselineOnly) >= baselineHitsMin;
}

export function judgeDifferences(mirror: MirrorCounts): MirrorJudgement {
  const groups = judgeGroups(mirror);
  const { pairs: certain, open } = pairsOf(mirror, groups);
  let beyond = certain;
  const everything = mirror.any;
  if (anyIsCertain(mirror)) {
    const { shadowOnly, baselineOnly, triples } = everything;
    beyond = Math.max(beyond, pairedExcess(shadowOnly, baselineOnly, triples, mirror.compared).low);
  }
  let noisiest: number | null = null;
  let hidden = 0;
  for (const [i, { class: kind, constant, excess }] of groups.entries()) {
    const { count } = mirror.groups[i];
    if (isError(mirror.groups[i])) continue;
    let [sure, perhaps] = [0, 0];
    if (kind === 'different') {
      const isMixed = !constant && excess !== null && isNoisy(mirror.groups[i]);
      sure = isMixed ? excess.low : count;
      perhaps = isMixed ? excess.high - excess.low : 0;
    } else if (kind === 'noise' && excess !== null) perhaps = Math.min(count, excess.high);
    // Its pairs may be in no set, because the place is noisy.
    else if (kind === 'undecided' && isNoisy(mirror.groups[i])) perhaps = count;
    beyond = Math.max(beyond, sure);
    if (perhaps <= hidden) continue;
    hidden = perhaps;
    noisiest = i;
  }
  const differentBeyondNoise = Math.min(mirror.compared, Math.round(beyond));
  const undecided = open + mirror.unplaced + hidden - (differentBeyondNoise - certain);
  return {
    groups,
    differentBeyondNoise,
    undecided: Math.min(mirror.compared - differentBeyondNoise, Math.max(0, Math.round(undecided))),
    noisiest,
  };
}

function judgeGroups(mirror: MirrorCounts): Judgement[] {
  const { groups } = mirror;
  // What the shadow never has speaks for no difference, and would only make the correction larger.
  const tested = groups.flatMap((group, i) => (group.baseline !== null && group.count > 0 ? [i] : []));
  const ps = tested.flatMap((i) => [moreThanNoiseP(groups[i]), repeatP(groups[i])]);
  const rejected = holm(ps, noiseAlpha);
  const judgements = groups.map((): Judgement => different);
  for (const [at, i] of tested.entries()) {
    const [more, constant] = [rejected[2 * at], rejected[2 * at + 1]];
    const noise = isNoisy(groups[i]) && ps[2 * at + 1] > suspicionP ? 'noise' : 'undecided';
    judgements[i] = { class: more || constant ? 'different' : noise, constant, excess: excessOf(groups[i]) };
  }
  const noiseOfReads = new Set(
    groups.flatMap((group, i) => (judgements[i].class === 'noise' ? [placeOf(group)] : [])),
  );
  for (const [i, group] of groups.entries()) {
    if (!mirror.hasBaseline || group.baseline !== null) continue;
    if (isSteady(group)) continue;
    if (noiseOfReads.has(placeOf(group))) judgements[i] = { ...different, class: 'noise' };
    else if (group.change === 'value') judgements[i] = { ...different, class: 'undecided' };
  }
  return judgements;
}

/**
 * `isSteady` finds values that one side has time and again although the other side has another one. No
 * baseline measures the differences of writes: values that change with every request on both sides may
 * be generated ones, and steady values are not, whatever the reads of the same path are like.
 */
function isSteady({ change, steady }: DifferenceCounts): boolean {
  if (change !== 'value' || steady.pairs < steadyPairsMin) return false;
  return Math.max(steady.primary, steady.shadow) >= steadyShareMin * steady.pairs;
}

const different: Judgement = { class: 'different', constant: false, excess: null };

/** The place without the method: what is noise in the reads of a path is noise in its writes. */
function placeOf({ endpoint, kind, path, change }: DifferenceCounts): string {
  return [endpoint.slice(endpoint.indexOf(' ')), kind, path, change].join('\n');
}

function moreThanNoiseP(group: DifferenceCounts): number {
  const { count, compared, baseline, triples } = group;
  if (triples.pairs > 0) return signP(triples.shadowOnly, triples.baselineOnly);
  if (baseline === null || baseline.compared === 0) return 1;
  return moreOftenP({ count, pairs: compared }, { count: baseline.count, pairs: baseline.compared });
}

function repeatP({ repeats }: DifferenceCounts): number {
  return signP(repeats.shadowOnly, repeats.baselineOnly);
}

function anyIsCertain({ any }: MirrorCounts): boolean {
  return signP(any.shadowOnly, any.baselineOnly) <= noiseAlpha;
}

function excessOf({ count, compared, baseline, triples }: DifferenceCounts): Excess | null {
  if (triples.pairs > 0)
    return pairedExcess(triples.shadowOnly, triples.baselineOnly, triples.pairs, compared);
  if (baseline === null) return null;
  return marginalExcess({ count, pairs: compared }, { count: baseline.count, pairs: baseline.compared });
}

/** Statuses of gRPC that stand for 500 to 599. */
const grpcErrors: readonly string[] = grpcStatusNames.filter(
  (name) => httpStatusOfGrpc(GrpcStatus[name]) >= 500,
);

/** An error's status on either side: its pairs are errors, and in no count of pairs that differ. */
function isError({ kind, path }: DifferenceCounts): boolean {
  return (
    kind === 'status' &&
    path.split(' ').some((status) => status.startsWith('5') || grpcErrors.includes(status))
  );
}

/** Pairs with a difference that is certain, and pairs whose differences are all open, by their sets. */
function pairsOf(mirror: MirrorCounts, judgements: readonly Judgement[]): { pairs: number; open: number } {
  let pairs = 0;
  let open = 0;
  for (const set of mirror.sets) {
    let isCertain = false;
    let isOpen = false;
    for (const i of set.groups) {
      const { class: kind, constant } = judgements[i];
      if (kind === 'different' && (constant || !isNoisy(mirror.groups[i]))) isCertain = true;
      else if (kind === 'undecided') isOpen = true;
    }
    if (isCertain) pairs += set.pairs;
    else if (isOpen) open += set.pairs;
  }
  return { pairs, open };
}
