/**
 * The body of `GET /api/stats`. Its names are a contract with dashboards and commands: add, never rename.
 */
import { type DropReason, dropReasons, type FailureReason, failureReasons } from '../errors.js';
import { type Histogram, signedPercentileUs } from '../record/histogram.js';
import { type UnexaminedReason, unexaminedReasons } from '../record/mirror-counters.js';
import type { MirrorSnapshot, VersionSnapshot } from '../record/snapshot.js';
import type { FleetState } from './control-counts.js';
import { type HealthName, type MirrorReading, type NameReading, type Reading, restarts } from './reading.js';

/** Times are in microseconds, counts since the process started. */
export interface Stats {
  readonly generation: number;
  readonly uptimeS: number;
  readonly engine: string;
  readonly threads: { readonly proxy: number; readonly shadow: number; readonly restarts: number };
  readonly versions: Readonly<Record<string, VersionStats>>;
  readonly mirrors: readonly MirrorStats[];
  /** Names of endpoints: addresses in use, lookups so far and those of them that failed. */
  readonly dns: readonly NameReading[];
  /** Snapshots for a fleet, and a plan from a bucket; null where not asked for. */
  readonly fleet: FleetState;
}

/** A role is null where the version has never had it. */
export interface VersionStats {
  readonly primary: RoleStats | null;
  readonly shadow: RoleStats | null;
  /** Where the version is now: one entry for each address. Empty for a version that has left the configuration. */
  readonly endpoints: readonly EndpointStats[];
}

export interface EndpointStats {
  /** As configured. */
  readonly endpoint: string;
  readonly address: string;
  /** Of its active checks; null where there are none. `sinceS`: how long it has been so. */
  readonly health: {
    readonly state: HealthName;
    readonly sinceS: number;
    readonly passed: number;
    readonly failed: number;
  } | null;
}

export interface RoleStats {
  readonly requests: number;
  /** By class, `1xx` to `5xx`, and `other` for codes that are not from 100 to 599. */
  readonly responses: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<FailureReason, number>>;
  readonly latencyUs: {
    readonly count: number;
    readonly mean: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
  readonly firstByteUs: { readonly count: number; readonly p50: number; readonly p99: number };
  readonly connections: { readonly open: number; readonly idle: number };
  /** Of requests for a connection: how many wait now, were refused because too many did, and waited too long. */
  readonly queue: { readonly length: number; readonly full: number; readonly timeouts: number };
  /** Addresses that are left out now, and times that one was; the sum over threads, each of which judges for itself. */
  readonly ejection: { readonly ejected: number; readonly ejections: number };
}

/**
 * Pairs of a copy's response and its original's. paired = equal + different; one different pair may differ in several
 * ways. Bodies and headers are compared only where `compare` is configured, else these are 0.
 */
export interface CompareStats {
  readonly paired: number;
  readonly equal: number;
  readonly different: number;
  readonly statusDifferent: number;
  readonly sizeDifferent: number;
  readonly bodyDifferent: number;
  readonly headerDifferent: number;
  /** Both outcomes are known, but one of them is not a whole response: not in `paired`. */
  readonly notComparable: number;
  /** Pairs chosen to be compared field by field; what was found is in /api/diffs. */
  readonly sampled: number;
  /** Of these, how many were handed to the analysts, and how many were not, by reason. */
  readonly examined: number;
  readonly unexamined: Readonly<Record<UnexaminedReason, number>>;
}

export interface MirrorStats {
  readonly route: string;
  readonly to: string;
  readonly enabled: boolean;
  readonly percent: number;
  /** Of this share, what the guard holds back now, in percent; 0 unless the primary got worse. */
  readonly heldBackPercent: number;
  readonly eligible: number;
  readonly sent: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly completed: number;
  readonly failed: Readonly<Record<FailureReason, number>>;
  readonly inFlight: number;
  /** Of breakers, one per shadow thread: how many are open, and how often one has opened. */
  readonly breaker: { readonly open: number; readonly opened: number };
  /** Of requests, held for a shadow that does not take them. */
  readonly heldBytes: number;
  readonly queueUs: { readonly p50: number; readonly p99: number };
  /** Shadow less primary, request by request; negative where the shadow was faster. */
  readonly pairedDeltaUs: { readonly count: number; readonly p50: number; readonly p99: number };
  /**
   * The version that this entry's copies are the baseline for: `to` is then the route's primary, and the copies are
   * the sampled requests sent to it once more. Null for a mirror.
   */
  readonly baselineOf: string | null;
  /** `to` is a recording: copies are kept. Then `completed` are written, and `compare` has responses: sampled are wanted, examined are written. */
  readonly sink: boolean;
  /**
   * Of a sink, else null: bytes written or published, files begun, why nothing can be kept now (null: it can), and messages of the stream
   * that the slowest group of shadows has not done yet (null: not a stream, or not known).
   */
  readonly kept: {
    readonly bytes: number;
    readonly segments: number;
    readonly trouble: DropReason | null;
    readonly lag: number | null;
  } | null;
  readonly compare: CompareStats;
}

/** `VersionStats` while they are put together. */
type VersionDraft = { primary: RoleStats | null; shadow: RoleStats | null; endpoints: EndpointStats[] };

export function stats(reading: Reading): Stats {
  // A null prototype, because a version may be called `__proto__`.
  const versions: Record<string, VersionDraft> = Object.create(null);
  for (const { name, role, counts } of reading.versions) {
    versions[name] ??= { primary: null, shadow: null, endpoints: [] };
    versions[name][role] = roleStats(counts);
  }
  for (const { version, endpoint, address, health } of reading.endpoints) {
    versions[version]?.endpoints.push({ endpoint, address, health });
  }
  return {
    generation: reading.generation,
    uptimeS: Math.round(reading.uptimeS * 1000) / 1000,
    engine: reading.engine,
    threads: {
      proxy: reading.threads.filter((thread) => thread.kind === 'proxy').length,
      shadow: reading.threads.filter((thread) => thread.kind === 'shadow').length,
      restarts: restarts(reading),
    },
    versions,
    mirrors: reading.mirrors.map(mirrorStats),
    dns: reading.names,
    fleet: reading.control.fleet,
  };
}

function roleStats(counts: VersionSnapshot): RoleStats {
  const { latency, firstByte } = counts;
  return {
    requests: counts.requests,
    responses: byClass(counts),
    failures: byReason(failureReasons, counts.failures),
    latencyUs: {
      count: latency.count,
      mean: Math.round(latency.meanUs * 10) / 10,
      p50: latency.percentileUs(50),
      p90: latency.percentileUs(90),
      p99: latency.percentileUs(99),
      p999: latency.percentileUs(99.9),
      max: latency.maxUs,
    },
    firstByteUs: { count: firstByte.count, ...p50AndP99(firstByte) },
    connections: { open: counts.connectionsOpen, idle: counts.connectionsIdle },
    queue: { length: counts.waiting, full: counts.queueRefused, timeouts: counts.queueTimeouts },
    ejection: { ejected: counts.ejected, ejections: counts.ejections },
  };
}

function mirrorStats({
  route,
  to,
  baselineOf,
  isSink,
  enabled,
  percent,
  heldBackPercent,
  counts,
}: MirrorReading): MirrorStats {
  return {
    route,
    to,
    enabled,
    percent,
    heldBackPercent,
    eligible: counts.eligible,
    sent: counts.sent,
    dropped: byReason(dropReasons, counts.dropped),
    completed: counts.completed,
    failed: byReason(failureReasons, counts.failed),
    inFlight: counts.inFlight,
    breaker: { open: counts.breakersOpen, opened: counts.breakerOpened },
    heldBytes: counts.heldBytes,
    queueUs: p50AndP99(counts.queue),
    pairedDeltaUs: {
      count: counts.deltaFaster.count + counts.deltaSlower.count,
      p50: delta(counts, 50),
      p99: delta(counts, 99),
    },
    baselineOf,
    sink: isSink,
    kept: isSink
      ? {
          bytes: counts.keptBytes,
          segments: counts.segments,
          trouble: dropReasons[counts.trouble] ?? null,
          lag: counts.lag < 0 ? null : counts.lag,
        }
      : null,
    compare: {
      paired: counts.paired,
      equal: counts.equal,
      different: counts.different,
      statusDifferent: counts.statusDifferent,
      sizeDifferent: counts.sizeDifferent,
      bodyDifferent: counts.bodyDifferent,
      headerDifferent: counts.headerDifferent,
      notComparable: counts.notComparable,
      sampled: counts.sampled,
      examined: counts.handedToAnalysts,
      unexamined: byReason(unexaminedReasons, counts.unexamined),
    },
  };
}

function p50AndP99(histogram: Histogram): { p50: number; p99: number } {
  return { p50: histogram.percentileUs(50), p99: histogram.percentileUs(99) };
}

function delta(counts: MirrorSnapshot, percentile: number): number {
  return signedPercentileUs(counts.deltaFaster, counts.deltaSlower, percentile);
}

/** All classes are present, also at 0, so that a reader need not ask whether a key is there. */
function byClass(counts: VersionSnapshot): Record<string, number> {
  const classes: Record<string, number> = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  for (const [code, count] of counts.responses) classes[`${Math.floor(code / 100)}xx`] += count;
  return { ...classes, other: counts.responsesOther };
}

function byReason<R extends string>(reasons: readonly R[], counts: readonly number[]): Record<R, number> {
  return Object.fromEntries(reasons.map((reason, i) => [reason, counts[i]])) as Record<R, number>;
}
