/**
 * Everything that comparisons found: one `MirrorDiffs` for each mirror, and what /api/diffs reports of
 * it. Kept by the control thread, and lost with it.
 */

import { limits } from '../limits.js';
import type { BookRules, ComparedPair } from './compared-pair.js';
import type { DiffSample, DiffGroup as Group } from './diff-group.js';
import {
  type DifferenceClass,
  type DifferenceCounts,
  type Discordance,
  judgeDifferences,
  type MirrorCounts,
} from './diff-summary.js';
import type { Comparison } from './difference.js';
import { digestBody } from './digest.js';
import { MirrorDiffs } from './mirror-diffs.js';
import { baselineHitsMin, noiseAlpha } from './noise.js';

export { type BookRules, type ComparedPair, noBookRules } from './compared-pair.js';
export type { DiffSample } from './diff-group.js';

/**
 * The body of `GET /api/diffs`. Its names are a contract: add, never rename. Counts are since the
 * control thread started.
 */
export interface Diffs {
  readonly groups: readonly DiffGroup[];
  /** One for each mirror whose pairs are taken apart. */
  readonly mirrors: readonly DiffSummary[];
  /** The test behind `noise`. */
  readonly noiseTest: {
    readonly method: 'paired-sign-mixture';
    readonly confidence: number;
    readonly baselineHitsMin: number;
  };
  /** Differences that found no room as a group of their own, because there are too many groups. */
  readonly ungrouped: number;
}

/** `compared` and `baseline` are of the pairs of the group's endpoint. */
export interface DiffGroup extends DifferenceCounts {
  /** Names the group in commands. */
  readonly id: string;
  readonly route: string;
  readonly version: string;
  readonly class: DifferenceClass;
  /** `class` is `noise`. */
  readonly noise: boolean;
  /** The shadow repeats one value where the primary's changes. */
  readonly constant: boolean;
  /**
   * Why there is no baseline, where the mirror has one: a request that may change something is not sent
   * again.
   */
  readonly isWrite: boolean;
  /** The newest few, oldest first. */
  readonly samples: readonly DiffSample[];
}

export interface DiffSummary {
  readonly route: string;
  readonly version: string;
  /** When these counts began, wall clock: the control thread started, or other rules came into force. */
  readonly sinceMs: number;
  /** Pairs that were taken apart. */
  readonly compared: number;
  /** Pairs with any difference, those that could not be compared included. */
  readonly different: number;
  /** Pairs with a difference that is certainly not noise. */
  readonly differentBeyondNoise: number;
  /** Pairs whose differences may be noise or not. They are in no other count but `different`. */
  readonly undecided: number;
  /** The `id` of the noisy group that leaves most of them undecided; null without one. */
  readonly noisiest: string | null;
  /** Pairs with a status of 500 to 599 on either side, which are in no other count. */
  readonly errors: number;
  /** Pairs in `different` whose bodies could not be compared. */
  readonly notComparable: number;
  /** Names of the bounds in core/limits that were exceeded, so that the counts above are not complete. */
  readonly overflow: readonly string[];
  readonly baseline: {
    readonly version: string;
    readonly compared: number;
    readonly different: number;
  } | null;
  readonly endpoints: readonly EndpointSummary[];
  /** `any`, `unplaced` and `sets` let a command judge a window of time (core/compare/diff-summary). */
  readonly any: Discordance & { readonly triples: number };
  readonly unplaced: number;
  readonly sets: readonly { readonly groups: readonly string[]; readonly pairs: number }[];
}

export interface EndpointSummary {
  /** Method and path pattern. */
  readonly endpoint: string;
  readonly compared: number;
  readonly baselineCompared: number;
  readonly triples: number;
}

/** The same for a reader that judges no window of time: these lists are most of the bytes. */
export function withoutSets({ mirrors, ...diffs }: Diffs): Diffs {
  return { ...diffs, mirrors: mirrors.map((mirror) => ({ ...mirror, sets: [] })) };
}

export class DiffBook {
  readonly #mirrors = new Map<string, MirrorDiffs>();
  /** What `read` returned, as long as it holds. */
  #read: Diffs | null = null;
  readonly #waitingMax: number;

  /** `waitingMax`: pairs that wait for the shadow's or the baseline's of the same request, of each mirror. */
  constructor(waitingMax: number = limits.diffWaiting) {
    this.#waitingMax = waitingMax;
  }

  /**
   * `follow` starts the counts of a mirror whose pairs are taken apart, and restarts them when it is compared
   * by other rules.
   */
  follow(route: string, version: string, rules: BookRules): void {
    const name = mirrorName(route, version);
    if (this.#mirrors.get(name)?.rulesKey === rules.key) return;
    this.#mirrors.set(name, new MirrorDiffs(route, version, rules, this.#waitingMax));
    this.#read = null;
  }

  /** `record` leaves out a pair that was compared by the rules of a plan that is over. */
  record(pair: ComparedPair, comparison: Comparison): void {
    const { route, version, rules } = pair;
    const name = mirrorName(route, version);
    if (!this.#mirrors.has(name)) this.follow(route, version, rules);
    const mirror = this.#mirrors.get(name)!;
    if (mirror.rulesKey !== rules.key) return;
    mirror.record(pair, comparison);
    this.#read = null;
  }

  /** The same object until something is recorded. */
  read(): Diffs {
    this.#read ??= this.#judged();
    return this.#read;
  }

  #judged(): Diffs {
    const mirrors = [...this.#mirrors.values()].map(readMirror);
    return {
      groups: mirrors
        .flatMap(({ groups }) => groups)
        .sort((a, b) => Number(a.noise) - Number(b.noise) || b.count - a.count),
      mirrors: mirrors.map(({ summary }) => summary),
      noiseTest: { method: 'paired-sign-mixture', confidence: 1 - noiseAlpha, baselineHitsMin },
      ungrouped: [...this.#mirrors.values()].reduce((sum, { ungrouped }) => sum + ungrouped, 0),
    };
  }
}

function mirrorName(route: string, version: string): string {
  return JSON.stringify([route, version]);
}

function readMirror(mirror: MirrorDiffs): { groups: DiffGroup[]; summary: DiffSummary } {
  const { route, version, baseline } = mirror;
  const groups = mirror.groups();
  const counts = mirror.counts(groups);
  const judged = judgeDifferences(counts);
  const ids = groups.map((group) => idOf(route, version, group));
  return {
    groups: groups.flatMap((group, i): DiffGroup[] => {
      // A group that the baseline alone has says nothing of the shadow.
      if (group.count === 0) return [];
      const { class: kind, constant } = judged.groups[i];
      return [
        {
          id: ids[i],
          route,
          version,
          ...counts.groups[i],
          class: kind,
          noise: kind === 'noise',
          constant,
          isWrite: baseline !== null && counts.groups[i].baseline === null,
          samples: [...group.samples],
        },
      ];
    }),
    summary: summaryOf(mirror, counts, judged, ids),
  };
}

function summaryOf(
  mirror: MirrorDiffs,
  counts: MirrorCounts,
  judged: ReturnType<typeof judgeDifferences>,
  ids: readonly string[],
): DiffSummary {
  return {
    route: mirror.route,
    version: mirror.version,
    sinceMs: mirror.sinceMs,
    compared: mirror.compared,
    different: mirror.different,
    differentBeyondNoise: judged.differentBeyondNoise,
    undecided: judged.undecided,
    noisiest: judged.noisiest === null ? null : ids[judged.noisiest],
    errors: mirror.errors,
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
    endpoints: mirror.endpoints().map(({ name, compared, baselineCompared, triples }) => {
      return { endpoint: name, compared, baselineCompared, triples };
    }),
    any: counts.any,
    unplaced: counts.unplaced,
    sets: counts.sets.map(({ groups, pairs }) => ({ groups: groups.map((i) => ids[i]), pairs })),
  };
}

/** Eight hexadecimal digits that stay the same as long as the difference has its place. */
function idOf(route: string, version: string, { endpoint, kind, path, change }: Group): string {
  const name = JSON.stringify([route, version, endpoint.name, kind, path, change]);
  return digestBody(Buffer.from(name), 0).toString(16).padStart(8, '0');
}
