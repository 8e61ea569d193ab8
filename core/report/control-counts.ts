/**
 * What the control thread counts of its own work. Since its start: it begins at zero when the thread is
 * replaced.
 */
export interface ControlCounts {
  readonly histogramLog: Readonly<HistogramLogCounts>;
  readonly admin: AdminCounts;
  readonly fleet: FleetState;
}

/** Null: not asked for. */
export interface FleetState {
  readonly publishing: Readonly<PublishingState> | null;
  readonly plan: Readonly<PlanState> | null;
}

/** State of the snapshots of this instance. */
export interface PublishingState {
  name: string;
  /** A digest of what decides where requests and copies go: the same for instances that agree. */
  configuration: string;
  connected: boolean;
  published: number;
  /** Due, but the connection was down or the one before was still under way. */
  skipped: number;
  failed: number;
}

/** State of the plan that comes from a bucket. */
export interface PlanState {
  /** The address of the bucket, without credentials. */
  source: string;
  connected: boolean;
  /** In force. */
  revision: number;
  /** A later one that was refused, with why. */
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
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** What the admin server counts of itself. */
export interface AdminCounts {
  /** Readers of /api/stream: now, refused, and cut off. */
  readonly streams: number;
  readonly streamsRefused: number;
  readonly streamsStalled: number;
  readonly snapshotsSkipped: number;
  /**
   * Requests, by the guard that refused them; with `connections` and `answers`, connections that were closed
   * for others.
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
    refused: { host: 0, token: 0, origin: 0, rate: 0, connections: 0, bodies: 0, answers: 0 },
  },
  fleet: { publishing: null, plan: null },
};
