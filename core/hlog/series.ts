/**
 * The logged series and their names: `VERSION.ROLE.hlog` holds the series of one version in one role,
 * separated by tags.
 */
import type { HdrCounts } from '../record/hdr-counts.js';
import type { Observed, Role } from '../report/observed.js';

export interface Series {
  readonly file: string;
  readonly tag: string;
  readonly blocks: readonly HdrCounts[];
}

/**
 * The series of one of umbra's tags. `slower` and `faster` are the differences of a mirror's shadow, request
 * by request.
 */
export type SeriesName =
  | { readonly kind: 'latency'; readonly version: string; readonly role: Role }
  | { readonly kind: 'slower' | 'faster'; readonly version: string; readonly route: string };

export function seriesOf({ versions, mirrors }: Observed): Series[] {
  return [
    ...versions.map(({ name, role, counters }) => ({
      file: fileName(name, role),
      tag: `${name}:${role}`,
      blocks: counters.map((counters) => counters.latency),
    })),
    ...mirrors
      .filter(({ isSink }) => !isSink)
      .flatMap(({ route, to, counters }) => [
        {
          file: fileName(to, 'shadow'),
          tag: `${to}:slower:${route}`,
          blocks: counters.map((counters) => counters.deltaSlower),
        },
        {
          file: fileName(to, 'shadow'),
          tag: `${to}:faster:${route}`,
          blocks: counters.map((counters) => counters.deltaFaster),
        },
      ]),
  ];
}

/** `parseTag` returns null for tags of other tools. Names contain no colons. */
export function parseTag(tag: string): SeriesName | null {
  const [version, kind, route, ...rest] = tag.split(':');
  if (version === '' || rest.length > 0) return null;
  if ((kind === 'primary' || kind === 'shadow') && route === undefined) {
    return { kind: 'latency', version, role: kind };
  }
  return (kind === 'slower' || kind === 'faster') && route ? { kind, version, route } : null;
}

function fileName(version: string, role: Role): string {
  return `${version}.${role}.hlog`;
}
