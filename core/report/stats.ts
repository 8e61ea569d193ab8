/**
 * The body of `GET /api/stats`. Its names are a contract with dashboards and commands: add, never rename.
 */
import { type DropReason, dropReasons } from '../errors.js';
import type { StatsOf } from '../record/counter-table.js';
import { signedPercentileUs } from '../record/histogram.js';
import { type MirrorField, mirrorTable } from '../record/mirror-counters.js';
import type { MirrorSnapshot, VersionSnapshot } from '../record/snapshot.js';
import { type VersionField, versionTable } from '../record/version-counters.js';
import type { MirrorVerdict, Verdict } from '../verdict/verdict.js';
import type { FleetState } from './control-counts.js';
import { type GrpcMethodFigures, grpcMethodFigures } from './grpc-methods.js';
import {
  type EndpointReading,
  isBaseline,
  type MirrorReading,
  type NameReading,
  type Reading,
  restarts,
} from './reading.js';
import { statsOf } from './table-stats.js';

/** Times are in microseconds, counts since the process started. */
export interface Stats {
  readonly generation: number;
  readonly uptimeS: number;
  readonly engine: string;
  readonly threads: { readonly proxy: number; readonly shadow: number; readonly restarts: number };
  readonly versions: Readonly<Record<string, VersionStats>>;
  readonly mirrors: readonly MirrorStats[];
  /** Names of endpoints: addresses in use, lookups so far and failed lookups. */
  readonly dns: readonly NameReading[];
  /** The state of fleet snapshots and of a plan from a bucket; null when not configured. */
  readonly fleet: FleetState;
}

/** A role is null when the version never had it. */
export interface VersionStats {
  readonly primary: RoleStats | null;
  readonly shadow: RoleStats | null;
  /** The addresses of the version now. Empty for a version that has left the configuration. */
  readonly endpoints: readonly EndpointStats[];
}

/** One address of an endpoint of the version. */
export type EndpointStats = Omit<EndpointReading, 'version'>;

/** The rows of core/record/version-counters with a stats key, and figures that are derived from rows. */
export interface RoleStats extends StatsOf<typeof VersionField> {
  /** By class, `1xx` to `5xx`, and `other` for codes that are not from 100 to 599. */
  readonly responses: Readonly<Record<string, number>>;
  /** gRPC calls by method, most calls first; empty without gRPC. */
  readonly grpcMethods: readonly GrpcMethodFigures[];
}

type MirrorTableStats = StatsOf<typeof MirrorField>;

/**
 * The rows of core/record/mirror-counters with a stats key, and figures that are derived from rows or belong
 * to the plan.
 * `compare` counts pairs of a copy's response and its original's: paired = equal + different. A different
 * pair may differ in several ways. Bodies and headers are compared only if `compare` is configured; otherwise
 * these are 0.
 */
export interface MirrorStats extends Omit<MirrorTableStats, 'kept'> {
  readonly route: string;
  readonly to: string;
  readonly enabled: boolean;
  readonly percent: number;
  /** The part of the share that the guard holds back now, in percent; 0 unless the primary got worse. */
  readonly heldBackPercent: number;
  /** The shadow's latency minus the primary's, request by request; negative when the shadow was faster. */
  readonly pairedDeltaUs: { readonly count: number; readonly p50: number; readonly p99: number };
  /**
   * The version that this entry is the baseline for. `to` is then the route's primary, and the copies are the
   * sampled requests sent to it a second time. Null for a mirror.
   */
  readonly baselineOf: string | null;
  /**
   * `to` is a recording or a stream. `completed` then counts written copies, and `compare` counts responses:
   * `sampled` were to be kept, `examined` were written.
   */
  readonly sink: boolean;
  /** The verdict so far, always valid however often it is read; null when the mirror is not judged. */
  readonly verdict: MirrorVerdict | null;
  /** Null unless `sink` is true. `trouble` is why nothing can be kept now, or null. */
  readonly kept: (MirrorTableStats['kept'] & { readonly trouble: DropReason | null }) | null;
}

/** `VersionStats` under construction. */
type VersionDraft = { primary: RoleStats | null; shadow: RoleStats | null; endpoints: EndpointStats[] };

/** `stats` returns the figures of a reading. `verdict` covers its mirrors; null when none are judged. */
export function stats(reading: Reading, verdict: Verdict | null = null): Stats {
  // A null prototype, because a version may be called `__proto__`.
  const versions: Record<string, VersionDraft> = Object.create(null);
  for (const { name, role, counts } of reading.versions) {
    versions[name] ??= { primary: null, shadow: null, endpoints: [] };
    versions[name][role] = roleStats(counts);
  }
  for (const { version, endpoint, address, health, lastError } of reading.endpoints) {
    versions[version]?.endpoints.push({ endpoint, address, health, lastError });
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
    mirrors: reading.mirrors.map((mirror) => mirrorStats(mirror, verdict)),
    dns: reading.names,
    fleet: reading.control.fleet,
  };
}

function roleStats(counts: VersionSnapshot): RoleStats {
  return {
    ...statsOf(versionTable, counts),
    responses: byClass(counts),
    grpcMethods: grpcMethodFigures(counts.grpcMethods),
  };
}

function mirrorStats(mirror: MirrorReading, verdict: Verdict | null): MirrorStats {
  const { route, to, baselineOf, isSink, enabled, percent, heldBackPercent, counts } = mirror;
  const fromTable = statsOf(mirrorTable, counts);
  return {
    route,
    to,
    enabled,
    percent,
    heldBackPercent,
    ...fromTable,
    pairedDeltaUs: {
      count: counts.deltaFaster.count + counts.deltaSlower.count,
      p50: delta(counts, 50),
      p99: delta(counts, 99),
    },
    baselineOf,
    sink: isSink,
    verdict: isBaseline(mirror)
      ? null
      : (verdict?.mirrors.find((one) => one.route === route && one.shadow === to) ?? null),
    kept: isSink ? { ...fromTable.kept, trouble: dropReasons[counts.trouble] ?? null } : null,
  };
}

function delta(counts: MirrorSnapshot, percentile: number): number {
  return signedPercentileUs(counts.deltaFaster, counts.deltaSlower, percentile);
}

/** `byClass` includes all classes, even at 0, so that readers need not check for missing keys. */
function byClass(counts: VersionSnapshot): Record<string, number> {
  const classes: Record<string, number> = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };
  for (const [code, count] of counts.responses) classes[`${Math.floor(code / 100)}xx`] += count;
  return { ...classes, other: counts.responsesOther };
}
