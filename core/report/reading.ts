/**
 * One reading of everything that umbra measures. Every report is rendered from a reading, so that all its
 * numbers are of one moment.
 */

import {
  mirrorsWithBaselines,
  primariesBeside,
  primaryNames,
  type RoutePlan,
  type VersionPlan,
} from '../plan.js';
import { type RouteCount, RouteCounts } from '../record/route-counts.js';
import {
  type MirrorSnapshot,
  readMirror,
  readThread,
  readVersion,
  type ThreadSnapshot,
  type VersionSnapshot,
} from '../record/snapshot.js';
import { ThreadField } from '../record/thread-counters.js';
import { Health } from '../upstream/health-block.js';
import { addressText } from '../upstream/target.js';
import type { Block } from '../verdict/block-series.js';
import type { EndpointPairs } from '../verdict/endpoint-pairs.js';
import { type ControlCounts, noControlCounts } from './control-counts.js';
import { type EndpointErrors, type LastError, lastErrorOf } from './endpoint-errors.js';
import type { Observed, ObservedEndpoint, ObservedMirror, Role, ThreadKind } from './observed.js';
import { type Feature, mirrorFeatures, versionFeatures } from './possible.js';

export interface Reading {
  readonly generation: number;
  readonly uptimeS: number;
  readonly engine: string;
  readonly versions: readonly VersionReading[];
  readonly mirrors: readonly MirrorReading[];
  readonly threads: readonly ThreadReading[];
  /** What clients got, by route of the configuration in force. */
  readonly routes: readonly RouteReading[];
  readonly endpoints: readonly EndpointReading[];
  readonly names: readonly NameReading[];
  readonly rings: readonly { readonly name: string; readonly usedBytes: number }[];
  readonly control: ControlCounts;
  readonly pulses: readonly PulseReading[];
}

export interface RouteReading {
  readonly route: string;
  readonly counts: RouteCount;
}

/** One for each thread, in the order of `threads`. */
export interface PulseReading {
  readonly name: string;
  /** Share of the last half second in which its event loop was at work, 0 to 1. */
  readonly busy: number;
  /** How late its event loop was for a timer, in seconds. */
  readonly loopDelayS: number;
}

export interface VersionReading {
  readonly name: string;
  readonly role: Role;
  readonly counts: VersionSnapshot;
  /** What the plan has of it; absent in figures that were read elsewhere. */
  readonly features?: readonly Feature[];
}

export interface MirrorReading {
  readonly route: string;
  readonly to: string;
  /**
   * The versions that answer on the route, without the mirror's own; empty when the route has left the
   * configuration.
   */
  readonly primaries: readonly string[];
  /** Their names as one label, `v1` or `v1 + v3`; null when there are none. */
  readonly primary: string | null;
  /** The version that a baseline belongs to; null for a mirror. */
  readonly baselineOf: string | null;
  /** Copies are kept by a sink, not sent to a shadow, so there is nothing to judge. */
  readonly isSink: boolean;
  /** False for a mirror that has left the configuration. A baseline has the values of its mirror. */
  readonly enabled: boolean;
  readonly percent: number;
  /** The part of the share that the guard holds back now, in percent. */
  readonly heldBackPercent: number;
  readonly counts: MirrorSnapshot;
  /** Its pairs by blocks of time, ascending; empty when they are not kept. */
  readonly blocks: readonly Block[];
  /** Its pairs by endpoint; empty when they are not kept. */
  readonly endpoints: readonly EndpointPairs[];
  /** What the plan has of it; absent in figures that were read elsewhere. */
  readonly features?: readonly Feature[];
}

/** The pairs of a mirror beyond its counters. */
export interface PairSource {
  blocksOf(mirror: ObservedMirror): readonly Block[];
  endpointsOf(mirror: ObservedMirror): readonly EndpointPairs[];
}

const noPairSource: PairSource = { blocksOf: () => [], endpointsOf: () => [] };

export interface ThreadReading {
  readonly kind: ThreadKind;
  readonly name: string;
  readonly counts: ThreadSnapshot;
}

/** One address of one endpoint of the plan. */
export interface EndpointReading {
  readonly version: string;
  readonly endpoint: string;
  /** `host:port` or `unix:PATH`. */
  readonly address: string;
  /** Null when it is not checked. */
  readonly health: {
    readonly state: HealthName;
    readonly sinceS: number;
    readonly passed: number;
    readonly failed: number;
  } | null;
  /** Its latest failure, in either role; null: there was none, or its version has left since. */
  readonly lastError: LastError | null;
}

/** Indexed by `Health`. */
const healthNames = ['unknown', 'healthy', 'unhealthy'] as const;
export type HealthName = (typeof healthNames)[number];

/** One name of an endpoint: addresses in use, and lookups so far. */
export interface NameReading {
  readonly name: string;
  readonly addresses: number;
  readonly lookups: number;
  readonly failures: number;
}

const MILLIONTHS_PER_PERCENT = 10_000;

/**
 * `read` reads only shared memory, and takes well under a millisecond per version. `atUs` is now on the time
 * line of core/clock.
 */
export function read(
  observed: Observed,
  atUs: number,
  control: ControlCounts = noControlCounts,
  pairs: PairSource = noPairSource,
): Reading {
  const configured = new Map(
    observed.plan.routes.flatMap((route) =>
      mirrorsWithBaselines(route).map(
        ({ mirror, baselineOf }) => [mirror.slot, baselineOf ?? mirror] as const,
      ),
    ),
  );
  const { routes, versions } = observed.plan;
  const byVersion = new Map(versions.map((version) => [version.name, version]));
  const byName = new Map(routes.map((route) => [route.name, route]));
  return {
    generation: observed.plan.generation,
    uptimeS: (atUs - observed.startedUs) / 1e6,
    engine: observed.engine,
    versions: observed.versions.map(({ name, role, counters }) => ({
      name,
      role,
      counts: readVersion(counters),
      features: versionFeatures(byVersion.get(name), role),
    })),
    mirrors: observed.mirrors.map((observedMirror) => {
      const { route, to, baselineOf, isSink, slot, counters } = observedMirror;
      const mirror = configured.get(slot);
      const routePlan = byName.get(route);
      const primaries =
        routePlan === undefined ? [] : comparedWith(routePlan, versions, to, baselineOf !== null);
      return {
        route,
        to,
        primaries,
        primary: primaries.length === 0 ? null : primaries.join(' + '),
        baselineOf,
        isSink,
        enabled: mirror?.enabled ?? false,
        percent: (mirror?.shareMillionths ?? 0) / MILLIONTHS_PER_PERCENT,
        heldBackPercent: observed.heldBack.of(slot) / MILLIONTHS_PER_PERCENT,
        counts: readMirror(counters),
        blocks: pairs.blocksOf(observedMirror),
        endpoints: pairs.endpointsOf(observedMirror),
        ...(mirror === undefined
          ? {}
          : {
              features: mirrorFeatures(
                mirror,
                (routePlan?.guard ?? null) !== null,
                versionFeatures(byVersion.get(to), 'shadow').includes('tls'),
              ),
            }),
      };
    }),
    threads: observed.threads.map(({ kind, name, counters }) => ({
      kind,
      name,
      counts: readThread(counters),
    })),
    routes: routes.map(({ name, slot }) => ({
      route: name,
      counts: RouteCounts.read(observed.routeCounts, slot),
    })),
    endpoints: observed.endpoints.map((endpoint) => readEndpoint(endpoint, atUs, control.endpointErrors)),
    names: observed.names.map(({ name, block: { addresses, lookups, failures } }) => ({
      name,
      addresses,
      lookups,
      failures,
    })),
    rings: observed.rings.map((ring) => ({ name: ring.name, usedBytes: ring.usedBytes() })),
    control,
    pulses: observed.threads.map(({ name, counters }) => ({
      name,
      busy: counters.get(ThreadField.busy),
      loopDelayS: counters.get(ThreadField.loopDelayS),
    })),
  };
}

/**
 * `comparedWith` returns the versions that a mirror is compared with; for a baseline, the primary that it is
 * sent to.
 */
function comparedWith(
  route: RoutePlan,
  versions: readonly VersionPlan[],
  to: string,
  isBaseline: boolean,
): readonly string[] {
  return isBaseline ? primaryNames(route, versions) : primariesBeside(route, versions, to);
}

function readEndpoint(
  { version, endpoint, address, health }: ObservedEndpoint,
  atUs: number,
  errors: EndpointErrors,
): EndpointReading {
  const dialed = address.kind === 'unix' ? address.path : addressText(address);
  return {
    version,
    endpoint,
    address: addressText(address),
    health:
      health === null
        ? null
        : {
            state: healthNames[health.state],
            sinceS: health.state === Health.UNKNOWN ? 0 : Math.max(0, (atUs - health.sinceUs) / 1e6),
            passed: health.passed,
            failed: health.failed,
          },
    lastError: lastErrorOf(errors, version, dialed),
  };
}

/** `restarts` returns how often threads were restarted. */
export function restarts(reading: Reading): number {
  return reading.threads.reduce((sum, thread) => sum + thread.counts[ThreadField.restarts], 0);
}

/**
 * `isBaseline` returns true for a baseline, which is not a mirror: it measures how often a version differs
 * from itself.
 */
export function isBaseline(mirror: MirrorReading): boolean {
  return mirror.baselineOf !== null;
}
