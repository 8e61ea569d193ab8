/**
 * The differences found by one umbra, within a window between two readings, and by several instances. The
 * last two subtract or add counts by identity, and judge them once at the end.
 */
import type { DiffGroup, DiffSummary } from '../compare/diff-book.js';
import { type Discordance, judgeDifferences } from '../compare/diff-summary.js';
import { matchesPattern } from '../compare/endpoints.js';
import { summed } from './summed.js';

export interface DiffGroupView extends Omit<DiffGroup, 'isWrite' | 'samples'> {
  readonly samples: readonly DiffSampleView[];
}

export interface DiffSampleView {
  readonly id: string;
  readonly request: string;
  readonly at: string;
  readonly primary: string;
  readonly shadow: string;
}

/** A summary as readers of `/api/diffs` get it: `sets` names groups by their ids. */
export interface DiffSummaryView extends Omit<DiffSummary, 'errors' | 'baseline' | 'endpoints'> {
  /** Pairs of responses of the primary's version; null without a baseline. */
  readonly baseline: { readonly version: string; readonly compared: number } | null;
}

export interface DiffsView {
  readonly groups: readonly DiffGroupView[];
  readonly mirrors: readonly DiffSummaryView[];
}

/** The `overflow` of counts that began within the window. */
export const restarted = 'restart';

/**
 * `subtractDiffs` returns what was compared between two readings, judged by itself. If the counts of
 * the second began later, the control thread was replaced or other rules came into force. The result then has
 * the counts since, and the overflow `restart`.
 */
export function subtractDiffs(later: DiffsView, earlier: DiffsView): DiffsView {
  const begunLater = new Set(
    later.mirrors.filter((mirror) => {
      const before = earlier.mirrors.find((other) => isSameMirror(mirror, other));
      return before !== undefined && (before.sinceMs !== mirror.sinceMs || before.compared > mirror.compared);
    }),
  );
  const before = new Map<string, DiffGroupView>();
  const laterGroups = new Map(later.groups.map((group) => [identity(group), group]));
  const renamed = new Map<string, string>();
  for (const group of earlier.groups) {
    const now = laterGroups.get(identity(group)) ?? later.groups.find((wider) => covers(wider, group));
    if (now === undefined) continue;
    renamed.set(group.id, now.id);
    const known = before.get(identity(now));
    before.set(identity(now), known === undefined ? { ...group, id: now.id } : addGroups(known, group));
  }
  return judged({
    groups: later.groups.flatMap((group) => {
      const known = before.get(identity(group));
      if (known === undefined || [...begunLater].some((mirror) => isSameMirror(mirror, group)))
        return [group];
      const left = subtractGroups(group, known);
      return left.count > 0 || (left.baseline?.count ?? 0) > 0 ? [left] : [];
    }),
    mirrors: later.mirrors.map((mirror) => {
      if (begunLater.has(mirror)) return { ...mirror, overflow: [...mirror.overflow, restarted] };
      const known = earlier.mirrors.find((other) => isSameMirror(mirror, other));
      return known === undefined ? mirror : subtractSummaries(mirror, known, renamed);
    }),
  });
}

/** Groups that an instance sends to others: those with the most pairs. */
const sentGroupsMax = 100;

/** `withoutSamples` returns what may leave an instance: counts, and nothing of a request or response. */
export function withoutSamples({ groups, mirrors }: DiffsView): DiffsView {
  const first = [...groups].sort((a, b) => b.count - a.count).slice(0, sentGroupsMax);
  return { groups: first.map((group) => ({ ...group, samples: [] })), mirrors };
}

/** `addDiffs` returns the sum over several instances. */
export function addDiffs(views: readonly DiffsView[]): DiffsView {
  return judged({
    groups: summed(
      views.flatMap(({ groups }) => groups),
      identity,
      addGroups,
    ),
    mirrors: summed(
      views.flatMap(({ mirrors }) => mirrors),
      ({ route, version }) => JSON.stringify([route, version]),
      addSummaries,
    ),
  });
}

/** `judged` computes the classes and the counts of pairs from the counts of the groups. */
function judged({ groups, mirrors }: DiffsView): DiffsView {
  const classes = new Map<DiffGroupView, DiffGroupView>();
  const summaries = mirrors.map((mirror) => {
    const own = groups.filter((group) => isSameMirror(mirror, group));
    const indexes = new Map(own.map(({ id }, i) => [id, i]));
    const { any, unplaced, compared, baseline } = mirror;
    const sets = mirror.sets.map(({ groups, pairs }) => {
      return { groups: groups.flatMap((id) => indexes.get(id) ?? []), pairs };
    });
    const result = judgeDifferences({
      hasBaseline: baseline !== null,
      compared,
      groups: own,
      sets,
      any,
      unplaced,
    });
    for (const [i, { class: kind, constant }] of result.groups.entries()) {
      classes.set(own[i], { ...own[i], class: kind, noise: kind === 'noise', constant });
    }
    const { differentBeyondNoise, undecided, noisiest } = result;
    return {
      ...mirror,
      differentBeyondNoise,
      undecided,
      noisiest: noisiest === null ? null : own[noisiest].id,
    };
  });
  return { groups: groups.map((group) => classes.get(group) ?? group), mirrors: summaries };
}

interface OfMirror {
  readonly route: string;
  readonly version: string;
}

function isSameMirror(a: OfMirror, b: OfMirror): boolean {
  return a.route === b.route && a.version === b.version;
}

function identity({ route, version, endpoint, kind, path, change }: DiffGroupView): string {
  return JSON.stringify([route, version, endpoint, kind, path, change]);
}

/**
 * `covers` finds a narrower group that was counted before umbra learned that a part of its path is variable.
 */
function covers(wider: DiffGroupView, narrower: DiffGroupView): boolean {
  if (!isSameMirror(wider, narrower) || wider.kind !== narrower.kind || wider.change !== narrower.change)
    return false;
  const [method, pattern] = wider.endpoint.split(' ', 2);
  const [other, path] = narrower.endpoint.split(' ', 2);
  if (method !== other || !matchesPattern(pattern ?? '', path ?? '')) return false;
  if (wider.path === narrower.path) return true;
  const [a, b] = [stepsOf(wider.path), stepsOf(narrower.path)];
  return a.length === b.length && a.every((step, i) => step === '[*]' || step === b[i]);
}

function stepsOf(path: string): readonly string[] {
  return path.match(/\.\w+|\[\*\]|\['(?:[^'\\]|\\.)*'\]|./gsu) ?? [];
}

function addGroups(a: DiffGroupView, b: DiffGroupView): DiffGroupView {
  return combined(a, b, (x, y) => x + y, [...a.samples, ...b.samples]);
}

function subtractGroups(later: DiffGroupView, earlier: DiffGroupView): DiffGroupView {
  return combined(later, earlier, (x, y) => Math.max(0, x - y), later.samples);
}

function combined(
  a: DiffGroupView,
  b: DiffGroupView,
  of: (x: number, y: number) => number,
  samples: DiffGroupView['samples'],
): DiffGroupView {
  return {
    ...a,
    count: of(a.count, b.count),
    compared: of(a.compared, b.compared),
    baseline:
      a.baseline === null || b.baseline === null
        ? a.baseline
        : {
            count: of(a.baseline.count, b.baseline.count),
            compared: of(a.baseline.compared, b.baseline.compared),
          },
    triples: { ...discordance(a.triples, b.triples, of), pairs: of(a.triples.pairs, b.triples.pairs) },
    repeats: discordance(a.repeats, b.repeats, of),
    steady: {
      pairs: of(a.steady.pairs, b.steady.pairs),
      primary: of(a.steady.primary, b.steady.primary),
      shadow: of(a.steady.shadow, b.steady.shadow),
    },
    samples,
  };
}

function discordance(a: Discordance, b: Discordance, of: (x: number, y: number) => number): Discordance {
  return {
    shadowOnly: of(a.shadowOnly, b.shadowOnly),
    baselineOnly: of(a.baselineOnly, b.baselineOnly),
  };
}

function addSummaries(a: DiffSummaryView, b: DiffSummaryView): DiffSummaryView {
  const sum = combinedSummaries(a, b, (x, y) => x + y);
  return { ...sum, sets: summed([...a.sets, ...b.sets], setKey, addSets) };
}

function subtractSummaries(
  later: DiffSummaryView,
  earlier: DiffSummaryView,
  renamed: ReadonlyMap<string, string>,
): DiffSummaryView {
  const before = earlier.sets.map(({ groups, pairs }) => {
    return { groups: [...new Set(groups.map((id) => renamed.get(id) ?? id))], pairs };
  });
  const known = new Map(summed(before, setKey, addSets).map((set) => [setKey(set), set.pairs]));
  return {
    ...combinedSummaries(later, earlier, (x, y) => Math.max(0, x - y)),
    overflow: later.overflow,
    sets: later.sets.map((set) => ({
      ...set,
      pairs: Math.max(0, set.pairs - (known.get(setKey(set)) ?? 0)),
    })),
  };
}

function combinedSummaries(
  a: DiffSummaryView,
  b: DiffSummaryView,
  of: (x: number, y: number) => number,
): DiffSummaryView {
  return {
    ...a,
    compared: of(a.compared, b.compared),
    different: of(a.different, b.different),
    notComparable: of(a.notComparable, b.notComparable),
    overflow: [...new Set([...a.overflow, ...b.overflow])],
    baseline:
      a.baseline === null || b.baseline === null
        ? (a.baseline ?? b.baseline)
        : { ...a.baseline, compared: of(a.baseline.compared, b.baseline.compared) },
    any: { ...discordance(a.any, b.any, of), triples: of(a.any.triples, b.any.triples) },
    unplaced: of(a.unplaced, b.unplaced),
  };
}

type DifferenceSetView = DiffSummaryView['sets'][number];

function setKey({ groups }: DifferenceSetView): string {
  return [...groups].sort().join();
}

function addSets(a: DifferenceSetView, b: DifferenceSetView): DifferenceSetView {
  return { ...a, pairs: a.pairs + b.pairs };
}
