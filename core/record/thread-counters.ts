/**
 * What a thread counts that belongs to no version. The order is the layout of the shared block; new rows go to the end.
 * Every row becomes the metric that it names, with the label `thread`.
 */
export const threadFields = [
  { kind: 'gauge', metric: 'umbra_downstream_connections', help: 'Client connections that are open.' },
  {
    kind: 'counter',
    metric: 'umbra_downstream_connections_accepted_total',
    help: 'Client connections accepted.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_requests_total',
    help: 'Requests received from clients, before routing.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_unrouted_total',
    help: 'Requests that no route matched; answered 404.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_refused_total',
    help: 'Requests that the engine refused and answered itself: malformed, ambiguous, too large or too slow.',
  },
  {
    kind: 'counter',
    metric: 'umbra_access_log_dropped_total',
    help: 'Access-log lines dropped because the log could not keep up.',
  },
  {
    kind: 'counter',
    metric: 'umbra_thread_restarts_total',
    help: 'Times that the thread died and was started again.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_connections_refused_total',
    help: 'Client connections closed at once because there were too many.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_upgrades_total',
    help: 'Client connections that changed to another protocol, such as WebSocket.',
  },
  { kind: 'gauge', metric: 'umbra_downstream_tunnels', help: 'Those of them that are open.' },
  {
    kind: 'counter',
    metric: 'umbra_downstream_last_hop_total',
    help: 'OPTIONS and TRACE requests answered here because their Max-Forwards was 0.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_body_too_large_total',
    help: "Requests whose body is larger than the listener's body.max; answered 413.",
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_head_timeouts_total',
    help: 'Clients that took too long for a request head; on the node engine.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_body_timeouts_total',
    help: 'Clients that paused too long within a request body; answered 408.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_idle_timeouts_total',
    help: 'Kept connections closed because no request came; on the node engine.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_response_timeouts_total',
    help: 'Clients that stopped taking their response; their connections are closed.',
  },
  {
    kind: 'counter',
    metric: 'umbra_downstream_answered_total',
    help: 'Requests that their route answered itself, with redirect or respond.',
  },
  {
    kind: 'counter',
    metric: 'umbra_fault_delays_total',
    help: 'Requests delayed on purpose, by fault.delay of their route.',
  },
  {
    kind: 'counter',
    metric: 'umbra_fault_aborts_total',
    help: 'Requests answered with an error on purpose, by fault.abort of their route.',
  },
  {
    kind: 'counter',
    metric: 'umbra_fault_overflows_total',
    help: 'Requests that were to be delayed on purpose and went on at once, because too many were waiting.',
  },
  {
    kind: 'counter',
    metric: 'umbra_retry_overflows_total',
    help: "Requests that a route's retries could not have sent again, because too many bodies were kept.",
  },
] as const satisfies readonly { kind: 'counter' | 'gauge'; metric: string; help: string }[];

/** Indexes of `threadFields`. */
export const ThreadField = {
  CONNECTIONS: 0,
  ACCEPTED: 1,
  REQUESTS: 2,
  UNROUTED: 3,
  REFUSED: 4,
  ACCESS_LOG_DROPPED: 5,
  /** Written by main, between the thread's lives. */
  RESTARTS: 6,
  CONNECTIONS_REFUSED: 7,
  UPGRADES: 8,
  TUNNELS: 9,
  LAST_HOP: 10,
  BODY_TOO_LARGE: 11,
  HEAD_TIMEOUTS: 12,
  BODY_TIMEOUTS: 13,
  IDLE_TIMEOUTS: 14,
  RESPONSE_TIMEOUTS: 15,
  ANSWERED: 16,
  FAULT_DELAYS: 17,
  FAULT_ABORTS: 18,
  FAULT_OVERFLOWS: 19,
  RETRY_OVERFLOWS: 20,
} as const;
export type ThreadField = (typeof ThreadField)[keyof typeof ThreadField];

/** Room for rows to come, so that the block keeps its size. */
const WORDS = 64;
/** The thread's pulse, at the block's end: written by a timer and not by what happens. */
const BUSY = WORDS - 1;
const LOOP_DELAY = WORDS - 2;

/** One per thread. That thread alone writes; any thread may read; the block outlives the thread. */
export class ThreadCounters {
  private readonly words: Float64Array;

  static create(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
  }

  constructor(shared: SharedArrayBuffer) {
    this.words = new Float64Array(shared, 0, WORDS);
  }

  /** Counters take 1; gauges take changes of either sign. */
  add(field: ThreadField, change = 1): void {
    this.words[field] += change;
  }

  /** For gauges whose value the thread reads elsewhere. */
  set(field: ThreadField, value: number): void {
    this.words[field] = value;
  }

  get(field: ThreadField): number {
    return this.words[field];
  }

  /** How much of the last half second the thread was at work, 0 to 1, and how late it was for a timer, in seconds. */
  setPulse(busy: number, loopDelayS: number): void {
    this.words[BUSY] = busy;
    this.words[LOOP_DELAY] = loopDelayS;
  }

  get busy(): number {
    return this.words[BUSY];
  }

  get loopDelayS(): number {
    return this.words[LOOP_DELAY];
  }

  /** The writer is dead, and what its gauges counted with it. Called by the thread that takes over as the writer. */
  resetGauges(): void {
    threadFields.forEach((field, index) => {
      if (field.kind === 'gauge') this.words[index] = 0;
    });
    this.setPulse(0, 0);
  }
}
