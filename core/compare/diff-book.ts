/**
 * Everything that comparisons found, in bounded memory: differences of one route, version, kind and path are one group
 * with a count and a few samples. Kept by the control thread; lost with it.
 */
import { limits } from '../limits.js';
import type { Comparison, Difference, DifferenceKind, Shown } from './difference.js';
import { baselineHitsMin, baselinePairsMin, isNoise, noiseConfidence } from './noise.js';

/** The pair that a comparison is of. Its texts are redacted. */
export interface ComparedPair {
  readonly route: string;
  /** The shadow; for a pair of the baseline, the version that it is a measure for. */
  readonly version: string;
  /** Null: the shadow's response was compared. Else the primary's version, which was asked twice. */
  readonly baseline: string | null;
  readonly id: string;
  /** `GET /reviews/0`. */
  readonly request: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** The body of `GET /api/diffs`. Its names are a contract: add, never rename. Counts are since the control thread started. */
export interface Diffs {
  readonly groups: readonly DiffGroup[];
  /** One for each mirror of which a pair was compared. */
  readonly mirrors: readonly DiffSummary[];
  /** The test behind `noise`. */
  readonly noiseTest: {
    readonly method: 'fisher-exact-one-sided';
    readonly confidence: number;
    readonly baselinePairsMin: number;
    readonly baselineHitsMin: number;
  };
  /** Differences that found no room as a group of their own, because there are too many groups. */
  readonly ungrouped: number;
}

export interface DiffGroup {
  readonly route: string;
  readonly version: string;
  readonly kind: DifferenceKind;
  /** See `Difference.path`. */
  readonly path: string;
  /** Pairs that have it, of `compared`. */
  readonly count: number;
  readonly compared: number;
  /** The same between two answers of the primary's version; null without a baseline. */
  readonly baseline: { readonly count: number; readonly compared: number } | null;
  /** It differs by itself: see core/compare/noise. */
  readonly noise: boolean;
  /** The newest few, oldest first. */
  readonly samples: readonly DiffSample[];
}

/** A side that has nothing there (a member that is missing) has no key here. */
export interface DiffSample {
  readonly id: string;
  readonly request: string;
  readonly atMs: number;
  /** The exact place, where the group's path is not it. */
  readonly at?: string;
  readonly primary?: Shown;
  readonly shadow?: Shown;
}

export interface DiffSummary {
  readonly route: string;
  readonly version: string;
  /** Pairs that were taken apart. */
  readonly compared: number;
  /** Of these, pairs with any difference, those that could not be compared included. */
  readonly different: number;
  /** Of these, pairs with a difference that is certainly not noise. */
  readonly differentBeyondNoise: number;
  /** Of these, pairs whose differences can't be told from noise yet. They are in no other count but `different`. */
  readonly undecided: number;
  /** Of `different`, pairs whose bodies could not be compared. */
  readonly notComparable: number;
  /** Names of the bounds in core/limits that were exceeded, so that the counts above are not complete. */
  readonly overflow: readonly string[];
  readonly baseline: {
    readonly version: string;
    readonly compared: number;
    readonly different: number;
  } | null;
}

class Group {
  count = 0;
  baselineCount = 0;
  readonly samples: DiffSample[] = [];
  constructor(
    readonly number: number,
    readonly kind: DifferenceKind,
    readonly path: string,
  ) {}
}

class MirrorDiffs {
  compared = 0;
  different = 0;
  notComparable = 0;
  baseline: string | null = null;
  baselineCompared = 0;
  baselineDifferent = 0;
  readonly groups = new Map<string, Group>();
  readonly overflow = new Set<string>();
  /** Pairs by the set of groups that they are in, so that noise that is found later can be taken out of the count. */
  readonly sets = new Map<string, { readonly groups: readonly Group[]; pairs: number }>();
  /** Pairs that can't be told by sets: they count as different. */
  beyondSets = 0;
  constructor(
    readonly route: string,
    readonly version: string,
  ) {}
}

export class DiffBook {
  readonly #mirrors = new Map<string, MirrorDiffs>();
  #groups = 0;
  #ungrouped = 0;

  record(pair: ComparedPair, { differences, more }: Comparison): void {
    const mirror = this.#mirrorOf(pair);
    const isDifferent = differences.length > 0;
    if (pair.baseline !== null) {
      mirror.baseline = pair.baseline;
      mirror.baselineCompared++;
      if (isDifferent) mirror.baselineDifferent++;
      for (const difference of differences) {
        const group = this.#groupOf(mirror, difference);
        if (group !== null) group.baselineCount++;
      }
      return;
    }
    mirror.compared++;
    if (!isDifferent) return;
    mirror.different++;
    if (differences.some(({ kind }) => kind === 'not-comparable')) mirror.notComparable++;
    const groups = differences.map((difference) => {
      const group = this.#groupOf(mirror, difference);
      if (group !== null) count(group, pair, difference);
      return group;
    });
    if (more > 0) mirror.overflow.add('pairDifferences');
    if (more > 0 || groups.includes(null)) mirror.beyondSets++;
    else countSet(mirror, groups as Group[]);
  }

  read(): Diffs {
    const mirrors = [...this.#mirrors.values()];
    return {
      groups: mirrors
        .flatMap((mirror) => [...mirror.groups.values()].filter(isSeen).map((group) => tell(mirror, group)))
        .sort((a, b) => Number(a.noise) - Number(b.noise) || b.count - a.count),
      mirrors: mirrors.map(summary),
      noiseTest: {
        method: 'fisher-exact-one-sided',
        confidence: noiseConfidence,
        baselinePairsMin,
        baselineHitsMin,
      },
      ungrouped: this.#ungrouped,
    };
  }

  #mirrorOf({ route, version }: ComparedPair): MirrorDiffs {
    const key = `${route} ${version}`;
    let mirror = this.#mirrors.get(key);
    if (mirror === undefined) {
      mirror = new MirrorDiffs(route, version);
      this.#mirrors.set(key, mirror);
    }
    return mirror;
  }

  /** Null: there are as many groups as there may be. */
  #groupOf(mirror: MirrorDiffs, { kind, path }: Difference): Group | null {
    const key = `${kind} ${path}`;
    const known = mirror.groups.get(key);
    if (known !== undefined) return known;
    if (this.#groups >= limits.diffGroups) {
      this.#ungrouped++;
      mirror.overflow.add('diffGroups');
      return null;
    }
    const group = new Group(this.#groups++, kind, path);
    mirror.groups.set(key, group);
    return group;
  }
}

function count(group: Group, pair: ComparedPair, { at, path, primary, shadow }: Difference): void {
  group.count++;
  if (group.samples.length === limits.diffSamples) group.samples.shift();
  group.samples.push({
    id: pair.id,
    request: pair.request,
    atMs: pair.atMs,
    ...(at === path || at === '' ? {} : { at }),
    ...(primary === undefined ? {} : { primary }),
    ...(shadow === undefined ? {} : { shadow }),
  });
}

function countSet(mirror: MirrorDiffs, groups: readonly Group[]): void {
  const key = groups
    .map(({ number }) => number)
    .sort((a, b) => a - b)
    .join();
  const set = mirror.sets.get(key);
  if (set !== undefined) set.pairs++;
  else if (mirror.sets.size < limits.diffSets) mirror.sets.set(key, { groups, pairs: 1 });
  else {
    mirror.beyondSets++;
    mirror.overflow.add('diffSets');
  }
}

/** A group that the baseline alone has says nothing of the shadow. */
function isSeen(group: Group): boolean {
  return group.count > 0;
}

function noise(mirror: MirrorDiffs, group: Group): boolean {
  return isNoise(
    { count: group.count, pairs: mirror.compared },
    { count: group.baselineCount, pairs: mirror.baselineCompared },
  );
}

function tell(mirror: MirrorDiffs, group: Group): DiffGroup {
  return {
    route: mirror.route,
    version: mirror.version,
    kind: group.kind,
    path: group.path,
    count: group.count,
    compared: mirror.compared,
    baseline:
      mirror.baseline === null ? null : { count: group.baselineCount, compared: mirror.baselineCompared },
    noise: noise(mirror, group),
    samples: [...group.samples],
  };
}

function summary(mirror: MirrorDiffs): DiffSummary {
  const real = new Set([...mirror.groups.values()].filter((group) => !noise(mirror, group)));
  let differentBeyondNoise = mirror.beyondSets;
  for (const { groups, pairs } of mirror.sets.values()) {
    if (groups.some((group) => real.has(group))) differentBeyondNoise += pairs;
  }
  return {
    route: mirror.route,
    version: mirror.version,
    compared: mirror.compared,
    different: mirror.different,
    differentBeyondNoise,
    undecided: 0,
    notComparable: mirror.notComparable,
    overflow: [...mirror.overflow],
    baseline:
      mirror.baseline === null
        ? null
        : {
            version: mirror.baseline,
            compared: mirror.baselineCompared,
            different: mirror.baselineDifferent,
          },
  };
}
