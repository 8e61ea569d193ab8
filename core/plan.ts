/**
 * A plan is the compiled configuration: an immutable snapshot with a generation number that main sends to
 * every thread. It is plain data (it crosses threads by structured clone); threads build their own pools and
 * tables from it, swap it whole, and acknowledge. Exchanges in flight finish on the plan they began with.
 */
import type { ListenerPlan } from './plan/listener.js';
import type { MirrorPlan } from './plan/mirror.js';
import type { LogPlan, TracingPlan } from './plan/observe.js';
import type { Address, NatsPlace } from './plan/place.js';
import type { RoutePlan } from './plan/route.js';
import type { VersionPlan } from './plan/version.js';

export * from './plan/change.js';
export * from './plan/cors.js';
export * from './plan/listener.js';
export * from './plan/match.js';
export * from './plan/mirror.js';
export * from './plan/observe.js';
export * from './plan/place.js';
export * from './plan/rollout-plan.js';
export * from './plan/route.js';
export * from './plan/rule.js';
export * from './plan/sink.js';
export * from './plan/version.js';

export interface Plan {
  readonly generation: number;
  readonly listeners: readonly ListenerPlan[];
  readonly admin: AdminPlan | null;
  readonly threads: ThreadsPlan;
  readonly drainMs: number;
  /** Instances with one salt choose the same keys. */
  readonly samplingSalt: string;
  readonly versions: readonly VersionPlan[];
  /** First match wins. */
  readonly routes: readonly RoutePlan[];
  readonly accessLog: AccessLogPlan | null;
  readonly histograms: HistogramsPlan | null;
  readonly log: LogPlan;
  /** Null: nothing is traced. */
  readonly tracing: TracingPlan | null;
  /** Null: this instance is not one of a fleet. */
  readonly fleet: FleetPlan | null;
  readonly redact: RedactPlan;
  /**
   * JSON of the effective configuration as it was loaded; empty on threads of the data plane, which never
   * show it.
   */
  readonly effective: string;
}

/** Where snapshots of this instance go. */
export interface FleetPlan {
  readonly nats: NatsPlace;
  /** A key-value bucket. */
  readonly bucket: string;
  /** Name of this instance. */
  readonly name: string;
  readonly intervalMs: number;
}

export interface AdminPlan {
  readonly address: Address;
  /** Required off loopback; null means that none is asked for. */
  readonly token: string | null;
}

export interface ThreadsPlan {
  readonly proxy: number;
  readonly shadow: number;
  /** Bytes of one ring between one proxy and one shadow thread; a power of two. */
  readonly ringBytes: number;
  /** Niceness of shadow threads, on Linux: how much lower their priority is than that of proxy threads. */
  readonly nice: number;
}

/** The name by which a mirror's target is known: a version's, or a sink's. */
export function targetName({ versions }: Pick<Plan, 'versions'>, { to, sink }: MirrorPlan): string {
  return sink === null ? versions[to].name : sink.name;
}

/** What is never shown, beside what core/redact hides by itself. */
export interface RedactPlan {
  /** The fields and members that are secret by their name are hidden too. */
  readonly defaults: boolean;
  /** Lower case. */
  readonly headers: readonly string[];
  /** Names of parameters of queries and of fields of forms. */
  readonly query: readonly string[];
  /** JSONPaths. */
  readonly json: readonly string[];
}

export interface AccessLogPlan {
  /** `-` is standard output. */
  readonly path: string;
  readonly format: 'envoy' | 'json';
  readonly shareMillionths: number;
}

/** Latencies as HdrHistogram logs on disk. */
export interface HistogramsPlan {
  /** Absolute. */
  readonly directory: string;
  readonly intervalMs: number;
}
