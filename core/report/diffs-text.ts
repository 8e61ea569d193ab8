/** Formats groups of differences as lines for a terminal, by route, version and endpoint. */
import type { DiffGroupView, DiffSummaryView, DiffsView } from './diffs.js';
import { countText } from './figures.js';

/**
 * `nothingDifferentText` says what it means that there are no groups: that nothing was found says something
 * only where responses were taken apart.
 */
export function nothingDifferentText({ mirrors }: Pick<DiffsView, 'mirrors'>): string {
  if (mirrors.length === 0) return 'no field-by-field comparison: add `compare` to a mirror';
  const compared = mirrors.reduce((sum, mirror) => sum + mirror.compared, 0);
  return compared === 0
    ? 'no pair of responses was compared yet'
    : `no differences in ${countText(compared)} compared pairs`;
}

/**
 * `diffGroupLines` lists the groups of one endpoint together: real differences first, and frequent ones
 * before rare ones.
 */
export function diffGroupLines({ groups, mirrors }: DiffsView): string[] {
  if (groups.length === 0) return [nothingDifferentText({ mirrors })];
  const byEndpoint = new Map<string, DiffGroupView[]>();
  for (const group of groups) {
    const head = headOf(group);
    const members = byEndpoint.get(head);
    if (members === undefined) byEndpoint.set(head, [group]);
    else members.push(group);
  }
  return [...byEndpoint].flatMap(([head, members]) => [head, ...members.sort(byWeight).flatMap(groupLines)]);
}

function headOf({ route, version, endpoint }: DiffGroupView): string {
  return endpoint === '' ? `${route} ${version}` : `${route} ${version}, ${endpoint}`;
}

const order = { different: 0, undecided: 1, noise: 2 } as const;

export function byWeight(a: DiffGroupView, b: DiffGroupView): number {
  return order[a.class] - order[b.class] || b.count - a.count;
}

function groupLines(group: DiffGroupView): string[] {
  const { id, kind, path, change, count, compared, samples } = group;
  const place = path === '' ? kind : `${kind} ${path}`;
  const head = `  ${place} ${change}: ${countText(count)} of ${countText(compared)}, ${judgementText(group)}`;
  const last = samples.at(-1);
  const example = last === undefined ? [] : [`      ${last.primary} | ${last.shadow}`];
  const about = [last?.request, last?.id].filter((text) => text !== undefined && text !== '').join(', ');
  return [id === '' ? head : `${head}  [${id}]`, ...example, ...(about === '' ? [] : [`      ${about}`])];
}

/**
 * `judgementText` returns a group's class and its reason: `noise`, `different: the shadow repeats one value`.
 */
export function judgementText({ class: kind, constant, baseline }: DiffGroupView): string {
  if (constant) return 'different: the shadow repeats one value';
  if (baseline === null || kind === 'different') return kind;
  if (kind === 'noise') {
    return `noise: ${countText(baseline.count)} of ${countText(baseline.compared)} between two answers of the primary`;
  }
  return 'undecided: too little data: it may be noise';
}

/** `summaryLines` returns the figures of the pairs of one mirror. */
export function summaryLines(mirror: DiffSummaryView): string[] {
  const { route, version, compared, differentBeyondNoise, undecided, overflow, baseline } = mirror;
  if (compared === 0) return [`${route} ${version}: no pair was compared yet`];
  const lines = [
    `${route} ${version}: of ${countText(compared)} pairs ${countText(differentBeyondNoise)} differ beyond noise, ` +
      `${countText(undecided)} are undecided`,
  ];
  if (baseline === null) lines.push('  without a baseline, noise is not known');
  if (overflow.length > 0)
    lines.push(`  bounds were exceeded, so counts are incomplete: ${overflow.join(', ')}`);
  return lines;
}
