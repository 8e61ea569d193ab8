import { type Borrower, currentRead } from '../current-read.js';
import { Cause, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { asksForLogin, carriesLogin } from '../http/connection-login.js';
import { Framing } from '../http/message.js';
import { writeRequestHead } from '../http/request-writer.js';
import type { ResponseHead } from '../http/response-head.js';
import { limits } from '../limits.js';
import type { Call } from './call.js';
import type { UpstreamConnection } from './connection.js';
import { OutgoingRequest, Put } from './outgoing.js';
import { Phase, PlacedCall } from './placed-call.js';
import type { ConnectionWaiter, VersionPool } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import type { UpstreamTunnel } from './tunnel.js';
import type { UpstreamRequest } from './upstream-request.js';

/**
 * A call over HTTP/1.1, on a connection of its own. A body longer than `limits.replayBytes`, or an unfinished
 * chunked one, is not in memory and can't be sent again.
 *
 * The file is long because its user, its connection and the end of a read all change the same state.
 */
export class UpstreamCall extends PlacedCall<UpstreamConnection> implements Call, ConnectionWaiter, Borrower {
  readonly shares = false;
  /** When the latest read of the response was delivered. */
  #readUs = 0;
  readonly #outgoing = new OutgoingRequest();
  readonly #flushLate: () => void;
  #flushingLate = false;

  constructor(sink: ResponseSink) {
    super(sink, false);
    this.#flushLate = () => {
      this.#flushingLate = false;
      this.#flushAll();
    };
  }

  start(pool: VersionPool, request: UpstreamRequest): void {
    const nowUs = this.begin(pool, request);
    const { framing, contentLength } = request;
    this.#outgoing.begin(pool.resources.arena, writeRequestHead(request), framing, contentLength);
    if (framing !== Framing.NONE) return;
    this.clocks.requestWhole(nowUs);
    this.#sendBodyless(nowUs);
  }

  write(piece: Uint8Array, last: boolean): boolean {
    if (this.phase === Phase.NONE || this.phase === Phase.FAILING || this.#outgoing.lastWritten) return true;
    if (this.phase === Phase.HELD) this.acquireFor(last);
    else if (this.phase === Phase.KEPT && last) this.acquire();
    return this.#put(piece, last);
  }

  trailers(lines: string): void {
    this.#outgoing.trailers = lines;
  }

  get heldBytes(): number {
    return this.phase === Phase.NONE ? 0 : this.#outgoing.heldBytes;
  }

  /** Reading stops within one read. */
  pauseResponse(): void {
    if (this.phase !== Phase.OPEN) return;
    this.clocks.isPaused = true;
    this.connection!.pause();
  }

  resumeResponse(): void {
    if (this.phase !== Phase.OPEN) return;
    if (this.clocks.isPaused) this.clocks.resumed();
    this.connection!.resume();
  }

  // From the pool and the connection.

  get needsFresh(): boolean {
    return !this.request!.resends.isIdempotent;
  }

  /** The connection is ready, and everything that was held is sent. */
  onConnection(connection: UpstreamConnection): void {
    this.#open(connection);
    this.#flushAll();
  }

  /** The socket has written everything it held. */
  onWritten(): void {
    this.#flushAll();
  }

  /**
   * Only a request on a reused connection is kept for a second sending, and only until the first byte of its
   * response.
   */
  onLost(connection: UpstreamConnection, failure: Failure): void {
    const pool = this.pool!;
    const { endpoint } = connection;
    if (failure === Failure.RESET && this.#outgoing.replayable && this.request!.resends.afterLostIdle()) {
      this.#outgoing.clearOutbox(connection);
      this.connection = null;
      this.phase = Phase.HELD;
      this.clocks.opened();
      pool.resources.counters.requestRetried(pool.plan);
      const next = pool.acquireNew(this, endpoint);
      if (next !== null) this.onConnection(next);
      return;
    }
    const { figures } = this;
    figures.fault = connection.fault;
    if (failure === Failure.PROTOCOL) endpoint.lastError = plainErrors[Cause.NOT_HTTP]!;
    figures.error = endpoint.lastError;
    const refused = failure === Failure.RESET && !figures.headSeen && connection.exchanges === 0;
    if (refused) pool.endpointSet.refused(endpoint);
    else pool.endpointSet.failed(endpoint, endpoint.lastError);
    this.fail(failure);
  }

  onRead(nowUs: number): void {
    this.#readUs = nowUs;
    this.clocks.movedUs = nowUs;
    this.#outgoing.dropWire();
  }

  batch(run: () => void): void {
    this.sink.batch(run);
  }

  // From the reader.

  onInterim(head: ResponseHead): void {
    this.sink.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    this.figures.answered(head.status, this.#readUs);
    if (asksForLogin(head)) this.connection!.isPrivate = true;
    this.clocks.headCame(head.framing === Framing.NONE);
    this.pool!.endpointSet.answered(this.connection!.endpoint);
    this.sink.onHead(head);
  }

  onBody(bytes: Uint8Array): void {
    this.figures.responseBytes += bytes.length;
    this.sink.onResponseBody(bytes);
  }

  onTrailers(lines: string): void {
    this.sink.onResponseTrailers(lines);
  }

  onEnd(): void {
    const connection = this.connection!;
    this.figures.endUs = this.#readUs;
    connection.requestWhole = this.#outgoing.lastWritten && this.#outgoing.drained(connection);
    this.#outgoing.clearOutbox(connection);
    if (connection.isPrivate) connection.holder = this.request!.tie;
    connection.detach();
    this.pool!.endpointSet.completed(connection.endpoint, this.request!.judged(this.figures.status));
    this.finish();
    this.sink.onEnd();
  }

  /** The connection is a tunnel from now on. */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.figures.answered(head.status, this.#readUs);
    this.figures.endUs = this.#readUs;
    this.#outgoing.clearOutbox(this.connection!);
    this.pool!.endpointSet.completed(this.connection!.endpoint, head.status);
    this.finish();
    this.sink.onSwitch(head, tunnel);
  }

  /** One reading of the clock, `nowUs`, serves for all that a request without a body does at once. */
  #sendBodyless(nowUs: number): void {
    this.acquire(nowUs);
    if (this.phase !== Phase.OPEN) return;
    this.#outgoing.flush(this.connection!);
    this.watchSending(nowUs);
  }

  protected override acquire(nowUs: number = this.pool!.resources.clock()): void {
    const pool = this.pool!;
    const tied = this.request!.tie?.take(pool) ?? null;
    tied?.assign(this);
    const connection = tied ?? pool.acquire(this, nowUs);
    if (connection !== null) this.#open(connection, nowUs);
  }

  protected override acquireNow(): void {
    this.acquire();
    this.#flushAll();
  }

  #flushAll(): void {
    if (this.phase !== Phase.OPEN) return;
    this.#outgoing.flush(this.connection!);
    this.sentSome();
  }

  /** `#put` sends or keeps a piece of the body. It returns what `write` does. */
  #put(piece: Uint8Array, last: boolean): boolean {
    const phase = this.phase;
    if (phase === Phase.FAILING || phase === Phase.NONE) return true;
    const outgoing = this.#outgoing;
    const put = outgoing.put(piece, last, phase === Phase.OPEN ? this.connection : null);
    this.figures.requestBytes = outgoing.bodyBytes;
    if (put !== Put.OK) {
      this.failSoon(put === Put.NO_ROOM ? Failure.OVERLOADED : Failure.MALFORMED_BODY);
      return true;
    }
    this.arrived(last);
    // The piece leaves with the others of the current read. Until then nobody knows whether the kernel has
    // room.
    if (outgoing.borrows) currentRead.owe(this);
    else if (phase === Phase.OPEN) this.#flush(piece.length);
    return this.written(this.isDrained, last);
  }

  /** `#open` begins the exchange on `connection`: the request so far goes to the outbox. */
  #open(connection: UpstreamConnection, nowUs: number = this.pool!.resources.clock()): void {
    if (!this.opens(connection, connection.exchanges > 0, nowUs)) return;
    const request = this.request!;
    connection.begin(this, request.method === 'HEAD', request.expectsContinue, request.upgrade !== '');
    const keeps = this.figures.reused && request.resends.mayFollowLostIdle;
    if (carriesLogin(request.fields)) connection.isPrivate = true;
    if (!this.#outgoing.open(keeps)) this.failSoon(Failure.OVERLOADED);
  }

  /**
   * `#flush` writes what it can at once for large pieces, which often arrive several in one turn. The rest is
   * sent at the end of the turn.
   */
  #flush(pieceBytes: number): void {
    if (pieceBytes < limits.directWriteBytes) {
      this.#outgoing.flush(this.connection!);
      return;
    }
    if (this.#outgoing.flushDirect(this.connection!) || this.#flushingLate) return;
    this.#flushingLate = true;
    setImmediate(this.#flushLate);
  }

  /** The current read is over, and its pieces leave. */
  settle(): void {
    if (this.phase !== Phase.OPEN || !this.#outgoing.borrows) return;
    if (this.#outgoing.flush(this.connection!)) this.sentSome();
    else this.fail(Failure.OVERLOADED);
  }

  // For the base.

  protected override get lastWritten(): boolean {
    return this.#outgoing.lastWritten;
  }

  /** Pieces of the current read count as taken, until it is over. */
  protected override get isDrained(): boolean {
    return this.#outgoing.borrows || this.#outgoing.drained(this.connection);
  }

  protected override get isUpload(): boolean {
    return true;
  }

  protected override leave(): void {
    const { connection, phase } = this;
    this.figures.endUs = this.pool!.resources.clock();
    this.#outgoing.clearOutbox(connection);
    this.finish();
    if (phase === Phase.QUEUED) this.pool!.leave(this);
    // A connection that is still being opened is left to the next waiter.
    if (phase !== Phase.CONNECTING && phase !== Phase.OPEN) return;
    connection?.detach();
    if (phase === Phase.OPEN) connection!.close();
  }

  protected override finish(): void {
    super.finish();
    this.#outgoing.dropWire();
  }
}
