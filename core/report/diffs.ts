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
  readonly differentBeyondNoise: number;
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
    mirrors: list(json, 'mirrors').flatMap(({ route, version, compared, differentBeyondNoise }) =>
      isText(route) && isText(version) && isCount(compared) && isCount(differentBeyondNoise)
        ? [{ route, version, compared, differentBeyondNoise }]
        : [],
    ),
  };
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
        differentBeyondNoise: Math.max(0, mirror.differentBeyondNoise - before.differentBeyondNoise),
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
