/**
 * The rates, latencies and gauges between two readings, which the live page draws as one point in time. They
 * are sent over `GET /api/stream` once a second, so the names are a contract: add, never rename.
 */
import { dropReasons, failureReasons } from '../errors.js';
import { type Plan, primariesBeside, targetName } from '../plan.js';
import { type Histogram, signedPercentileUs } from '../record/histogram.js';
import {
  type MirrorSnapshot,
  subtractMirror,
  subtractVersion,
  total,
  type VersionSnapshot,
} from '../record/snapshot.js';
import { ThreadField } from '../record/thread-counters.js';
import type { Role, ThreadKind } from './observed.js';
import type { MirrorReading, PulseReading, Reading, ThreadReading, VersionReading } from './reading.js';

/** Rates are per second over `seconds`, times are in microseconds, and gauges are those at the end. */
export interface Live {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly seconds: number;
  readonly versions: readonly LiveVersion[];
  readonly mirrors: readonly LiveMirror[];
  readonly threads: readonly LiveThread[];
  readonly rings: readonly {
    readonly name: string;
    readonly usedBytes: number;
    readonly capacityBytes: number;
  }[];
}

export interface LiveVersion {
  readonly name: string;
  readonly role: Role;
  /** Requests begun. */
  readonly rate: number;
  /** Requests that ended, and those of them that failed or got a 5xx response. */
  readonly ended: number;
  readonly errors: number;
  /** Requests begun and not ended. */
  readonly inFlight: number;
  readonly connections: { readonly busy: number; readonly idle: number };
  readonly latencyUs: {
    readonly count: number;
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
  /** The latencies in coarse steps: value and count alternate, ascending; see `coarse`. */
  readonly buckets: readonly number[];
}

export interface LiveMirror {
  readonly route: string;
  readonly to: string;
  /**
   * The version that the mirror is compared with, or several as `v1 + v3`; null when the mirror has left the
   * configuration.
   */
  readonly primary: string | null;
  readonly eligible: number;
  readonly sent: number;
  readonly completed: number;
  /** Only reasons with a rate above 0. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly failed: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly queueP99Us: number;
  readonly paired: number;
  readonly different: number;
  readonly deltaUs: { readonly count: number; readonly p50: number; readonly p99: number };
}

export interface LiveThread {
  readonly name: string;
  readonly kind: ThreadKind;
  readonly connections: number;
  /** Share of the last half second in which its event loop was at work, 0 to 1. */
  readonly busy: number;
  /** How late the event loop was for a timer, in microseconds. */
  readonly loopDelayUs: number;
  readonly restarts: number;
}

/** `live` returns the figures between two readings of one process. What `earlier` lacks began at 0. */
export function live(earlier: Reading, later: Reading, plan: Plan, atMs: number): Live {
  const seconds = later.uptimeS - earlier.uptimeS;
  const per = (count: number): number => round(count / seconds);
  const primaries = new Map(
    plan.routes.flatMap((route) =>
      route.mirrors.map((mirror) => {
        const to = targetName(plan, mirror);
        return [key(route.name, to), primariesBeside(route, plan.versions, to).join(' + ')];
      }),
    ),
  );
  const versionsBefore = new Map(earlier.versions.map((one) => [key(one.name, one.role), one.counts]));
  const mirrorsBefore = new Map(earlier.mirrors.map((one) => [key(one.route, one.to), one.counts]));
  return {
    atMs,
    seconds: round(seconds),
    versions: later.versions.map((one) => versionOf(one, versionsBefore.get(key(one.name, one.role)), per)),
    mirrors: later.mirrors.map((one) => {
      const name = key(one.route, one.to);
      return mirrorOf(one, mirrorsBefore.get(name), primaries.get(name) ?? null, per);
    }),
    threads: later.threads.map((thread, i) => threadOf(thread, later.pulses[i])),
    rings: later.rings.map((ring) => ({ ...ring, capacityBytes: plan.threads.ringBytes })),
  };
}

function versionOf(
  { name, role, counts }: VersionReading,
  before: VersionSnapshot | undefined,
  per: (count: number) => number,
): LiveVersion {
  const since = before === undefined ? counts : subtractVersion(counts, before);
  const { latency } = since;
  return {
    name,
    role,
    rate: per(since.requests),
    ended: per(endedOf(since)),
    errors: per(errorsOf(since)),
    inFlight: counts.requests - endedOf(counts),
    connections: { busy: counts.connectionsOpen - counts.connectionsIdle, idle: counts.connectionsIdle },
    latencyUs: {
      count: latency.count,
      p50: latency.percentileUs(50),
      p90: latency.percentileUs(90),
      p99: latency.percentileUs(99),
      max: latency.maxUs,
    },
    buckets: coarse(latency),
  };
}

function mirrorOf(
  { route, to, counts }: MirrorReading,
  before: MirrorSnapshot | undefined,
  primary: string | null,
  per: (count: number) => number,
): LiveMirror {
  const since = before === undefined ? counts : subtractMirror(counts, before);
  const { deltaFaster, deltaSlower } = since;
  return {
    route,
    to,
    primary,
    eligible: per(since.eligible),
    sent: per(since.sent),
    completed: per(since.completed),
    dropped: byReason(dropReasons, since.dropped, per),
    failed: byReason(failureReasons, since.failed, per),
    inFlight: counts.inFlight,
    queueP99Us: since.queue.percentileUs(99),
    paired: per(since.paired),
    different: per(since.different),
    deltaUs: {
      count: deltaFaster.count + deltaSlower.count,
      p50: signedPercentileUs(deltaFaster, deltaSlower, 50),
      p99: signedPercentileUs(deltaFaster, deltaSlower, 99),
    },
  };
}

function threadOf({ name, kind, counts }: ThreadReading, { busy, loopDelayS }: PulseReading): LiveThread {
  return {
    name,
    kind,
    connections: counts[ThreadField.connections],
    busy: round(busy),
    loopDelayUs: Math.round(loopDelayS * 1e6),
    restarts: counts[ThreadField.restarts],
  };
}

/**
 * Below this value every microsecond has its own step. Above it, a step is at most this part of its value.
 */
const STEPS_PER_OCTAVE = 32;

/**
 * `coarse` returns a histogram in steps of 3 %. That is enough for a plot, and takes a few hundred bytes
 * instead of a hundred thousand. Value and count alternate, ascending; the value is the largest one in its
 * step.
 */
export function coarse(histogram: Histogram): number[] {
  const pairs: number[] = [];
  histogram.forEachSlot((valueUs, count) => {
    const shift = Math.max(0, 26 - Math.clz32(valueUs | (STEPS_PER_OCTAVE - 1)));
    const top = (((valueUs >>> shift) + 1) << shift) - 1;
    if (pairs.length > 0 && pairs[pairs.length - 2] === top) pairs[pairs.length - 1] += count;
    else pairs.push(top, count);
  });
  return pairs;
}

function endedOf(counts: VersionSnapshot): number {
  let ended = total(counts.failures) + counts.responsesOther;
  for (const count of counts.responses.values()) ended += count;
  return ended;
}

function errorsOf(counts: VersionSnapshot): number {
  let errors = total(counts.failures);
  for (const [code, count] of counts.responses) if (code >= 500) errors += count;
  return errors;
}

function byReason(
  reasons: readonly string[],
  counts: readonly number[],
  per: (count: number) => number,
): Record<string, number> {
  return Object.fromEntries(
    reasons.flatMap((reason, i) => (counts[i] > 0 ? [[reason, per(counts[i])]] : [])),
  );
}

/** `key` joins names by line feeds, which names do not contain. */
function key(...names: string[]): string {
  return names.join('\n');
}

/** `round` keeps three decimals, which is what a page shows. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
