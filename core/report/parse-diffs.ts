/** Reads `GET /api/diffs` and leaves out whatever has another shape. */
import type { Discordance } from '../compare/diff-summary.js';
import { type Change, changes, type DifferenceKind, differenceKinds } from '../compare/difference.js';
import type { DiffGroupView, DiffSummaryView, DiffsView } from './diffs.js';

const shownCharsMax = 200;

export function parseDiffs(json: unknown): DiffsView {
  return {
    groups: list(json, 'groups').flatMap(parseGroup),
    mirrors: list(json, 'mirrors').flatMap(parseSummary),
  };
}

function parseGroup(group: Record<string, unknown>): DiffGroupView[] {
  const { route, version, kind, path, count } = group;
  if (!isText(route) || !isText(version) || !isText(path) || !isCount(count)) return [];
  if (!(differenceKinds as readonly unknown[]).includes(kind)) return [];
  const compared = countOr(group.compared, count);
  const baseline = mapping(group.baseline);
  const triples = mapping(group.triples);
  const steady = mapping(group.steady);
  return [
    {
      id: textOr(group.id, ''),
      route,
      version,
      endpoint: textOr(group.endpoint, ''),
      kind: kind as DifferenceKind,
      path,
      change: (changes as readonly unknown[]).includes(group.change) ? (group.change as Change) : 'value',
      count,
      compared,
      baseline:
        isCount(baseline.count) && isCount(baseline.compared)
          ? { count: baseline.count, compared: baseline.compared }
          : null,
      triples: { pairs: countOr(triples.pairs, 0), ...parseDiscordance(triples) },
      repeats: parseDiscordance(mapping(group.repeats)),
      steady: {
        pairs: countOr(steady.pairs, 0),
        primary: countOr(steady.primary, 0),
        shadow: countOr(steady.shadow, 0),
      },
      class: group.noise === true ? 'noise' : group.class === 'undecided' ? 'undecided' : 'different',
      noise: group.noise === true,
      constant: group.constant === true,
      samples: list(group, 'samples').map((sample) => ({
        id: textOr(sample.id, ''),
        request: textOr(sample.request, ''),
        at: textOr(sample.at, path),
        primary: shown(sample.primary),
        shadow: shown(sample.shadow),
      })),
    },
  ];
}

/** `parseSummary` counts a field that an older umbra does not report as 0 or empty. */
function parseSummary(mirror: Record<string, unknown>): DiffSummaryView[] {
  const { route, version, compared, differentBeyondNoise } = mirror;
  if (!isText(route) || !isText(version) || !isCount(compared) || !isCount(differentBeyondNoise)) return [];
  const baseline = mapping(mirror.baseline);
  const any = mapping(mirror.any);
  return [
    {
      route,
      version,
      sinceMs: countOr(mirror.sinceMs, 0),
      compared,
      different: countOr(mirror.different, differentBeyondNoise),
      differentBeyondNoise,
      undecided: countOr(mirror.undecided, 0),
      noisiest: isText(mirror.noisiest) ? mirror.noisiest : null,
      notComparable: countOr(mirror.notComparable, 0),
      overflow: texts(mirror.overflow),
      baseline:
        isText(baseline.version) && isCount(baseline.compared)
          ? { version: baseline.version, compared: baseline.compared }
          : null,
      any: { triples: countOr(any.triples, 0), ...parseDiscordance(any) },
      unplaced: countOr(mirror.unplaced, 0),
      sets: list(mirror, 'sets').map((set) => ({ groups: texts(set.groups), pairs: countOr(set.pairs, 0) })),
    },
  ];
}

function parseDiscordance(json: Record<string, unknown>): Discordance {
  return { shadowOnly: countOr(json.shadowOnly, 0), baselineOnly: countOr(json.baselineOnly, 0) };
}

function countOr(value: unknown, otherwise: number): number {
  return isCount(value) ? value : otherwise;
}

function textOr(value: unknown, otherwise: string): string {
  return isText(value) ? value : otherwise;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(isText) : [];
}

function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function list(json: unknown, key: string): Record<string, unknown>[] {
  const value = mapping(json)[key];
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** `shown` returns `absent` for a side that has no value. */
function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}
