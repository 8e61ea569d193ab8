/**
 * The control thread's counts of its own work since its start. They begin at zero when the thread is
 * replaced.
 */
import type { EndpointErrors } from './endpoint-errors.js';

export interface ControlCounts {
  readonly histogramLog: Readonly<HistogramLogCounts>;
  readonly admin: AdminCounts;
  readonly fleet: FleetState;
  /** The latest error of each endpoint, as main knows it. */
  readonly endpointErrors: EndpointErrors;
  readonly tracing: Readonly<TracingCounts>;
  readonly live: LiveCounts;
  readonly exemplars: readonly Exemplar[];
  readonly certificates: readonly CertificateExpiry[];
  readonly reload: { readonly ok: boolean; readonly appliedMs: number };
  /** Null in a process that serves no clients. */
  readonly build: BuildInfo | null;
}

export interface BuildInfo {
  readonly version: string;
  readonly commit: string;
  readonly node: string;
}

export interface CertificateExpiry {
  /** A listener shows it to clients, or umbra to the endpoints of a version. */
  readonly use: 'listener' | 'version';
  readonly name: string;
  readonly expiresMs: number;
}

/** The newest traced request in one bucket of a route's histogram. */
export interface Exemplar {
  readonly route: string;
  readonly bucket: number;
  readonly traceId: string;
  readonly seconds: number;
  readonly atMs: number;
}

/**
 * Spans that were sent to their receiver, and those that were not: the queue was full, or the receiver
 * failed.
 */
export interface TracingCounts {
  exported: number;
  readonly dropped: { queue: number; receiver: number };
}

/** Live changes in force, which differ from the configuration. */
export interface LiveCounts {
  /** All mirrors are switched at once: 0 or 1. */
  readonly allMirrors: number;
  readonly mirrors: number;
  readonly weights: number;
  /** False: the last change would be lost with the process although it should be kept. */
  readonly kept: boolean;
}

/** Null: not configured. */
export interface FleetState {
  readonly publishing: Readonly<PublishingState> | null;
  readonly plan: Readonly<PlanState> | null;
}

/** State of the snapshots of this instance. */
export interface PublishingState {
  name: string;
  /**
   * A digest of everything that decides where requests and copies go. Instances that agree have the same one.
   */
  configuration: string;
  connected: boolean;
  published: number;
  /**
   * Snapshots that were due but not sent: the connection was down, or the previous one was still under way.
   */
  skipped: number;
  failed: number;
}

/** State of the plan from a bucket. */
export interface PlanState {
  /** The address of the bucket, without credentials. */
  source: string;
  connected: boolean;
  /** The revision in force. */
  revision: number;
  /** A later revision that was rejected, and why. */
  refused: { readonly revision: number; readonly problems: readonly string[] } | null;
  taken: number;
  refusals: number;
}

export const refusalReasons = [
  'host',
  'token',
  'origin',
  'rate',
  'connections',
  'bodies',
  'answers',
  'changes',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** The admin server's counts of its own work. */
export interface AdminCounts {
  /** Readers of /api/stream: current, rejected, and disconnected. */
  readonly streams: number;
  readonly streamsRefused: number;
  readonly streamsStalled: number;
  readonly snapshotsSkipped: number;
  /**
   * Requests by the guard that rejected them. `connections` and `answers` count connections that were closed
   * in favour of others.
   */
  readonly refused: Readonly<Record<RefusalReason, number>>;
}

export interface HistogramLogCounts {
  /** Intervals written. */
  lines: number;
  /** Writes to a histogram log that failed. */
  errors: number;
}

export const noControlCounts: ControlCounts = {
  histogramLog: { lines: 0, errors: 0 },
  admin: {
    streams: 0,
    streamsRefused: 0,
    streamsStalled: 0,
    snapshotsSkipped: 0,
    refused: { host: 0, token: 0, origin: 0, rate: 0, connections: 0, bodies: 0, answers: 0, changes: 0 },
  },
  fleet: { publishing: null, plan: null },
  endpointErrors: [],
  tracing: { exported: 0, dropped: { queue: 0, receiver: 0 } },
  live: { allMirrors: 0, mirrors: 0, weights: 0, kept: true },
  exemplars: [],
  certificates: [],
  reload: { ok: true, appliedMs: 0 },
  build: null,
};
