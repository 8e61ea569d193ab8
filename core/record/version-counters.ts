import { type Failure, failureReasons } from '../errors.js';
import { HdrCounts } from './hdr-counts.js';
import { sharedBlock } from './shared-block.js';

/** Status codes that have a counter of their own; all others share one. */
export const CODE_FIRST = 100;
export const CODE_LAST = 599;

/** Words of a block; the two HDR blocks follow them. */
const REQUESTS = 0;
const RETRIES = 1;
const BYTES_SENT = 2;
const BYTES_RECEIVED = 3;
const CONNECTIONS_OPEN = 4;
const CONNECTIONS_IDLE = 5;
const HANDSHAKES = 6;
const HANDSHAKES_RESUMED = 7;
const WAITING = 8;
const QUEUE_REFUSED = 9;
const QUEUE_TIMEOUTS = 10;
const EJECTED = 11;
const EJECTIONS = 12;
const RETRIES_EXHAUSTED = 13;
const FAILURES = 16;
const CODES = 64;
const CODE_OTHER = CODES + CODE_LAST - CODE_FIRST + 1;
const WORDS = 576;
const LATENCY_OFFSET = WORDS * Float64Array.BYTES_PER_ELEMENT;
const FIRST_BYTE_OFFSET = LATENCY_OFFSET + HdrCounts.bytes;

/**
 * What one thread measures of one version in one role. That thread alone writes; any thread may read. The block
 * outlives the thread: a restarted one goes on counting in it.
 *
 * Every request ends in exactly one of `response` and `failure`, so at rest
 * requests = sum of responses by code + sum of failures by reason.
 */
export class VersionCounters {
  readonly latency: HdrCounts;
  readonly firstByte: HdrCounts;
  private readonly words: Float64Array;

  static create(): SharedArrayBuffer {
    return sharedBlock(FIRST_BYTE_OFFSET + HdrCounts.bytes);
  }

  constructor(shared: SharedArrayBuffer) {
    this.words = new Float64Array(shared, 0, WORDS);
    this.latency = new HdrCounts(shared, LATENCY_OFFSET);
    this.firstByte = new HdrCounts(shared, FIRST_BYTE_OFFSET);
  }

  /** A request was handed to the upstream client. Attempts beyond the first are `retried`, not started again. */
  requestStarted(): void {
    this.words[REQUESTS]++;
  }

  retried(): void {
    this.words[RETRIES]++;
  }

  /** A request has used all retries of its route and would have been sent once more. */
  retriesExhausted(): void {
    this.words[RETRIES_EXHAUSTED]++;
  }

  /** A TLS handshake with an endpoint is complete. */
  handshake(resumed: boolean): void {
    this.words[HANDSHAKES]++;
    if (resumed) this.words[HANDSHAKES_RESUMED]++;
  }

  /** A request found the queue for connections full. */
  queueRefused(): void {
    this.words[QUEUE_REFUSED]++;
  }

  /** A request waited too long for a connection. */
  queueTimedOut(): void {
    this.words[QUEUE_TIMEOUTS]++;
  }

  /** Gauge: requests that wait for a connection. */
  addWaiting(change: number): void {
    this.words[WAITING] += change;
  }

  /** Gauge: +1 when an endpoint is ejected, which is counted too, -1 when it is back. */
  addEjected(change: number): void {
    this.words[EJECTED] += change;
    if (change > 0) this.words[EJECTIONS] += change;
  }

  /** The final response is complete. */
  response(status: number): void {
    this.words[status >= CODE_FIRST && status <= CODE_LAST ? CODES + status - CODE_FIRST : CODE_OTHER]++;
  }

  /** The request ended without a complete response, whether or not a head had come. */
  failure(reason: Failure, count = 1): void {
    this.words[FAILURES + reason] += count;
  }

  /** Bytes of bodies, without heads and framing, when their exchange is over. */
  bytesSent(count: number): void {
    this.words[BYTES_SENT] += count;
  }

  bytesReceived(count: number): void {
    this.words[BYTES_RECEIVED] += count;
  }

  /** Gauge: +1 when a connection to the version is opened, -1 when it is gone. */
  addConnectionsOpen(change: number): void {
    this.words[CONNECTIONS_OPEN] += change;
  }

  /** Gauge: of the open ones, those that wait in the pool. */
  addConnectionsIdle(change: number): void {
    this.words[CONNECTIONS_IDLE] += change;
  }

  /** The writer is dead, and its connections and queue with it. Called by the thread that takes over as the writer. */
  resetConnections(): void {
    this.words[CONNECTIONS_OPEN] = 0;
    this.words[CONNECTIONS_IDLE] = 0;
    this.words[WAITING] = 0;
    this.words[EJECTED] = 0;
  }

  get requests(): number {
    return this.words[REQUESTS];
  }

  get retries(): number {
    return this.words[RETRIES];
  }

  get retriesExhaustedTotal(): number {
    return this.words[RETRIES_EXHAUSTED];
  }

  get handshakes(): number {
    return this.words[HANDSHAKES];
  }

  /** Of them, those that resumed an earlier session. */
  get handshakesResumed(): number {
    return this.words[HANDSHAKES_RESUMED];
  }

  get bytesSentTotal(): number {
    return this.words[BYTES_SENT];
  }

  get bytesReceivedTotal(): number {
    return this.words[BYTES_RECEIVED];
  }

  get connectionsOpen(): number {
    return this.words[CONNECTIONS_OPEN];
  }

  get connectionsIdle(): number {
    return this.words[CONNECTIONS_IDLE];
  }

  get waiting(): number {
    return this.words[WAITING];
  }

  get queueRefusedTotal(): number {
    return this.words[QUEUE_REFUSED];
  }

  get queueTimeouts(): number {
    return this.words[QUEUE_TIMEOUTS];
  }

  /** Endpoints that the thread leaves out now. */
  get ejected(): number {
    return this.words[EJECTED];
  }

  get ejections(): number {
    return this.words[EJECTIONS];
  }

  responses(status: number): number {
    return this.words[CODES + status - CODE_FIRST];
  }

  /** Responses whose code is not from 100 to 599. */
  get responsesOther(): number {
    return this.words[CODE_OTHER];
  }

  failures(reason: Failure): number {
    return this.words[FAILURES + reason];
  }

  /** Responses and failures of every kind. */
  get finished(): number {
    let sum = 0;
    for (let i = 0; i < failureReasons.length; i++) sum += this.words[FAILURES + i];
    for (let i = CODES; i <= CODE_OTHER; i++) sum += this.words[i];
    return sum;
  }
}
