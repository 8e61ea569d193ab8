import { type Borrower, currentRead } from '../current-read.js';
import { Cause, type EndpointError, noError, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { asksForLogin, carriesLogin } from '../http/connection-login.js';
import { Framing } from '../http/message.js';
import { writeRequestHead } from '../http/request-writer.js';
import { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { limits } from '../limits.js';
import type { Call } from './call.js';
import { CallClocks, type ClockOwner } from './call-clocks.js';
import type { UpstreamConnection } from './connection.js';
import { isError } from './ejection.js';
import type { Endpoint } from './endpoint.js';
import { OutgoingRequest, Put } from './outgoing.js';
import type { ConnectionWaiter, VersionPool, Waiter } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import type { UpstreamTunnel } from './tunnel.js';
import { type UploadOwner, UploadPlace } from './uploads.js';
import type { UpstreamRequest } from './upstream-request.js';

/**
 *   NONE --start--> HELD --write--> QUEUED or CONNECTING --connection--> OPEN --onEnd, onFailure--> NONE
 * A request without a body skips HELD, and an idle connection skips the third state. A failure that is found
 * within a call of the owner goes to FAILING until the owner has returned. An upload above the share goes
 * from HELD to KEPT, and back when it may take a connection.
 */
const Phase = {
  /** No exchange; the figures of the last one remain. */
  NONE: 0,
  /** The head waits for the first piece of the body. */
  HELD: 1,
  /** In the pool's queue. */
  QUEUED: 2,
  /** A connection is being opened for this call. */
  CONNECTING: 3,
  /** The call is on a connection and sends its request or receives its response. */
  OPEN: 4,
  /** A failure waits to be delivered. */
  FAILING: 5,
  /** The body is incomplete, and the version has as many such requests as allowed (core/upstream/uploads). */
  KEPT: 6,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * A call over HTTP/1.1, on a connection of its own. A body longer than `limits.replayBytes`, or an unfinished
 * chunked one, is not in memory and can't be sent again.
 *
 * The file is long because a call is one state machine: its user, its connection and its clocks all change
 * the same phases.
 */
export class UpstreamCall implements Call, ConnectionWaiter, ClockOwner, UploadOwner, Borrower {
  sentUs = 0;
  firstByteUs = 0;
  endUs = 0;
  status = 0;
  responseBytes = 0;
  requestBytes = 0;
  endpoint: Endpoint | null = null;
  headSeen = false;
  readonly http2 = false;
  reused = false;
  fault: ResponseFault = ResponseFault.NONE;
  /** What the last attempt's endpoint failed for; `noError` after any other end. */
  error: EndpointError = noError;

  readonly shares = false;
  // Only the pool's queue uses these.
  nextWaiter: Waiter | null = null;
  previousWaiter: Waiter | null = null;

  readonly #sink: ResponseSink;
  #phase: Phase = Phase.NONE;
  #pool: VersionPool | null = null;
  #request: UpstreamRequest | null = null;
  #connection: UpstreamConnection | null = null;
  /** `write` returned false, so `onDrain` must follow. */
  #drainOwed = false;
  /** When the latest read of the response was delivered. */
  #readUs = 0;
  readonly #outgoing = new OutgoingRequest();
  #failure: Failure = Failure.ABORTED;
  readonly #clocks = new CallClocks(this);
  readonly #upload = new UploadPlace(this);
  readonly #deliverFailure: () => void;
  readonly #flushLate: () => void;
  #flushingLate = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
    };
    this.#flushLate = () => {
      this.#flushingLate = false;
      if (this.#phase === Phase.OPEN) this.#outgoing.flush(this.#connection!);
      this.#sentSome();
    };
  }

  start(pool: VersionPool, request: UpstreamRequest): void {
    this.sentUs = 0;
    this.firstByteUs = 0;
    this.endUs = 0;
    this.status = 0;
    this.responseBytes = 0;
    this.requestBytes = 0;
    this.endpoint = null;
    this.headSeen = false;
    this.reused = false;
    this.fault = ResponseFault.NONE;
    this.error = noError;
    this.#pool = pool;
    this.#request = request;
    this.#connection = null;
    this.#drainOwed = false;
    request.resends.beginAttempt();
    request.nameHost(pool.plan);
    const { framing, contentLength } = request;
    const nowUs = pool.resources.clock();
    this.#outgoing.begin(pool.resources.arena, writeRequestHead(request), framing, contentLength);
    this.#clocks.begin(pool.resources, request, nowUs);
    this.#phase = Phase.HELD;
    if (framing !== Framing.NONE) return;
    this.#clocks.requestWhole(nowUs);
    this.#sendBodyless(nowUs);
  }

  write(piece: Uint8Array, last: boolean): boolean {
    if (this.#phase === Phase.NONE || this.#phase === Phase.FAILING || this.#outgoing.lastWritten)
      return true;
    if (this.#phase === Phase.HELD) this.#acquireFor(last);
    else if (this.#phase === Phase.KEPT && last) this.#acquire();
    return this.#put(piece, last);
  }

  trailers(lines: string): void {
    this.#outgoing.trailers = lines;
  }

  get heldBytes(): number {
    return this.#phase === Phase.NONE ? 0 : this.#outgoing.heldBytes;
  }

  /** Reading stops within one read. */
  pauseResponse(): void {
    if (this.#phase !== Phase.OPEN) return;
    this.#clocks.isPaused = true;
    this.#connection!.pause();
  }

  resumeResponse(): void {
    if (this.#phase !== Phase.OPEN) return;
    if (this.#clocks.isPaused) this.#clocks.resumed();
    this.#connection!.resume();
  }

  /** The connection is closed, or left to others if nothing was sent on it. */
  cancel(): void {
    if (this.#phase !== Phase.NONE) this.#leave();
  }

  abandon(): void {
    const endpoint = this.#phase === Phase.OPEN ? this.#connection!.endpoint : null;
    const status = this.#request!.judged(this.status);
    if (endpoint !== null && isError(status)) this.#pool!.endpointSet.completed(endpoint, status);
    this.cancel();
  }

  expire(): void {
    if (this.#phase !== Phase.NONE && this.#phase !== Phase.FAILING) this.#timeOut(Failure.TIMEOUT);
  }

  // From the pool and the connection.

  get tried(): readonly Endpoint[] {
    return this.#request!.resends.tried;
  }

  get needsFresh(): boolean {
    return !this.#request!.resends.isIdempotent;
  }

  onQueued(): void {
    this.#phase = Phase.QUEUED;
    this.#connection = null;
    this.#clocks.queued(this.#pool!.plan.queueTimeoutMs);
  }

  onConnecting(connection: UpstreamConnection): void {
    this.#phase = Phase.CONNECTING;
    this.#connection = connection;
    this.endpoint = connection.endpoint;
  }

  /** The connection is ready, and everything that was held is sent. */
  onConnection(connection: UpstreamConnection): void {
    this.#open(connection);
    if (this.#phase === Phase.OPEN) this.#outgoing.flush(this.#connection!);
    this.#sentSome();
  }

  onNoConnection(endpoint: Endpoint, failure: Failure): void {
    this.error = endpoint.lastError;
    if (this.#request!.resends.afterNoConnection(endpoint, this.#pool!.endpoints, failure))
      this.#acquireNow();
    else this.#fail(failure);
  }

  /**
   * The owner is still within `start` or `write`, so the failure is delivered after the running callback has
   * returned.
   */
  onRefused(failure: Failure): void {
    this.#failSoon(failure);
  }

  /** The socket has written everything it held. */
  onWritten(): void {
    this.#outgoing.flush(this.#connection!);
    this.#sentSome();
  }

  /**
   * Only a request on a reused connection is kept for a second sending, and only until the first byte of its
   * response.
   */
  onLost(connection: UpstreamConnection, failure: Failure): void {
    const pool = this.#pool!;
    const { endpoint } = connection;
    if (failure === Failure.RESET && this.#outgoing.replayable && this.#request!.resends.afterLostIdle()) {
      this.#outgoing.clearOutbox(connection);
      this.#connection = null;
      this.#phase = Phase.HELD;
      this.#clocks.opened();
      pool.resources.counters.requestRetried(pool.plan);
      const next = pool.acquireNew(this, endpoint);
      if (next !== null) this.onConnection(next);
      return;
    }
    this.fault = connection.fault;
    if (failure === Failure.PROTOCOL) endpoint.lastError = plainErrors[Cause.NOT_HTTP]!;
    this.error = endpoint.lastError;
    const refused = failure === Failure.RESET && !this.headSeen && connection.exchanges === 0;
    if (refused) pool.endpointSet.refused(endpoint);
    else pool.endpointSet.failed(endpoint, endpoint.lastError);
    this.#fail(failure);
  }

  onRead(nowUs: number): void {
    this.#readUs = nowUs;
    this.#clocks.movedUs = nowUs;
    this.#outgoing.dropWire();
  }

  batch(run: () => void): void {
    this.#sink.batch(run);
  }

  // From the reader.

  onInterim(head: ResponseHead): void {
    this.#sink.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    this.firstByteUs = this.#readUs;
    this.status = head.status;
    this.headSeen = true;
    this.error = noError;
    if (asksForLogin(head)) this.#connection!.isPrivate = true;
    this.#clocks.headCame(head.framing === Framing.NONE);
    this.#pool!.endpointSet.answered(this.#connection!.endpoint);
    this.#sink.onHead(head);
  }

  onBody(bytes: Uint8Array): void {
    this.responseBytes += bytes.length;
    this.#sink.onResponseBody(bytes);
  }

  onTrailers(lines: string): void {
    this.#sink.onResponseTrailers(lines);
  }

  onEnd(): void {
    const connection = this.#connection!;
    this.endUs = this.#readUs;
    connection.requestWhole = this.#outgoing.lastWritten && this.#outgoing.drained(connection);
    this.#outgoing.clearOutbox(connection);
    if (connection.isPrivate) connection.holder = this.#request!.tie;
    connection.detach();
    this.#pool!.endpointSet.completed(connection.endpoint, this.#request!.judged(this.status));
    this.#finish();
    this.#sink.onEnd();
  }

  /** The connection is a tunnel from now on. */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.firstByteUs = this.#readUs;
    this.endUs = this.#readUs;
    this.status = head.status;
    this.headSeen = true;
    this.#outgoing.clearOutbox(this.#connection!);
    this.#pool!.endpointSet.completed(this.#connection!.endpoint, this.status);
    this.#finish();
    this.#sink.onSwitch(head, tunnel);
  }

  /** One reading of the clock, `nowUs`, serves for all that a request without a body does at once. */
  #sendBodyless(nowUs: number): void {
    this.#acquire(nowUs);
    if (this.#phase !== Phase.OPEN) return;
    this.#outgoing.flush(this.#connection!);
    this.#watchSending(nowUs);
  }

  /**
   * `#acquireFor` acquires a connection. An incomplete body must first get a place among the version's
   * uploads.
   */
  #acquireFor(last: boolean): void {
    const { uploads } = this.#pool!;
    if (last || uploads.enter(this.#upload)) {
      this.#acquire();
    } else if (this.#upload.isIn) {
      this.#phase = Phase.KEPT;
      // The client sends nothing before it gets a 100.
      if (this.#request!.expectsContinue) this.#waitReady();
    }
  }

  /**
   * `#waitReady` stops keeping more of an upload. It waits for a place, for at most the time in the pool's
   * queue.
   */
  #waitReady(): void {
    this.#clocks.queued(this.#pool!.plan.queueTimeoutMs);
    this.#pool!.uploads.ready(this.#upload);
  }

  #acquire(nowUs: number = this.#pool!.resources.clock()): void {
    const pool = this.#pool!;
    const tied = this.#request!.tie?.take(pool) ?? null;
    tied?.assign(this);
    const connection = tied ?? pool.acquire(this, nowUs);
    if (connection !== null) this.#open(connection, nowUs);
  }

  /** `#acquireNow` acquires a connection while the owner is not within `start` or `write`. */
  #acquireNow(): void {
    const connection = this.#pool!.acquire(this);
    if (connection !== null) this.onConnection(connection);
  }

  /** `#put` sends or keeps a piece of the body. It returns what `write` does. */
  #put(piece: Uint8Array, last: boolean): boolean {
    const phase = this.#phase;
    if (phase === Phase.FAILING || phase === Phase.NONE) return true;
    const outgoing = this.#outgoing;
    const put = outgoing.put(piece, last, phase === Phase.OPEN ? this.#connection : null);
    this.requestBytes = outgoing.bodyBytes;
    if (put !== Put.OK) {
      this.#failSoon(put === Put.NO_ROOM ? Failure.OVERLOADED : Failure.MALFORMED_BODY);
      return true;
    }
    if (last && this.#upload.isIn) this.#pool!.uploads.leave(this.#upload);
    // A response that has begun is not idle while its client sends.
    if (this.headSeen) this.#clocks.movedUs = this.#pool!.resources.clock();
    if (last) this.#clocks.requestWhole(this.#pool!.resources.clock());
    if (outgoing.borrows) {
      // The piece leaves with the others of this read. Until then nobody knows whether the kernel has room.
      currentRead.owe(this);
      if (last) this.#drainOwed = false;
      return !this.#drainOwed;
    }
    if (phase === Phase.OPEN) this.#flush(piece.length);
    const drained = outgoing.drained(this.#connection);
    // Once `onDrain` is owed it stays owed: a later piece of the same turn may find room, but the owner
    // already waits.
    if (last) this.#drainOwed = false;
    else if (!drained) {
      if (phase === Phase.KEPT && !this.#drainOwed) this.#waitReady();
      this.#drainOwed = true;
    }
    if (phase === Phase.OPEN) this.#watchSending();
    return drained && !this.#drainOwed;
  }

  /** `#open` begins the exchange on `connection`: the request so far goes to the outbox. */
  #open(connection: UpstreamConnection, nowUs: number = this.#pool!.resources.clock()): void {
    this.#clocks.opened();
    this.#connection = connection;
    this.#phase = Phase.OPEN;
    this.endpoint = connection.endpoint;
    this.reused = connection.exchanges > 0;
    const request = this.#request!;
    connection.begin(this, request.method === 'HEAD', request.expectsContinue, request.upgrade !== '');
    if (this.sentUs === 0) {
      this.#sink.onSent();
      if (this.#connection !== connection) return;
      this.sentUs = nowUs;
    }
    const keeps = this.reused && request.resends.mayFollowLostIdle;
    if (carriesLogin(request.fields)) connection.isPrivate = true;
    if (!this.#outgoing.open(keeps)) this.#failSoon(Failure.OVERLOADED);
  }

  /**
   * `#flush` writes what it can at once for large pieces, which often arrive several in one turn. The rest is
   * sent at the end of the turn.
   */
  #flush(pieceBytes: number): void {
    if (pieceBytes < limits.directWriteBytes) {
      this.#outgoing.flush(this.#connection!);
      return;
    }
    if (this.#outgoing.flushDirect(this.#connection!) || this.#flushingLate) return;
    this.#flushingLate = true;
    setImmediate(this.#flushLate);
  }

  /** `#sentSome` is called when the socket took some of the request. */
  #sentSome(): void {
    this.#watchSending();
    this.#reportDrained();
  }

  /**
   * `#watchSending` sets the clock for the version's next step: to take held bytes, or to answer a complete
   * request.
   */
  #watchSending(nowUs?: number): void {
    if (this.#phase !== Phase.OPEN) return;
    const clocks = this.#clocks;
    const drained = this.#outgoing.drained(this.#connection);
    if (!drained) clocks.holding();
    if (this.headSeen) return;
    if (drained && clocks.isWatchingHeld) clocks.took();
    if (drained && this.#outgoing.lastWritten) clocks.sentWhole(nowUs);
  }

  /** The current read is over, and its pieces leave. */
  settle(): void {
    if (this.#phase !== Phase.OPEN || !this.#outgoing.borrows) return;
    if (this.#outgoing.flush(this.#connection!)) this.#sentSome();
    else this.#fail(Failure.OVERLOADED);
  }

  // From the uploads of the pool.

  onUploadPlace(): void {
    this.#clocks.opened();
    this.#acquire();
    if (this.#phase !== Phase.OPEN) return;
    this.#outgoing.flush(this.#connection!);
    this.#sentSome();
  }

  /** Another call's owner may be running, so the failure is delivered after it has returned. */
  onUploadRefused(failure: Failure): void {
    this.#failSoon(failure);
  }

  // From the clocks.

  onTimeOut(): void {
    this.#timeOut(this.awaitsClient ? Failure.SLOW_CLIENT : Failure.TIMEOUT);
  }

  onQueueTimeOut(): void {
    this.#pool!.resources.counters.queueTimedOut(this.#pool!.plan);
    this.#fail(Failure.OVERLOADED);
  }

  onStalled(): void {
    if (this.awaitsClient) this.#timeOut(Failure.SLOW_CLIENT);
    else this.#timeOut(this.headSeen ? Failure.TIMEOUT : Failure.UNREAD);
  }

  /** The version has everything that the client has sent, and the client has not sent the rest. */
  get awaitsClient(): boolean {
    if (this.#outgoing.lastWritten) return false;
    if (this.#phase === Phase.HELD) return true;
    if (this.#phase === Phase.KEPT) return !this.#drainOwed;
    return this.#phase === Phase.OPEN && this.#outgoing.drained(this.#connection);
  }

  /** `#timeOut` fails the call. The endpoint is blamed only if it had to make the next step. */
  #timeOut(failure: Failure): void {
    const isBlamed = failure === Failure.UNREAD || (this.#outgoing.lastWritten && !this.headSeen);
    if (this.#phase === Phase.OPEN && isBlamed) {
      this.error = plainErrors[Cause.NO_ANSWER]!;
      this.#pool!.endpointSet.failed(this.#connection!.endpoint, this.error);
    }
    this.#fail(failure);
  }

  #reportDrained(): void {
    if (!this.#drainOwed || this.#phase !== Phase.OPEN) return;
    if (!this.#outgoing.drained(this.#connection)) return;
    this.#drainOwed = false;
    this.#sink.onDrain();
  }

  #failSoon(failure: Failure): void {
    this.#leave();
    this.#phase = Phase.FAILING;
    this.#failure = failure;
    process.nextTick(this.#deliverFailure);
  }

  #fail(failure: Failure): void {
    this.#leave();
    this.#sink.onFailure(failure);
  }

  /** `#leave` releases the connection or the place in the queue, and everything that is held. */
  #leave(): void {
    const connection = this.#connection;
    const phase = this.#phase;
    this.endUs = this.#pool!.resources.clock();
    this.#outgoing.clearOutbox(connection);
    this.#finish();
    if (phase === Phase.QUEUED) this.#pool!.leave(this);
    // A connection that is still being opened is left to the next waiter.
    if (phase !== Phase.CONNECTING && phase !== Phase.OPEN) return;
    connection!.detach();
    if (phase === Phase.OPEN) connection!.close();
  }

  #finish(): void {
    this.#phase = Phase.NONE;
    this.#connection = null;
    this.#outgoing.dropWire();
    this.#drainOwed = false;
    this.#clocks.end();
    if (this.#upload.isIn) this.#pool!.uploads.leave(this.#upload);
  }
}
