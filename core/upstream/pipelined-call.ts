import { Cause, noError, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { Framing } from '../http/message.js';
import { writeRequestHead } from '../http/request-writer.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import type { Call } from './call.js';
import { CallClocks, type ClockOwner } from './call-clocks.js';
import { CallFigures } from './call-figures.js';
import { isError } from './ejection.js';
import type { Endpoint } from './endpoint.js';
import type { PipelinedConnection, PipelinedUser } from './pipelined-connection.js';
import type { VersionPool } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import type { UpstreamRequest } from './upstream-request.js';

const Phase = { NONE: 0, WAITING: 1, SENT: 2, FAILING: 3 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** A call over HTTP/1.1 with a safe method and no body, sent behind others on one connection. */
export class PipelinedCall implements Call, PipelinedUser, ClockOwner {
  /** The most requests on the connection, set before `start`. */
  depth = 1;
  /** The whole request. */
  wire = '';
  toHead = false;
  /** `sentUs` is at least when the previous response on its connection ended. */
  readonly figures = new CallFigures(false);
  readonly #sink: ResponseSink;
  readonly #clocks = new CallClocks(this);
  readonly #deliverFailure: () => void;
  #phase: Phase = Phase.NONE;
  #pool: VersionPool | null = null;
  #connection: PipelinedConnection | null = null;
  #request: UpstreamRequest | null = null;
  #failure: Failure = Failure.ABORTED;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
    };
  }

  start(pool: VersionPool, request: UpstreamRequest): void {
    request.nameHost(pool.plan);
    this.wire = writeRequestHead(request);
    this.toHead = request.method === 'HEAD';
    this.figures.begin();
    this.#pool = pool;
    this.#request = request;
    this.#phase = Phase.WAITING;
    request.resends.beginAttempt();
    const nowUs = pool.resources.clock();
    this.#clocks.begin(pool.resources, request, nowUs);
    this.#clocks.requestWhole(nowUs);
    this.#begin();
  }

  get heldBytes(): number {
    return this.#phase === Phase.NONE ? 0 : this.wire.length;
  }

  /** The request has no body. */
  write(_piece: Uint8Array, _last: boolean): boolean {
    return true;
  }

  trailers(_lines: string): void {}

  /** Other responses follow on the connection, so that it is never paused. Only copies are pipelined. */
  pauseResponse(): void {}

  resumeResponse(): void {}

  cancel(): void {
    if (this.#phase !== Phase.NONE) this.#leave();
  }

  abandon(): void {
    if (this.#phase === Phase.SENT && isError(this.figures.status))
      this.#pool!.endpointSet.completed(this.#connection!.endpoint, this.figures.status);
    this.cancel();
  }

  expire(): void {
    if (this.#phase === Phase.WAITING || this.#phase === Phase.SENT) this.onTimeOut();
  }

  // From the connection.

  onSent(): void {
    this.#phase = Phase.SENT;
    this.figures.reused = this.#connection!.exchanges > 0;
    if (this.figures.sentUs !== 0) return;
    this.#sink.onSent();
    this.figures.sentUs = this.#pool!.resources.clock();
  }

  onHead(head: ResponseHead, readUs: number): void {
    this.figures.sentUs = Math.max(this.figures.sentUs, this.#connection!.lastEndUs);
    this.figures.answered(head.status, readUs);
    this.#clocks.movedUs = readUs;
    this.#clocks.headCame(head.framing === Framing.NONE);
    this.#sink.onHead(head);
  }

  onBody(bytes: Uint8Array, readUs: number): void {
    this.#clocks.movedUs = readUs;
    this.figures.responseBytes += bytes.length;
    this.#sink.onResponseBody(bytes);
  }

  onEnd(readUs: number): void {
    const { endpoint } = this.#connection!;
    this.figures.endUs = readUs;
    this.#pool!.endpointSet.completed(endpoint, this.figures.status);
    this.#finish();
    this.#sink.onEnd();
  }

  onNoConnection(endpoint: Endpoint, failure: Failure): void {
    this.#connection = null;
    this.figures.error = endpoint.lastError;
    if (this.#request!.resends.afterNoConnection(endpoint, this.#pool!.endpoints, failure)) this.#begin();
    else this.#fail(failure);
  }

  onLost(failure: Failure, untouched: boolean, fault: ResponseFault): void {
    this.#connection = null;
    if (untouched && this.#request!.resends.afterLostIdle()) {
      this.#pool!.resources.counters.requestRetried(this.#pool!.plan);
      this.#begin();
      return;
    }
    if (failure === Failure.PROTOCOL) this.figures.fault = fault;
    this.figures.error = this.figures.endpoint?.lastError ?? noError;
    this.#fail(failure);
  }

  // From the clocks.

  onTimeOut(): void {
    if (this.#phase === Phase.SENT) {
      this.figures.error = plainErrors[Cause.NO_ANSWER]!;
      this.#pool!.endpointSet.failed(this.#connection!.endpoint, this.figures.error);
    }
    this.#fail(Failure.TIMEOUT);
  }

  /** A pipelined call is not queued. */
  onQueueTimeOut(): void {}

  onStalled(): void {
    this.onTimeOut();
  }

  #begin(): void {
    const connection = this.#pool!.pipelinedConnection(this.depth, this.#request!.resends.tried);
    if (connection === null) {
      this.#phase = Phase.FAILING;
      this.#failure = this.#pool!.endpoints.length === 0 ? Failure.NO_ENDPOINT : Failure.OVERLOADED;
      process.nextTick(this.#deliverFailure);
      return;
    }
    this.#connection = connection;
    this.figures.endpoint = connection.endpoint;
    connection.take(this);
  }

  #fail(failure: Failure): void {
    this.#leave();
    this.#sink.onFailure(failure);
  }

  #leave(): void {
    const connection = this.#connection;
    this.figures.endUs = this.#pool!.resources.clock();
    this.#finish();
    connection?.abandon(this);
  }

  #finish(): void {
    this.#phase = Phase.NONE;
    this.#connection = null;
    this.wire = '';
    this.#clocks.end();
  }
}
