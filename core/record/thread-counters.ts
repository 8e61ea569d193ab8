import { CounterBlock } from './counter-block.js';
import { CounterRows } from './counter-table.js';
import { guardRows } from './guard-rows.js';

const rows = new CounterRows();

const guardRow = guardRows(
  rows,
  'umbra_downstream_http2_guards_total',
  'Times that a client reached a bound of HTTP/2, by guard; its stream or its connection was ended.',
);

/** Counters of a thread that belong to no version. Every row has the label `thread`. */
export const ThreadField = {
  connections: rows.gauge({
    metric: 'umbra_downstream_connections',
    help: 'Client connections that are open.',
  }),
  accepted: rows.counter({
    metric: 'umbra_downstream_connections_accepted_total',
    help: 'Client connections accepted.',
  }),
  requests: rows.counter({
    metric: 'umbra_downstream_requests_total',
    help: 'Requests received from clients, before routing.',
  }),
  unrouted: rows.counter({
    metric: 'umbra_downstream_unrouted_total',
    help: 'Requests that no route matched; answered 404.',
  }),
  refused: rows.counter({
    metric: 'umbra_downstream_refused_total',
    help: 'Requests that the engine rejected and answered itself: malformed, ambiguous, too large or too slow.',
  }),
  accessLogDropped: rows.counter({
    metric: 'umbra_access_log_dropped_total',
    help: 'Access-log lines dropped because the log could not keep up.',
  }),
  /** Written by main, between the thread's lives. */
  restarts: rows.counter({
    metric: 'umbra_thread_restarts_total',
    help: 'Times that the thread died and was started again.',
  }),
  /** Written by main. */
  terminations: rows.counter({
    metric: 'umbra_thread_terminations_total',
    help: 'Times that main ended the thread because it did not start, apply a plan, drain or stop in time.',
  }),
  /** Written by main, in the control thread's block. */
  descriptorShortages: rows.counter({
    metric: 'umbra_descriptor_shortages_total',
    help: 'Times that the process had no file descriptor left, and refused clients until some were closed.',
  }),
  connectionsRefused: rows.counter({
    metric: 'umbra_downstream_connections_refused_total',
    help: 'Client connections closed on arrival because as many were open as the listener allows.',
  }),
  upgrades: rows.counter({
    metric: 'umbra_downstream_upgrades_total',
    help: 'Client connections that changed to another protocol, such as WebSocket.',
  }),
  tunnels: rows.gauge({
    metric: 'umbra_downstream_tunnels',
    help: 'Open client connections that have changed to another protocol, such as WebSocket.',
  }),
  webSocketHeldBytes: rows.gauge({
    metric: 'umbra_downstream_websocket_held_bytes',
    help: 'Bytes of WebSocket messages held for sides that do not read; on the uws engine only.',
  }),
  webSocketsGaveWay: rows.counter({
    metric: 'umbra_downstream_websockets_closed_total',
    help: 'WebSocket connections closed because too much was held for sides that did not read; on the uws engine only.',
  }),
  http2Connections: rows.gauge({
    metric: 'umbra_downstream_http2_connections',
    help: 'Open client connections that use HTTP/2; on the node engine only.',
  }),
  http2Requests: rows.counter({
    metric: 'umbra_downstream_http2_requests_total',
    help: 'Requests that clients sent by HTTP/2, each on a stream of its own.',
  }),
  http2Resets: guardRow('resets'),
  http2Frames: guardRow('frames'),
  http2Block: guardRow('block'),
  http2Lists: guardRow('lists'),
  http2Settings: guardRow('settings'),
  http2Window: guardRow('window'),
  http2Closed: guardRow('closed'),
  http2Output: guardRow('output'),
  http2Streams: guardRow('streams'),
  lastHop: rows.counter({
    metric: 'umbra_downstream_last_hop_total',
    help: 'OPTIONS and TRACE requests that umbra answered itself because their Max-Forwards was 0.',
  }),
  bodyTooLarge: rows.counter({
    metric: 'umbra_downstream_body_too_large_total',
    help: "Requests whose body is larger than the listener's body.max; answered 413.",
  }),
  headTimeouts: rows.counter({
    metric: 'umbra_downstream_head_timeouts_total',
    help: 'Clients that took too long to send a request head; counted on the node engine only.',
  }),
  bodyTimeouts: rows.counter({
    metric: 'umbra_downstream_body_timeouts_total',
    help: 'Clients that paused too long within a request body; answered 408.',
  }),
  idleTimeouts: rows.counter({
    metric: 'umbra_downstream_idle_timeouts_total',
    help: 'Client connections closed because no further request arrived; counted on the node engine only.',
  }),
  responseTimeouts: rows.counter({
    metric: 'umbra_downstream_response_timeouts_total',
    help: 'Client connections, and streams of HTTP/2, closed because the client stopped reading its response.',
  }),
  answered: rows.counter({
    metric: 'umbra_downstream_answered_total',
    help: 'Requests that umbra answered itself, as redirect or respond of their route requires.',
  }),
  faultDelays: rows.counter({
    metric: 'umbra_fault_delays_total',
    help: 'Requests delayed on purpose, by fault.delay of their route.',
  }),
  faultAborts: rows.counter({
    metric: 'umbra_fault_aborts_total',
    help: 'Requests answered with an error on purpose, by fault.abort of their route.',
  }),
  faultOverflows: rows.counter({
    metric: 'umbra_fault_overflows_total',
    help: 'Requests that fault.delay of their route did not delay because too many were delayed already.',
  }),
  retryOverflows: rows.counter({
    metric: 'umbra_retry_overflows_total',
    help: 'Requests that their route could not have retried because too many request bodies were buffered.',
  }),
  handshakes: rows.gauge({
    metric: 'umbra_downstream_handshakes',
    help: 'Client connections whose TLS handshake is not done; counted on the node engine only.',
  }),
  handshakeFailures: rows.counter({
    metric: 'umbra_downstream_handshake_failures_total',
    help: 'Client connections that ended before their TLS handshake was done; on the node engine only.',
  }),
  handshakeTimeouts: rows.counter({
    metric: 'umbra_downstream_handshake_timeouts_total',
    help: "Client connections whose TLS handshake took longer than the listener's head.timeout.",
  }),
  spansDropped: rows.counter({
    metric: 'umbra_trace_spans_lost_total',
    help: 'Records of traced requests that found the ring to the control thread full and were dropped.',
    sparse: true,
  }),
  /** A timer writes both; together they show how loaded the thread is. */
  busy: rows.gauge({
    metric: 'umbra_thread_busy_ratio',
    help: 'Share of the last half second in which the event loop of the thread was at work, 0 to 1.',
  }),
  loopDelayS: rows.gauge({
    metric: 'umbra_thread_loop_delay_seconds',
    help: 'How late the event loop of the thread was for a timer, the longest of the last second.',
  }),
  /** Main sees by it that the thread responds. */
  pulses: rows.counter({
    metric: 'umbra_thread_pulses_total',
    help: 'Turns of a timer of half a second; a thread that does not respond, because it is blocked, has none.',
  }),
};
export const threadTable = rows.named(ThreadField);
export type ThreadField = (typeof ThreadField)[keyof typeof ThreadField];

export class ThreadCounters extends CounterBlock {
  static create(): SharedArrayBuffer {
    return CounterBlock.shared(threadTable);
  }

  constructor(shared: SharedArrayBuffer) {
    super(shared, threadTable);
  }

  /**
   * `setPulse` stores the share of the last half second in which the thread was at work, 0 to 1, and how late
   * its timer fired, in seconds, and counts the pulse.
   */
  setPulse(busy: number, loopDelayS: number): void {
    this.add(ThreadField.pulses);
    this.set(ThreadField.busy, busy);
    this.set(ThreadField.loopDelayS, loopDelayS);
  }
}
