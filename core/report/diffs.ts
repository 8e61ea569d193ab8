/** What `GET /api/diffs` tells, as far as reports and verdicts read it; all that is not of this shape is left out. */

export interface DiffGroupView {
  readonly route: string;
  readonly version: string;
  readonly kind: string;
  readonly path: string;
  readonly count: number;
  /** Pairs that were compared; null where it is not told. */
  readonly compared: number | null;
  /** It differs by itself. */
  readonly noise: boolean;
  readonly samples: readonly { readonly id: string; readonly primary: string; readonly shadow: string }[];
}

export interface DiffSummaryView {
  readonly route: string;
  readonly version: string;
  readonly compared: number;
  readonly different: number;
  /** Pairs that certainly differ beyond noise. */
  readonly differentBeyondNoise: number;
  /** Pairs whose differences can't be told from noise yet. */
  readonly undecided: number;
  readonly notComparable: number;
  /** Names of the bounds that were exceeded: the counts are not complete. */
  readonly overflow: readonly string[];
  /** Pairs of the primary's version with itself; null without a baseline. */
  readonly baseline: { readonly version: string; readonly compared: number } | null;
}

export interface DiffsView {
  readonly groups: readonly DiffGroupView[];
  readonly mirrors: readonly DiffSummaryView[];
}

const shownCharsMax = 200;

export function parseDiffs(json: unknown): DiffsView {
  return {
    groups: list(json, 'groups').flatMap((group) => {
      const [route, version, kind, path, count] = [
        group.route,
        group.version,
        group.kind,
        group.path,
        group.count,
      ];
      if (!isText(route) || !isText(version) || !isText(kind) || !isText(path) || !isCount(count)) return [];
      const samples = list(group, 'samples').map((sample) => ({
        id: isText(sample.id) ? sample.id : '',
        primary: shown(sample.primary),
        shadow: shown(sample.shadow),
      }));
      const compared = isCount(group.compared) ? group.compared : null;
      return [{ route, version, kind, path, count, compared, noise: group.noise === true, samples }];
    }),
    mirrors: list(json, 'mirrors').flatMap(parseSummary),
  };
}

/** A field that an earlier umbra does not report counts as 0, or as empty. */
function parseSummary(mirror: Record<string, unknown>): DiffSummaryView[] {
  const { route, version, compared, differentBeyondNoise } = mirror;
  if (!isText(route) || !isText(version) || !isCount(compared) || !isCount(differentBeyondNoise)) return [];
  const baseline = (mirror.baseline ?? {}) as Record<string, unknown>;
  return [
    {
      route,
      version,
      compared,
      different: countOr(mirror.different, differentBeyondNoise),
      differentBeyondNoise,
      undecided: countOr(mirror.undecided, 0),
      notComparable: countOr(mirror.notComparable, 0),
      overflow: Array.isArray(mirror.overflow) ? mirror.overflow.filter(isText) : [],
      baseline:
        isText(baseline.version) && isCount(baseline.compared)
          ? { version: baseline.version, compared: baseline.compared }
          : null,
    },
  ];
}

function countOr(value: unknown, otherwise: number): number {
  return isCount(value) ? value : otherwise;
}

/** What was compared between two looks. A group that became noise meanwhile takes its pairs along, so none is below 0. */
export function subtractDiffs(later: DiffsView, earlier: DiffsView): DiffsView {
  return {
    groups: later.groups,
    mirrors: later.mirrors.map((mirror) => {
      const before = earlier.mirrors.find(
        ({ route, version }) => route === mirror.route && version === mirror.version,
      );
      if (before === undefined) return mirror;
      return {
        ...mirror,
        compared: Math.max(0, mirror.compared - before.compared),
        different: Math.max(0, mirror.different - before.different),
        differentBeyondNoise: Math.max(0, mirror.differentBeyondNoise - before.differentBeyondNoise),
        undecided: Math.max(0, mirror.undecided - before.undecided),
        notComparable: Math.max(0, mirror.notComparable - before.notComparable),
      };
    }),
  };
}

function list(json: unknown, key: string): Record<string, unknown>[] {
  const value =
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[key] : undefined;
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** A side that has nothing there is told as such. */
function shown(value: unknown): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}
