import { Cause, type EndpointError, noError, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { Framing } from '../http/message.js';
import { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { ErrorCode, errorName } from '../http2/error-code.js';
import { Sent } from '../http2/sender.js';
import { Bit, type Stream } from '../http2/stream.js';
import { limits } from '../limits.js';
import type { Call } from './call.js';
import { CallClocks, type ClockOwner } from './call-clocks.js';
import { isError } from './ejection.js';
import type { Endpoint } from './endpoint.js';
import { KeptBody } from './kept-body.js';
import type { MultiplexedConnection } from './multiplexed-connection.js';
import type { StreamWaiter, VersionPool, Waiter } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import { type UploadOwner, UploadPlace } from './uploads.js';
import type { UpstreamRequest } from './upstream-request.js';

/** The phases of a call, as in `UpstreamCall`. */
const Phase = {
  NONE: 0,
  /** The head waits for the first piece of the body. */
  HELD: 1,
  /** In the pool's queue. */
  QUEUED: 2,
  /** The connection that the call will use is being opened. */
  CONNECTING: 3,
  /** The call has a stream. */
  OPEN: 4,
  /** A failure waits to be delivered. */
  FAILING: 5,
  /** The body is incomplete, and the version has as many such requests as allowed (core/upstream/uploads). */
  KEPT: 6,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const CONTINUE = 100;
const noBytes = Buffer.alloc(0);

/** Begins the request of a call again over HTTP/1.1, and returns the call that carries it. */
export type OverHttp1 = (pool: VersionPool, request: UpstreamRequest) => Call;

/**
 * A call over HTTP/2, on a stream of a connection that it shares with others. What is kept of a body (up to
 * `limits.replayBytes`, until the response begins) is sent again when the endpoint has not processed the
 * request.
 *
 * The file is long because a call is one state machine: its user, its stream and its clocks all change the
 * same phases.
 */
export class Http2Call implements Call, StreamWaiter, ClockOwner, UploadOwner {
  sentUs = 0;
  firstByteUs = 0;
  endUs = 0;
  status = 0;
  responseBytes = 0;
  requestBytes = 0;
  endpoint: Endpoint | null = null;
  headSeen = false;
  readonly http2 = true;
  reused = false;
  fault: ResponseFault = ResponseFault.NONE;
  error: EndpointError = noError;

  readonly shares = true;
  // Only the pool's queue uses these.
  nextWaiter: Waiter | null = null;
  previousWaiter: Waiter | null = null;

  readonly #sink: ResponseSink;
  readonly #overHttp1: OverHttp1;
  #phase: Phase = Phase.NONE;
  #pool: VersionPool | null = null;
  #request: UpstreamRequest | null = null;
  #connection: MultiplexedConnection | null = null;
  #stream: Stream | null = null;
  /** The call that took over when the endpoint turned out to speak HTTP/1.1. */
  #successor: Call | null = null;
  readonly #body = new KeptBody();
  /** The whole body so far is in `#body`, and stays there for a second sending. */
  #keeps = false;
  #lastWritten = false;
  #trailers = '';
  /** `write` returned false, so `onDrain` must follow. */
  #drainOwed = false;
  /** When the stream was opened. */
  #openedUs = 0;
  /** The owner is within `write`. */
  #isWriting = false;
  #failure: Failure = Failure.ABORTED;
  readonly #clocks = new CallClocks(this);
  readonly #upload = new UploadPlace(this);
  readonly #deliverFailure: () => void;
  // An event of the stream on its way to the sink, within the sink's batch. Bound once, as the pieces of a
  // response must create no closure.
  #head: ResponseHead | null = null;
  #piece: Uint8Array = noBytes;
  #isLast = false;
  readonly #passHead = () => this.#sink.onHead(this.#head!);
  readonly #passPiece = () => this.#passOn();

  constructor(sink: ResponseSink, overHttp1: OverHttp1) {
    this.#sink = sink;
    this.#overHttp1 = overHttp1;
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
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
    this.#stream = null;
    this.#successor = null;
    this.#body.begin(pool.resources.held);
    this.#keeps = request.framing !== Framing.LENGTH || request.contentLength <= limits.replayBytes;
    this.#lastWritten = request.framing === Framing.NONE;
    this.#trailers = '';
    this.#drainOwed = false;
    request.resends.beginAttempt();
    request.nameHost(pool.plan);
    const nowUs = pool.resources.clock();
    this.#clocks.begin(pool.resources, request, nowUs);
    this.#phase = Phase.HELD;
    if (!this.#lastWritten) return;
    this.#clocks.requestWhole(nowUs);
    this.#acquire();
  }

  write(piece: Uint8Array, last: boolean): boolean {
    if (this.#phase === Phase.NONE || this.#phase === Phase.FAILING || this.#lastWritten) return true;
    if (this.#phase === Phase.HELD || (this.#phase === Phase.KEPT && last)) {
      this.#isWriting = true;
      if (this.#phase === Phase.HELD) this.#acquireFor(last);
      else this.#acquire();
      this.#isWriting = false;
    }
    return this.#successor === null ? this.#put(piece, last) : this.#successor.write(piece, last);
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  get heldBytes(): number {
    if (this.#phase === Phase.NONE) return 0;
    return this.#body.bytes + (this.#stream?.heldBytes ?? 0);
  }

  /** What the window of the stream still allows is delivered: at most `limits.http2StreamWindowBytes`. */
  pauseResponse(): void {
    if (this.#phase !== Phase.OPEN) return;
    this.#clocks.isPaused = true;
    this.#connection!.session.pause(this.#stream!);
  }

  resumeResponse(): void {
    if (this.#phase !== Phase.OPEN) return;
    if (this.#clocks.isPaused) this.#clocks.resumed();
    this.#connection!.session.resume(this.#stream!);
  }

  cancel(): void {
    if (this.#phase !== Phase.NONE) this.#leave();
  }

  abandon(): void {
    const status = this.#request!.judged(this.status);
    if (this.#phase === Phase.OPEN && isError(status))
      this.#pool!.endpointSet.completed(this.#connection!.endpoint, status);
    this.cancel();
  }

  expire(): void {
    if (this.#phase !== Phase.NONE && this.#phase !== Phase.FAILING) this.#timeOut(Failure.TIMEOUT);
  }

  // From the pool and the connection.

  get tried(): readonly Endpoint[] {
    return this.#request!.resends.tried;
  }

  onQueued(): void {
    this.#phase = Phase.QUEUED;
    this.#connection = null;
    this.#clocks.queued(this.#pool!.plan.queueTimeoutMs);
  }

  onConnecting(connection: MultiplexedConnection): void {
    this.#clocks.opened();
    this.#phase = Phase.CONNECTING;
    this.#connection = connection;
    this.endpoint = connection.endpoint;
  }

  onPlace(connection: MultiplexedConnection): void {
    this.#open(connection);
    this.#sentSome();
  }

  onNoPlace(): void {
    this.#connection = null;
    this.#acquireNow();
  }

  onNoConnection(endpoint: Endpoint, failure: Failure): void {
    this.#connection = null;
    this.error = endpoint.lastError;
    if (this.#request!.resends.afterNoConnection(endpoint, this.#pool!.endpoints, failure))
      this.#acquireNow();
    else this.#fail(failure);
  }

  /** The owner is still within `start` or `write`. */
  onRefused(failure: Failure): void {
    this.#failSoon(failure);
  }

  onHttp1(): void {
    const pieces = [...this.#body.pieces];
    const last = this.#lastWritten;
    const owesDrain = this.#drainOwed && !last;
    const request = this.#request!;
    this.#finish();
    const call = this.#overHttp1(this.#pool!, request);
    this.#successor = call;
    if (request.framing === Framing.NONE) return;
    if (this.#trailers !== '') call.trailers(this.#trailers);
    // The piece that is being written follows.
    if (!this.#isWriting && pieces.length === 0) pieces.push(noBytes);
    let isFlowing = true;
    for (let i = 0; i < pieces.length; i++)
      isFlowing = call.write(pieces[i]!, last && i === pieces.length - 1);
    if (owesDrain && isFlowing) this.#sink.onDrain();
  }

  // From the session.

  onInterim(head: ResponseHead): void {
    this.#responds();
    if (head.status !== CONTINUE || this.#request!.expectsContinue) this.#sink.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    const connection = this.#connection!;
    this.#responds();
    this.firstByteUs = connection.readUs;
    this.status = head.status;
    this.headSeen = true;
    this.error = noError;
    this.#clocks.headCame(head.framing === Framing.NONE);
    connection.answered();
    this.#head = head;
    this.#sink.batch(this.#passHead);
    this.#head = null;
  }

  onData(piece: Uint8Array, last: boolean): void {
    this.#clocks.movedUs = this.#connection!.readUs;
    this.responseBytes += piece.length;
    this.#piece = piece;
    this.#isLast = last;
    this.#sink.batch(this.#passPiece);
    this.#piece = noBytes;
  }

  onTrailers(lines: string): void {
    this.#sink.onResponseTrailers(lines);
  }

  /** All bytes of the request that waited for a window or the socket are on their way. */
  onWritable(): void {
    this.#sentSome();
  }

  onReset(code: ErrorCode, unprocessed: boolean): void {
    const connection = this.#connection!;
    const stream = this.#stream!;
    const { endpoint } = connection;
    const { resends } = this.#request!;
    const isLost = connection.session.isOver && !unprocessed;
    this.#stream = null;
    if (unprocessed && this.#keeps && resends.afterUnprocessed()) {
      this.#sendAgain();
      return;
    }
    if (isLost && connection.lostFor !== Failure.PROTOCOL && this.#isReplayable && resends.afterLostIdle()) {
      this.#sendAgain();
      return;
    }
    if (isLost) {
      // The connection has counted its own loss.
      this.error = endpoint.lastError;
      this.#fail(connection.lostFor);
      return;
    }
    const isBroken = stream.has(Bit.BROKEN);
    this.error = isBroken
      ? plainErrors[Cause.NOT_HTTP]!
      : { cause: Cause.STREAM_RESET, errno: errorName(code) };
    this.#pool!.endpointSet.failed(endpoint, this.error);
    this.#fail(isBroken || code === ErrorCode.HTTP_1_1_REQUIRED ? Failure.PROTOCOL : Failure.RESET);
  }

  // From the uploads of the pool.

  onUploadPlace(): void {
    this.#clocks.opened();
    this.#acquireNow();
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
    const stream = this.#stream;
    // Frames of the stream may have left between those of others.
    if (stream !== null && stream.blockedSinceUs > this.#clocks.movedUs) {
      this.#clocks.movedAt(stream.blockedSinceUs);
    } else if (this.awaitsClient) this.#timeOut(Failure.SLOW_CLIENT);
    else this.#timeOut(this.headSeen ? Failure.TIMEOUT : Failure.UNREAD);
  }

  /** The version has everything that the client has sent, and the client has not sent the rest. */
  get awaitsClient(): boolean {
    if (this.#lastWritten) return false;
    if (this.#phase === Phase.HELD) return true;
    if (this.#phase === Phase.KEPT) return !this.#drainOwed;
    return this.#phase === Phase.OPEN && this.#isDrained;
  }

  /** No bytes of the request wait for a window. */
  get #isDrained(): boolean {
    return this.#stream!.heldBytes === 0;
  }

  /** The request is complete in memory and may be sent on a new connection. The end of a body is known. */
  get #isReplayable(): boolean {
    return this.#keeps && this.reused && (this.#lastWritten || this.#request!.framing === Framing.LENGTH);
  }

  /**
   * `#acquireFor` acquires a stream. An incomplete body must first get a place among the version's uploads,
   * unless it is that of a gRPC call: its client may be silent for as long as it likes, and holds a stream
   * rather than a connection.
   */
  #acquireFor(last: boolean): void {
    const { uploads } = this.#pool!;
    if (last || this.#request!.grpc !== null || uploads.enter(this.#upload)) {
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

  #acquire(): void {
    const connection = this.#pool!.acquireStream(this);
    if (connection === null) return;
    this.#open(connection);
    this.#watchSending();
  }

  /** `#acquireNow` acquires a stream while the owner is not within `start` or `write`. */
  #acquireNow(): void {
    const connection = this.#pool!.acquireStream(this);
    if (connection !== null) this.onPlace(connection);
  }

  /** `#open` opens the stream, and sends what is kept of the body. */
  #open(connection: MultiplexedConnection): void {
    const request = this.#request!;
    this.#clocks.opened();
    this.#connection = connection;
    this.#phase = Phase.OPEN;
    this.endpoint = connection.endpoint;
    this.reused = connection.exchanges > 0;
    if (this.sentUs === 0) {
      this.#sink.onSent();
      if (this.#connection !== connection) return;
      this.sentUs = this.#pool!.resources.clock();
    }
    const stream = connection.open(this, request);
    this.#stream = stream;
    this.#openedUs = stream.receivedUs;
    const { pieces, bytes } = this.#body;
    if (request.framing === Framing.NONE) return;
    for (let i = 0; i < pieces.length; i++)
      if (!this.#send(pieces[i]!, this.#lastWritten && i === pieces.length - 1) && this.#stream !== stream)
        return;
    if (this.#lastWritten && pieces.length === 0) this.#send(noBytes, true);
    if (!this.#keeps || bytes > limits.replayBytes) this.#keepNoMore();
  }

  /** `#put` sends or keeps a piece of the body. It returns what `write` does. */
  #put(piece: Uint8Array, last: boolean): boolean {
    if (this.#phase === Phase.FAILING || this.#phase === Phase.NONE) return true;
    this.requestBytes += piece.length;
    this.#lastWritten = last;
    if (this.#request!.framing === Framing.LENGTH && this.#missesLength) {
      this.#failSoon(Failure.MALFORMED_BODY);
      return true;
    }
    if (last && this.#upload.isIn) this.#pool!.uploads.leave(this.#upload);
    // A response that has begun is not idle while its client sends.
    if (this.headSeen) this.#clocks.movedUs = this.#pool!.resources.clock();
    const isFlowing = this.#phase === Phase.OPEN ? this.#sendNext(piece, last) : this.#keep(piece);
    // A failure may have been found, and is about to be delivered.
    if (this.#hasFailed) return true;
    // Once `onDrain` is owed it stays owed: a later piece of the same turn may find room, but the owner
    // already waits.
    if (last) {
      this.#drainOwed = false;
      this.#clocks.requestWhole(this.#pool!.resources.clock());
    } else if (!isFlowing) {
      if (this.#phase === Phase.KEPT && !this.#drainOwed) this.#waitReady();
      this.#drainOwed = true;
    }
    this.#watchSending();
    return isFlowing && !this.#drainOwed;
  }

  get #hasFailed(): boolean {
    return this.#phase === Phase.FAILING;
  }

  get #missesLength(): boolean {
    const { contentLength } = this.#request!;
    return this.#lastWritten ? this.requestBytes !== contentLength : this.requestBytes > contentLength;
  }

  /** `#keep` keeps a piece for a stream to come. False: enough is kept. */
  #keep(piece: Uint8Array): boolean {
    if (this.#body.add(piece, limits.heldBodyBytes)) return this.#body.bytes <= limits.replayBytes;
    this.#failSoon(Failure.OVERLOADED);
    return true;
  }

  #sendNext(piece: Uint8Array, last: boolean): boolean {
    if (this.#keeps && !this.#body.add(piece, limits.replayBytes)) this.#keepNoMore();
    return this.#send(piece, last);
  }

  /** `#send` returns false when some of the piece waits for a window, or the call has failed. */
  #send(piece: Uint8Array, last: boolean): boolean {
    const { session } = this.#connection!;
    const stream = this.#stream!;
    const endsWithTrailers = last && this.#trailers !== '';
    const sent = session.write(stream, piece, last && !endsWithTrailers);
    if (sent === Sent.REFUSED) {
      this.#failSoon(Failure.OVERLOADED);
      return false;
    }
    if (endsWithTrailers) session.writeTrailers(stream, this.#trailers);
    return last || sent === Sent.OK;
  }

  #keepNoMore(): void {
    this.#keeps = false;
    this.#body.clear();
  }

  /** `#responds` is called when any part of a response arrives: the request is then not sent again. */
  #responds(): void {
    if (this.#keeps) this.#keepNoMore();
    this.#clocks.movedUs = this.#connection!.readUs;
  }

  #sendAgain(): void {
    const pool = this.#pool!;
    this.#connection = null;
    this.#phase = Phase.HELD;
    this.#clocks.opened();
    pool.resources.counters.requestRetried(pool.plan);
    this.#acquireNow();
  }

  /** `#sentSome` is called when the connection took some of the request. */
  #sentSome(): void {
    this.#watchSending();
    if (!this.#drainOwed || this.#phase !== Phase.OPEN || !this.#isDrained) return;
    this.#drainOwed = false;
    this.#sink.onDrain();
  }

  /**
   * `#watchSending` sets the clock for the version's next step: to take held bytes, or to answer a complete
   * request.
   */
  #watchSending(): void {
    if (this.#phase !== Phase.OPEN) return;
    const clocks = this.#clocks;
    const isDrained = this.#isDrained;
    if (!isDrained) clocks.holding();
    if (this.headSeen) return;
    if (isDrained && clocks.isWatchingHeld) clocks.took();
    if (isDrained && this.#lastWritten) clocks.sentWhole();
  }

  #passOn(): void {
    const stream = this.#stream;
    if (this.#piece.length > 0) this.#sink.onResponseBody(this.#piece);
    if (this.#isLast && this.#stream === stream) this.#end();
  }

  /** `#end` is called when the response is complete. What the request still lacks is not sent. */
  #end(): void {
    const connection = this.#connection!;
    const stream = this.#stream!;
    this.endUs = connection.readUs;
    if (!stream.has(Bit.ENDED)) connection.session.reset(stream, ErrorCode.NO_ERROR);
    this.#pool!.endpointSet.completed(connection.endpoint, this.#request!.judged(this.status));
    this.#finish();
    this.#sink.onEnd();
  }

  /** `#timeOut` fails the call. The endpoint is blamed only if it had to make the next step. */
  #timeOut(failure: Failure): void {
    const connection = this.#connection;
    if (this.#phase === Phase.OPEN && connection !== null) {
      const isBlamed = failure === Failure.UNREAD || (this.#lastWritten && !this.headSeen);
      if (isBlamed) {
        this.error = plainErrors[Cause.NO_ANSWER]!;
        this.#pool!.endpointSet.failed(connection.endpoint, this.error);
      }
      connection.doubt(this.#openedUs);
    }
    this.#fail(failure);
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

  /** `#leave` ends the stream or leaves the place in a queue, and drops everything that is held. */
  #leave(): void {
    const connection = this.#connection;
    const stream = this.#stream;
    const phase = this.#phase;
    this.endUs = this.#pool!.resources.clock();
    this.#finish();
    if (phase === Phase.QUEUED) this.#pool!.leave(this);
    else if (phase === Phase.CONNECTING) connection?.leave(this);
    else if (stream !== null) connection!.session.reset(stream, ErrorCode.CANCEL);
  }

  #finish(): void {
    this.#phase = Phase.NONE;
    this.#connection = null;
    this.#stream = null;
    this.#body.clear();
    this.#drainOwed = false;
    this.#clocks.end();
    if (this.#upload.isIn) this.#pool!.uploads.leave(this.#upload);
  }
}
