import { type Cause, causeCodes } from '../endpoint-cause.js';
import { type Failure, failureReasons } from '../errors.js';
import type { GrpcCall } from '../grpc/grpc-call.js';
import { grpcStatusNames } from '../grpc/grpc-status.js';
import { CounterBlock, sumOf } from './counter-block.js';
import { CODE_FIRST, CODE_LAST, CounterRows } from './counter-table.js';
import { GrpcMethods } from './grpc-methods.js';
import { guardRows } from './guard-rows.js';
import type { HdrCounts } from './hdr-counts.js';

const rows = new CounterRows();

/** Rows of the guards that a server may reach. */
const guardRow = guardRows(
  rows,
  'umbra_upstream_http2_guards_total',
  'Times that an endpoint of the version reached a bound of HTTP/2, by guard; its stream or its connection was ended.',
);

const field = {
  /** Requests that were handed to the upstream client. */
  requests: rows.counter({ stats: 'requests' }),
  responses: rows.codes(),
  /** Responses with a code that is not from 100 to 599. */
  responsesOther: rows.counter(),
  grpcResponses: rows.reasons(grpcStatusNames, {
    metric: 'umbra_grpc_responses_total',
    help: 'Complete responses of the version to gRPC calls, by gRPC status.',
    label: 'grpc_status',
    sparse: true,
  }),
  grpcMessagesSent: rows.counter({
    metric: 'umbra_grpc_messages_sent_total',
    help: 'Messages of gRPC calls sent to the version, of calls that were answered completely.',
    sparse: true,
  }),
  grpcMessagesReceived: rows.counter({
    metric: 'umbra_grpc_messages_received_total',
    help: 'Messages of complete responses of the version to gRPC calls.',
    sparse: true,
  }),
  grpcMethods: rows.methods(),
  failures: rows.reasons(failureReasons, {
    metric: 'umbra_upstream_failures_total',
    help: 'Requests to the version that ended without a whole response, by reason.',
    stats: 'failures',
  }),
  endpointFailures: rows.reasons(causeCodes, {
    metric: 'umbra_upstream_endpoint_failures_total',
    help:
      'Connections to endpoints of the version that failed, by cause: the error of the system or of TLS. A ' +
      'request that was sent to another endpoint afterwards counts here too.',
    label: 'cause',
    sparse: true,
    stats: 'endpointFailures',
  }),
  retries: rows.counter({
    metric: 'umbra_upstream_retries_total',
    help:
      'Times that a request was sent to the version again: a reused connection had died, or `retries` of ' +
      'its route requested it.',
  }),
  retriesExhausted: rows.counter({
    metric: 'umbra_upstream_retries_exhausted_total',
    help: 'Requests to the version that had used all retries of their route when another was needed.',
  }),
  handshakes: rows.counter(),
  /** Handshakes that resumed an earlier session. */
  handshakesResumed: rows.counter(),
  bytesSent: rows.counter({
    metric: 'umbra_upstream_sent_bytes_total',
    help: 'Bytes of request bodies sent to the version, without framing, of requests that have ended.',
  }),
  bytesReceived: rows.counter({
    metric: 'umbra_upstream_received_bytes_total',
    help: 'Bytes of response bodies received from the version, without framing, of requests that have ended.',
  }),
  latency: rows.hdr(
    {
      metric: 'umbra_latency_seconds',
      help:
        'Time from the first byte sent to the version to the last byte received: quantiles since the start, ' +
        'exact to three digits.',
      stats: 'latencyUs',
    },
    ['count', 'mean', 'p50', 'p90', 'p99', 'p999', 'max'],
  ),
  firstByte: rows.hdr(
    {
      metric: 'umbra_first_byte_seconds',
      help: 'Time from the first byte sent to the version to the first byte received: quantiles since the start.',
      stats: 'firstByteUs',
    },
    ['count', 'p50', 'p99'],
  ),
  connectionsOpen: rows.gauge({ stats: 'connections.open' }),
  /** Open connections that are idle in the pool. */
  connectionsIdle: rows.gauge({ stats: 'connections.idle' }),
  waiting: rows.gauge({
    metric: 'umbra_upstream_queue_length',
    help: 'Requests that wait for a connection to the version.',
    stats: 'queue.length',
  }),
  queueRefused: rows.counter({
    metric: 'umbra_upstream_queue_full_total',
    help: 'Requests refused because too many were waiting for a connection to the version.',
    stats: 'queue.full',
  }),
  queueTimeouts: rows.counter({
    metric: 'umbra_upstream_queue_timeouts_total',
    help: 'Requests that failed because they waited too long for a connection to the version.',
    stats: 'queue.timeouts',
  }),
  waitingUploads: rows.gauge({
    metric: 'umbra_upstream_waiting_uploads',
    help:
      'Requests whose bodies are not whole and that wait for their clients before they get a connection to the ' +
      'version, because three quarters of `connections.max` are held by such requests.',
    stats: 'uploads.waiting',
  }),
  slowUploads: rows.counter({
    metric: 'umbra_upstream_slow_uploads_total',
    help: 'Requests whose clients sent their bodies too slowly, ended with 408 in favour of waiting ones.',
    stats: 'uploads.ended',
  }),
  ejected: rows.gauge({
    metric: 'umbra_upstream_ejected_endpoints',
    help:
      'Addresses of the version that are ejected because requests to them failed. Each thread judges for ' +
      'itself, and this is the sum over threads.',
    stats: 'ejection.ejected',
  }),
  ejections: rows.counter({
    metric: 'umbra_upstream_ejections_total',
    help: 'Times that a thread ejected an address of the version because requests to it failed.',
    stats: 'ejection.ejections',
  }),
  connectionsHigh: rows.counter({
    metric: 'umbra_upstream_connections_high_total',
    help:
      'Connections to the version that were opened while at least four fifths of `connections.max` to their ' +
      'endpoint were open on their thread. When all are, requests wait.',
  }),
  outOfResources: rows.counter({
    metric: 'umbra_upstream_out_of_resources_total',
    help:
      'Connections to the version that umbra could not open because it was out of descriptors, local ports or ' +
      'buffers.',
  }),
  http2Connections: rows.gauge({
    metric: 'umbra_upstream_http2_connections',
    help: 'Connections to the version that speak HTTP/2. They are in `umbra_upstream_connections` too.',
  }),
  http2Frames: guardRow('frames'),
  http2Block: guardRow('block'),
  http2Lists: guardRow('lists'),
  http2Settings: guardRow('settings'),
  http2Window: guardRow('window'),
  http2Closed: guardRow('closed'),
  http2Output: guardRow('output'),
};
/**
 * The counters of one version in one role. The methods below use `field`: V8 folds a constant of the same
 * module, but loads an exported one from its cell at each use.
 */
export const VersionField = field;
export const versionTable = rows.named(field);

/**
 * The measurements of one thread for one version in one role.
 *
 * Every request ends in exactly one of `response` and `failure`, so at rest
 * requests = sum of responses by code + sum of failures by reason.
 */
export class VersionCounters extends CounterBlock {
  readonly latency: HdrCounts;
  readonly firstByte: HdrCounts;
  readonly grpcMethods: GrpcMethods;

  static create(): SharedArrayBuffer {
    return CounterBlock.shared(versionTable);
  }

  constructor(shared: SharedArrayBuffer) {
    super(shared, versionTable);
    this.latency = this.hdr(field.latency);
    this.firstByte = this.hdr(field.firstByte);
    const methods = field.grpcMethods;
    this.grpcMethods = new GrpcMethods(this.words.subarray(methods, methods + GrpcMethods.words));
  }

  /** A request was handed to the upstream client. Attempts beyond the first count as `retries`. */
  requestStarted(): void {
    this.words[field.requests]++;
  }

  /** The final response is complete. */
  response(status: number): void {
    const isListed = status >= CODE_FIRST && status <= CODE_LAST;
    this.words[isListed ? field.responses + status - CODE_FIRST : field.responsesOther]++;
  }

  /** The response of a gRPC call is complete; `response` has counted it by its HTTP status. */
  grpcResponse({ status, sent, received }: GrpcCall): void {
    const { words } = this;
    words[field.grpcResponses + status]++;
    words[field.grpcMessagesSent] += sent.messages;
    words[field.grpcMessagesReceived] += received.messages;
  }

  /** The request ended without a complete response, whether or not a head had arrived. */
  failure(reason: Failure, count = 1): void {
    this.words[field.failures + reason] += count;
  }

  /** A connection to an endpoint failed for this index of `causes`. */
  endpointFailed(cause: Cause): void {
    this.words[field.endpointFailures + cause]++;
  }

  /** A TLS handshake with an endpoint is complete. */
  handshake(resumed: boolean): void {
    this.words[field.handshakes]++;
    if (resumed) this.words[field.handshakesResumed]++;
  }

  /** Gauge: +1 when an endpoint is ejected, which also counts an ejection, and -1 when it returns. */
  addEjected(change: number): void {
    this.words[field.ejected] += change;
    if (change > 0) this.words[field.ejections] += change;
  }

  /** Responses and failures of every kind. */
  get finished(): number {
    const { words } = this;
    return (
      this.totalOf(field.failures) +
      sumOf(words, field.responses, CODE_LAST - CODE_FIRST + 1) +
      words[field.responsesOther]
    );
  }
}
