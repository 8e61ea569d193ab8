/**
 * The content of a report, independent of its format. It comes from a running umbra's figures, or from
 * histogram logs, which have only latencies. Pure.
 */
import type { MergedLog } from '../hlog/merged.js';
import { parseTag } from '../hlog/series.js';
import { Histogram } from '../record/histogram.js';
import type { MirrorSnapshot, VersionSnapshot } from '../record/snapshot.js';
import { type EndpointFigures, endpointsByPairs } from '../verdict/endpoint-pairs.js';
import type { Verdict } from '../verdict/verdict.js';
import type { DiffsView } from './diffs.js';
import { spanText } from './figures.js';
import { isBaseline, type Reading } from './reading.js';
import type { RolloutNote } from './rollout-note.js';

export interface Report {
  /** The source of the figures. */
  readonly source: string;
  /** ISO 8601. */
  readonly madeAt: string;
  /** Short facts of the run, in order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly versions: readonly VersionReport[];
  readonly mirrors: readonly MirrorReport[];
  /** Null when responses are not compared, or the source is logs. */
  readonly diffs: DiffsView | null;
  /** The verdict, valid however often it is read; null for logs, which have no pairs. */
  readonly verdict: Verdict | null;
  /** The configuration in force, without its secrets. */
  readonly config: object | null;
  /** The last rollout of each route; empty for logs. */
  readonly rollouts: readonly RolloutNote[];
  /** Problems that occurred while the figures were collected. */
  readonly notes: readonly string[];
}

export interface VersionReport {
  readonly name: string;
  /** `primary`, `shadow`; empty for logs of other tools. */
  readonly role: string;
  readonly latency: Histogram;
  readonly counts: VersionSnapshot | null;
}

export interface MirrorReport {
  readonly route: string;
  /** `v1`, or several as `v1 + v3`; null when unknown. */
  readonly primary: string | null;
  /** Their names; empty when unknown. */
  readonly primaries: readonly string[];
  readonly to: string;
  /** Copies are kept by a sink, not sent to a shadow. */
  readonly isSink: boolean;
  /** `25 %` or `off`; null when unknown. */
  readonly share: string | null;
  readonly slower: Histogram;
  readonly faster: Histogram;
  readonly counts: MirrorSnapshot | null;
  /** Its pairs by endpoint, most pairs first; empty when unknown. */
  readonly endpoints: readonly EndpointFigures[];
}

export function reportOfReading(
  reading: Reading,
  about: Pick<Report, 'source' | 'madeAt' | 'diffs' | 'config' | 'rollouts' | 'notes' | 'verdict'>,
): Report {
  const threads = (kind: string): number => reading.threads.filter((thread) => thread.kind === kind).length;
  return {
    ...about,
    facts: [
      ['running for', spanText(reading.uptimeS)],
      ['configuration', `generation ${reading.generation}`],
      ['engine', reading.engine],
      ['threads', `${threads('proxy')} proxy, ${threads('shadow')} shadow`],
    ],
    versions: reading.versions.map(({ name, role, counts }) => ({
      name,
      role,
      latency: counts.latency,
      counts,
    })),
    mirrors: reading.mirrors
      .filter((mirror) => !isBaseline(mirror))
      .map(({ route, primary, primaries, to, isSink, enabled, percent, counts, endpoints }) => ({
        route,
        primary,
        primaries,
        to,
        isSink,
        share: enabled ? `${percent} %` : 'off',
        slower: counts.deltaSlower,
        faster: counts.deltaFaster,
        counts,
        endpoints: endpointsByPairs(endpoints),
      })),
  };
}

/**
 * `reportOfLogs` reads `byTag`, the merged intervals of all files. An untagged series has the name of its
 * file.
 */
export function reportOfLogs(
  byTag: ReadonlyMap<string, MergedLog>,
  about: Pick<Report, 'source' | 'madeAt' | 'notes'>,
  isoTime: (wallMs: number) => string,
): Report {
  const versions: VersionReport[] = [];
  const mirrors = new Map<string, { route: string; to: string; slower: Histogram; faster: Histogram }>();
  const none = Histogram.read([]);
  let [startS, endS] = [Number.POSITIVE_INFINITY, 0];
  let intervals = 0;
  const units = new Set<string>();
  for (const [tag, log] of byTag) {
    startS = Math.min(startS, log.startS);
    endS = Math.max(endS, log.endS);
    intervals += log.intervals;
    units.add(log.unit());
    const name = parseTag(tag);
    if (name === null || name.kind === 'latency') {
      const latency = log.histogram();
      versions.push({ name: name?.version ?? tag, role: name?.role ?? '', latency, counts: null });
      continue;
    }
    const key = `${name.route} ${name.version}`;
    const mirror = mirrors.get(key) ?? { route: name.route, to: name.version, slower: none, faster: none };
    mirrors.set(key, { ...mirror, [name.kind]: log.histogram() });
  }
  return {
    ...about,
    facts: [
      ['intervals', String(intervals)],
      ...(intervals === 0
        ? []
        : ([
            ['from', isoTime(startS * 1000)],
            ['to', isoTime(endS * 1000)],
            ['values in', [...units].join(', ')],
          ] as const)),
    ],
    versions,
    mirrors: [...mirrors.values()].map((mirror) => ({
      ...mirror,
      primary: null,
      primaries: [],
      isSink: false,
      share: null,
      counts: null,
      endpoints: [],
    })),
    diffs: null,
    verdict: null,
    config: null,
    rollouts: [],
  };
}
