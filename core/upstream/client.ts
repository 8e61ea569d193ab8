import { Failure } from '../errors.js';
import { Framing } from '../http/message.js';
import { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import type { ReaderSink } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { ResponseSink } from './call.js';
import type { UpstreamConnection } from './connection.js';
import { Deadline } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import { OutgoingRequest, Put } from './outgoing.js';
import type { VersionPool } from './pool.js';
import type { UpstreamTunnel } from './tunnel.js';
import { saysUnable } from './verdict.js';

/**
 *   NONE --start--> HELD --write--> QUEUED or CONNECTING --connection--> OPEN --onEnd, onFailure--> NONE
 * A request without a body skips HELD; an idle connection skips the third; from each a failure found within
 * a call of the owner goes to FAILING until the owner has returned.
 */
const Phase = {
  /** Nothing is under way; the figures of the last exchange stand. */
  NONE: 0,
  /** The head waits for the first piece of the body. */
  HELD: 1,
  /** In the pool's queue. */
  QUEUED: 2,
  /** A connection is being opened for this call. */
  CONNECTING: 3,
  /** On a connection: the request is on its way, or the response is. */
  OPEN: 4,
  /** A failure waits for its delivery. */
  FAILING: 5,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * One request to a version and its response, for the proxy (primary) and the shadow thread (shadow) alike.
 * The object is reused: `start` again after `onEnd`, `onFailure` or `cancel`. It belongs to the thread of its
 * pool. The sink is never called from within `start` or `write`, with the exception of `onSent`.
 *
 * A request goes out a second time in one case only: its connection was a reused one that died before any
 * byte of a response came, and all that was sent is still at hand (RFC 9112, section 9.3.1: the upstream
 * closed the connection while it looked idle). A body longer than `limits.replayBytes`, or a chunked one that
 * has not ended, is never sent twice.
 */
export class UpstreamCall implements ReaderSink {
  // Figures of the exchange, valid until the next `start`. Times are on the process-wide time line; 0: not yet.
  /** When the first byte of the request was about to go to a socket. */
  sentUs = 0;
  /** When the read that completed the final response's head began to be delivered; interim responses do not count. */
  firstByteUs = 0;
  /** When the last byte of the response was read, or the exchange failed. */
  endUs = 0;
  /** Of the final response, once `headSeen`. */
  status = 0;
  /** The response's body without framing. */
  responseBytes = 0;
  /** The request's body without framing, as far as the owner has written it. */
  requestBytes = 0;
  /** Whom the request was sent to, or was to be. */
  endpoint: Endpoint | null = null;
  headSeen = false;
  /** The connection had carried an exchange before. */
  reused = false;
  /** With failure `protocol`: which rule the response broke. */
  fault: ResponseFault = ResponseFault.NONE;

  // For the pool alone: its queue, and the endpoints whose connect failed for this call.
  nextWaiter: UpstreamCall | null = null;
  previousWaiter: UpstreamCall | null = null;
  readonly triedEndpoints: Endpoint[] = [];

  readonly #sink: ResponseSink;
  #phase: Phase = Phase.NONE;
  #pool: VersionPool | null = null;
  #connection: UpstreamConnection | null = null;
  #toHead = false;
  #upgrades = false;
  #wantsContinue = false;
  /** `write` returned false: `onDrain` is owed. */
  #drainOwed = false;
  #retried = false;
  /** When the latest read of the response was delivered. */
  #readUs = 0;
  readonly #request = new OutgoingRequest();
  #failure: Failure = Failure.ABORTED;
  readonly #deadline: Deadline;
  /** Of what the exchange waits for now: a connection in the queue, or the head of its response. */
  readonly #stageDeadline: Deadline;
  #firstByteTimeoutMs = 0;
  readonly #deliverFailure: () => void;
  readonly #flushLate: () => void;
  #flushingLate = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#deadline = new Deadline(() => this.#timeOut());
    this.#stageDeadline = new Deadline(() => this.#stageOver());
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
    };
    this.#flushLate = () => {
      this.#flushingLate = false;
      if (this.#phase === Phase.OPEN) this.#request.flush(this.#connection!);
      this.#sentSome();
    };
  }

  /**
   * Sends a request. `head` is a wire string ending in the empty line. With `Framing.NONE` it goes out at once;
   * else it is held until the first `write`, which the owner owes in this turn of the loop, and goes out with it.
   * `timeoutMs` bounds the whole exchange, the wait for a connection included. A failure that is found at once
   * (no endpoint, a full queue) is delivered after the running callback has returned. `upgrades`: the head asks for
   * another protocol, without a body, and the sink takes `onSwitch`. `wantsContinue`: the head asks for a 100, which the
   * sink takes as an interim response. `firstByteTimeoutMs` bounds the time from when
   * the kernel has the last byte of the request to the head of the response; 0: only `timeoutMs` does.
   */
  start(
    pool: VersionPool,
    head: string,
    method: string,
    framing: Framing,
    contentLength: number,
    timeoutMs: number,
    upgrades = false,
    wantsContinue = false,
    firstByteTimeoutMs = 0,
  ): void {
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
    if (this.triedEndpoints.length > 0) this.triedEndpoints.length = 0;
    this.#pool = pool;
    this.#connection = null;
    this.#toHead = method === 'HEAD';
    this.#upgrades = upgrades;
    this.#wantsContinue = wantsContinue;
    this.#drainOwed = false;
    this.#retried = false;
    this.#firstByteTimeoutMs = firstByteTimeoutMs;
    this.#request.begin(pool.resources.arena, head, framing, contentLength);
    pool.resources.deadlines.set(this.#deadline, timeoutMs, pool.resources.clock());
    this.#phase = Phase.HELD;
    if (framing === Framing.NONE) this.#sendBodyless();
  }

  /**
   * The next piece of the request's body; it is copied or sent before this returns. `last`: the body is complete.
   * False: hold back until `onDrain`. What comes nevertheless is kept up to `limits.heldBodyBytes`, beyond which
   * the call fails with `overloaded`. A body that is longer or shorter than its Content-Length fails with
   * `aborted`: the request can't be completed. After the call is over, pieces are ignored and true is returned.
   */
  write(piece: Uint8Array, last: boolean): boolean {
    if (this.#phase === Phase.NONE || this.#phase === Phase.FAILING || this.#request.lastWritten) return true;
    if (this.#phase === Phase.HELD) this.#acquire();
    return this.#put(piece, last);
  }

  /** The trailers of a chunked body: whole field lines, a wire string. The last `write` must follow. */
  trailers(lines: string): void {
    this.#request.trailers = lines;
  }

  /** Bytes of the request that are kept: for a connection, for an upstream that does not read, or for a second sending. */
  get heldBytes(): number {
    return this.#phase === Phase.NONE ? 0 : this.#request.heldBytes;
  }

  /** Backpressure from the client: reading stops within one read. The timeout keeps running. */
  pauseResponse(): void {
    if (this.#phase === Phase.OPEN) this.#connection!.pause();
  }

  resumeResponse(): void {
    if (this.#phase === Phase.OPEN) this.#connection!.resume();
  }

  /** No more events. The connection is closed, or left to others if nothing was sent on it. */
  cancel(): void {
    if (this.#phase !== Phase.NONE) this.#leave();
  }

  /** As `cancel`, once the head of a response is there: what it says of its endpoint counts. */
  abandon(): void {
    if (this.#phase === Phase.OPEN && saysUnable(this.status)) this.#pool!.failed(this.#connection!.endpoint);
    this.cancel();
  }

  /** The time that its owner gives it is over: fails with `timeout`, within this call. Nothing happens where nothing is under way. */
  expire(): void {
    if (this.#phase !== Phase.NONE && this.#phase !== Phase.FAILING) this.#timeOut();
  }

  // From the pool and the connection.

  onQueued(): void {
    this.#phase = Phase.QUEUED;
    this.#connection = null;
    const { deadlines, clock } = this.#pool!.resources;
    deadlines.set(this.#stageDeadline, this.#pool!.plan.queueTimeoutMs, clock());
  }

  onConnecting(connection: UpstreamConnection): void {
    this.#phase = Phase.CONNECTING;
    this.#connection = connection;
    this.endpoint = connection.endpoint;
  }

  /** A connection is there: all that was held goes out. */
  onConnection(connection: UpstreamConnection): void {
    this.#open(connection);
    if (this.#phase === Phase.OPEN) this.#request.flush(this.#connection!);
    this.#sentSome();
  }

  /** The last endpoint that was tried failed so. */
  onConnectFailed(failure: Failure): void {
    this.#fail(failure);
  }

  /** Fails after the running callback has returned: the owner is still within `start` or `write`. */
  failSoon(failure: Failure): void {
    this.#leave();
    this.#phase = Phase.FAILING;
    this.#failure = failure;
    process.nextTick(this.#deliverFailure);
  }

  /** The socket has written all that it held. */
  onWritten(): void {
    this.#request.onWritten(this.#connection!);
    this.#sentSome();
  }

  /** The connection died or its bytes made no sense; it is closed and forgotten. */
  onLost(connection: UpstreamConnection, failure: Failure): void {
    if (failure === Failure.RESET && this.#request.replayable) {
      this.#retried = true;
      this.#request.clearOutbox(connection);
      this.#connection = null;
      this.#phase = Phase.HELD;
      this.#pool!.resources.deadlines.clear(this.#stageDeadline);
      this.#pool!.renew(this, connection.endpoint);
    } else {
      this.fault = connection.fault;
      if (failure === Failure.RESET && !this.headSeen && connection.exchanges === 0) {
        this.#pool!.refused(connection.endpoint);
      } else {
        this.#pool!.failed(connection.endpoint);
      }
      this.#fail(failure);
    }
  }

  /** Bytes of the response were read and are about to be delivered. */
  onRead(): void {
    this.#readUs = this.#pool!.resources.clock();
    this.#request.forgetWire();
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
    this.#pool!.resources.deadlines.clear(this.#stageDeadline);
    this.#pool!.answered(this.#connection!.endpoint);
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
    connection.requestWhole = this.#request.lastWritten && this.#request.drained(connection);
    this.#request.clearOutbox(connection);
    connection.detach();
    if (saysUnable(this.status)) this.#pool!.failed(connection.endpoint);
    else this.#pool!.succeeded(connection.endpoint);
    this.#finish();
    this.#sink.onEnd();
  }

  /** From the connection, which is a tunnel from here on. */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.firstByteUs = this.#readUs;
    this.endUs = this.#readUs;
    this.status = head.status;
    this.headSeen = true;
    this.#request.clearOutbox(this.#connection!);
    this.#pool!.succeeded(this.#connection!.endpoint);
    this.#finish();
    this.#sink.onSwitch(head, tunnel);
  }

  #sendBodyless(): void {
    this.#acquire();
    if (this.#phase !== Phase.OPEN) return;
    this.#request.flush(this.#connection!);
    if (this.#firstByteTimeoutMs > 0) this.#watchFirstByte();
  }

  #acquire(): void {
    const connection = this.#pool!.acquire(this);
    if (connection !== null) this.#open(connection);
  }

  /** Takes a piece of the body as far as it will go now. Returns what `write` does. */
  #put(piece: Uint8Array, last: boolean): boolean {
    const phase = this.#phase;
    if (phase === Phase.FAILING || phase === Phase.NONE) return true;
    const request = this.#request;
    const put = request.put(piece, last, phase === Phase.OPEN ? this.#connection : null);
    this.requestBytes = request.bodyBytes;
    if (put !== Put.OK) {
      this.failSoon(put === Put.NO_ROOM ? Failure.OVERLOADED : Failure.ABORTED);
      return true;
    }
    if (phase === Phase.OPEN) this.#flush(piece.length);
    const drained = request.drained(this.#connection);
    // Once owed it stays owed: a later piece of the same turn may find room, but the owner already waits.
    if (last) this.#drainOwed = false;
    else if (!drained) this.#drainOwed = true;
    if (this.#firstByteTimeoutMs > 0) this.#watchFirstByte();
    return drained && !this.#drainOwed;
  }

  /** The exchange begins on `connection`: what is at hand is put into the outbox. */
  #open(connection: UpstreamConnection): void {
    if (this.#phase === Phase.QUEUED) this.#pool!.resources.deadlines.clear(this.#stageDeadline);
    this.#connection = connection;
    this.#phase = Phase.OPEN;
    this.endpoint = connection.endpoint;
    this.reused = connection.exchanges > 0;
    connection.begin(this, this.#toHead, this.#wantsContinue, this.#upgrades);
    if (this.sentUs === 0) {
      this.#sink.onSent();
      if (this.#connection !== connection) return;
      this.sentUs = this.#pool!.resources.clock();
    }
    if (!this.#request.open(this.reused && !this.#retried)) this.failSoon(Failure.OVERLOADED);
  }

  /** Large pieces tend to come several in one turn: they are written at once as far as they go, the rest when the turn is over. */
  #flush(pieceBytes: number): void {
    if (pieceBytes < limits.directWriteBytes) {
      this.#request.flush(this.#connection!);
      return;
    }
    if (this.#request.flushDirect(this.#connection!) || this.#flushingLate) return;
    this.#flushingLate = true;
    setImmediate(this.#flushLate);
  }

  /** The socket took some of the request. */
  #sentSome(): void {
    if (this.#firstByteTimeoutMs > 0) this.#watchFirstByte();
    this.#tellDrained();
  }

  /** Once the kernel has all of the request, the head of the response is awaited. */
  #watchFirstByte(): void {
    if (this.#phase !== Phase.OPEN || this.headSeen || this.#stageDeadline.previous !== null) return;
    if (!this.#request.lastWritten || !this.#request.drained(this.#connection)) return;
    const { deadlines, clock } = this.#pool!.resources;
    deadlines.set(this.#stageDeadline, this.#firstByteTimeoutMs, clock());
  }

  #stageOver(): void {
    if (this.#phase !== Phase.QUEUED) {
      this.#timeOut();
      return;
    }
    this.#pool!.resources.counters.queueTimedOut(this.#pool!.plan);
    this.#fail(Failure.OVERLOADED);
  }

  /** The endpoint is to blame only if it had the whole request and has said nothing. */
  #timeOut(): void {
    const blamed = this.#phase === Phase.OPEN && this.#request.lastWritten && !this.headSeen;
    if (blamed) this.#pool!.failed(this.#connection!.endpoint);
    this.#fail(Failure.TIMEOUT);
  }

  #tellDrained(): void {
    if (!this.#drainOwed || this.#phase !== Phase.OPEN) return;
    if (!this.#request.drained(this.#connection)) return;
    this.#drainOwed = false;
    this.#sink.onDrain();
  }

  #fail(failure: Failure): void {
    this.#leave();
    this.#sink.onFailure(failure);
  }

  /** Gives back the connection, or the place in the queue, and everything that is held. */
  #leave(): void {
    const connection = this.#connection;
    const phase = this.#phase;
    this.endUs = this.#pool!.resources.clock();
    this.#request.clearOutbox(connection);
    this.#finish();
    if (phase === Phase.QUEUED) this.#pool!.leave(this);
    // A connection that is still being opened is left to whoever comes next.
    if (phase !== Phase.CONNECTING && phase !== Phase.OPEN) return;
    connection!.detach();
    if (phase === Phase.OPEN) connection!.close();
  }

  #finish(): void {
    this.#phase = Phase.NONE;
    this.#connection = null;
    this.#request.forgetWire();
    this.#drainOwed = false;
    const { deadlines } = this.#pool!.resources;
    deadlines.clear(this.#deadline);
    deadlines.clear(this.#stageDeadline);
  }
}
