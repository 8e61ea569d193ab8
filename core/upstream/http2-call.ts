import { Cause, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { Framing } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { ErrorCode, errorName } from '../http2/error-code.js';
import { Sent } from '../http2/sender.js';
import { Bit, type Stream } from '../http2/stream.js';
import { limits } from '../limits.js';
import type { Call } from './call.js';
import { KeptBody } from './kept-body.js';
import type { MultiplexedConnection } from './multiplexed-connection.js';
import { Phase, PlacedCall } from './placed-call.js';
import type { StreamWaiter, VersionPool } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import type { UpstreamRequest } from './upstream-request.js';

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
export class Http2Call extends PlacedCall<MultiplexedConnection> implements Call, StreamWaiter {
  readonly shares = true;
  readonly #overHttp1: OverHttp1;
  #stream: Stream | null = null;
  /** The call that took over when the endpoint turned out to speak HTTP/1.1. */
  #successor: Call | null = null;
  readonly #body = new KeptBody();
  /** The whole body so far is in `#body`, and stays there for a second sending. */
  #keeps = false;
  #lastWritten = false;
  #trailers = '';
  /** When the stream was opened. */
  #openedUs = 0;
  /** The owner is within `write`. */
  #isWriting = false;
  // An event of the stream on its way to the sink, within the sink's batch. Bound once, as the pieces of a
  // response must create no closure.
  #head: ResponseHead | null = null;
  #piece: Uint8Array = noBytes;
  #isLast = false;
  readonly #passHead = () => this.sink.onHead(this.#head!);
  readonly #passPiece = () => this.#passOn();

  constructor(sink: ResponseSink, overHttp1: OverHttp1) {
    super(sink, true);
    this.#overHttp1 = overHttp1;
  }

  start(pool: VersionPool, request: UpstreamRequest): void {
    const nowUs = this.begin(pool, request);
    this.#stream = null;
    this.#successor = null;
    this.#body.begin(pool.resources.held);
    this.#keeps = request.framing !== Framing.LENGTH || request.contentLength <= limits.replayBytes;
    this.#lastWritten = request.framing === Framing.NONE;
    this.#trailers = '';
    if (!this.#lastWritten) return;
    this.clocks.requestWhole(nowUs);
    this.acquire();
  }

  write(piece: Uint8Array, last: boolean): boolean {
    if (this.phase === Phase.NONE || this.phase === Phase.FAILING || this.#lastWritten) return true;
    if (this.phase === Phase.HELD || (this.phase === Phase.KEPT && last)) {
      this.#isWriting = true;
      if (this.phase === Phase.HELD) this.acquireFor(last);
      else this.acquire();
      this.#isWriting = false;
    }
    return this.#successor === null ? this.#put(piece, last) : this.#successor.write(piece, last);
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  get heldBytes(): number {
    if (this.phase === Phase.NONE) return 0;
    return this.#body.bytes + (this.#stream?.heldBytes ?? 0);
  }

  /** What the window of the stream still allows is delivered: at most `limits.http2StreamWindowBytes`. */
  pauseResponse(): void {
    if (this.phase !== Phase.OPEN) return;
    this.clocks.isPaused = true;
    this.connection!.session.pause(this.#stream!);
  }

  resumeResponse(): void {
    if (this.phase !== Phase.OPEN) return;
    if (this.clocks.isPaused) this.clocks.resumed();
    this.connection!.session.resume(this.#stream!);
  }

  // From the pool and the connection.

  override onConnecting(connection: MultiplexedConnection): void {
    this.clocks.opened();
    super.onConnecting(connection);
  }

  onPlace(connection: MultiplexedConnection): void {
    this.#open(connection);
    this.sentSome();
  }

  onNoPlace(): void {
    this.connection = null;
    this.acquireNow();
  }

  onHttp1(): void {
    const pieces = [...this.#body.pieces];
    const last = this.#lastWritten;
    const owesDrain = this.drainOwed && !last;
    const request = this.request!;
    this.finish();
    const call = this.#overHttp1(this.pool!, request);
    this.#successor = call;
    if (request.framing === Framing.NONE) return;
    if (this.#trailers !== '') call.trailers(this.#trailers);
    // The piece that is being written follows.
    if (!this.#isWriting && pieces.length === 0) pieces.push(noBytes);
    let isFlowing = true;
    for (let i = 0; i < pieces.length; i++)
      isFlowing = call.write(pieces[i]!, last && i === pieces.length - 1);
    if (owesDrain && isFlowing) this.sink.onDrain();
  }

  // From the session.

  onInterim(head: ResponseHead): void {
    this.#responds();
    if (head.status !== CONTINUE || this.request!.expectsContinue) this.sink.onInterim(head);
  }

  onHead(head: ResponseHead): void {
    const connection = this.connection!;
    this.#responds();
    this.figures.answered(head.status, connection.readUs);
    this.clocks.headCame(head.framing === Framing.NONE);
    connection.answered();
    this.#head = head;
    this.sink.batch(this.#passHead);
    this.#head = null;
  }

  onData(piece: Uint8Array, last: boolean): void {
    this.clocks.movedUs = this.connection!.readUs;
    this.figures.responseBytes += piece.length;
    this.#piece = piece;
    this.#isLast = last;
    this.sink.batch(this.#passPiece);
    this.#piece = noBytes;
  }

  onTrailers(lines: string): void {
    this.sink.onResponseTrailers(lines);
  }

  /** All bytes of the request that waited for a window or the socket are on their way. */
  onWritable(): void {
    this.sentSome();
  }

  onReset(code: ErrorCode, unprocessed: boolean): void {
    const connection = this.connection!;
    const stream = this.#stream!;
    const { endpoint } = connection;
    const { resends } = this.request!;
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
      this.figures.error = endpoint.lastError;
      this.fail(connection.lostFor);
      return;
    }
    const isBroken = stream.has(Bit.BROKEN);
    this.figures.error = isBroken
      ? plainErrors[Cause.NOT_HTTP]!
      : { cause: Cause.STREAM_RESET, errno: errorName(code) };
    this.pool!.endpointSet.failed(endpoint, this.figures.error);
    this.fail(isBroken || code === ErrorCode.HTTP_1_1_REQUIRED ? Failure.PROTOCOL : Failure.RESET);
  }

  override onStalled(): void {
    const stream = this.#stream;
    // Frames of the stream may have left between those of others.
    if (stream !== null && stream.blockedSinceUs > this.clocks.movedUs) {
      this.clocks.movedAt(stream.blockedSinceUs);
    } else super.onStalled();
  }

  // For the base.

  protected override get lastWritten(): boolean {
    return this.#lastWritten;
  }

  /** No bytes of the request wait for a window. */
  protected override get isDrained(): boolean {
    return this.#stream!.heldBytes === 0;
  }

  /** The request is complete in memory and may be sent on a new connection. The end of a body is known. */
  get #isReplayable(): boolean {
    return (
      this.#keeps && this.figures.reused && (this.#lastWritten || this.request!.framing === Framing.LENGTH)
    );
  }

  /** A client of gRPC may be silent for as long as it likes, and holds a stream rather than a connection. */
  protected override get isUpload(): boolean {
    return this.request!.grpc === null;
  }

  protected override acquire(): void {
    const connection = this.pool!.acquireStream(this);
    if (connection === null) return;
    this.#open(connection);
    this.watchSending();
  }

  protected override acquireNow(): void {
    const connection = this.pool!.acquireStream(this);
    if (connection !== null) this.onPlace(connection);
  }

  /** `#open` opens the stream, and sends what is kept of the body. */
  #open(connection: MultiplexedConnection): void {
    const request = this.request!;
    if (!this.opens(connection, connection.exchanges > 0, this.pool!.resources.clock())) return;
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
    if (this.phase === Phase.FAILING || this.phase === Phase.NONE) return true;
    this.figures.requestBytes += piece.length;
    this.#lastWritten = last;
    if (this.request!.framing === Framing.LENGTH && this.#missesLength) {
      this.failSoon(Failure.MALFORMED_BODY);
      return true;
    }
    this.arrived(last);
    const isFlowing = this.phase === Phase.OPEN ? this.#sendNext(piece, last) : this.#keep(piece);
    // A failure may have been found, and is about to be delivered.
    return this.#hasFailed || this.written(isFlowing, last);
  }

  get #hasFailed(): boolean {
    return this.phase === Phase.FAILING;
  }

  get #missesLength(): boolean {
    const { contentLength } = this.request!;
    return this.#lastWritten
      ? this.figures.requestBytes !== contentLength
      : this.figures.requestBytes > contentLength;
  }

  /** `#keep` keeps a piece for a stream to come. False: enough is kept. */
  #keep(piece: Uint8Array): boolean {
    if (this.#body.add(piece, limits.heldBodyBytes)) return this.#body.bytes <= limits.replayBytes;
    this.failSoon(Failure.OVERLOADED);
    return true;
  }

  #sendNext(piece: Uint8Array, last: boolean): boolean {
    if (this.#keeps && !this.#body.add(piece, limits.replayBytes)) this.#keepNoMore();
    return this.#send(piece, last);
  }

  /** `#send` returns false when some of the piece waits for a window, or the call has failed. */
  #send(piece: Uint8Array, last: boolean): boolean {
    const { session } = this.connection!;
    const stream = this.#stream!;
    const endsWithTrailers = last && this.#trailers !== '';
    const sent = session.write(stream, piece, last && !endsWithTrailers);
    if (sent === Sent.REFUSED) {
      this.failSoon(Failure.OVERLOADED);
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
    this.clocks.movedUs = this.connection!.readUs;
  }

  #sendAgain(): void {
    const pool = this.pool!;
    this.connection = null;
    this.phase = Phase.HELD;
    this.clocks.opened();
    pool.resources.counters.requestRetried(pool.plan);
    this.acquireNow();
  }

  #passOn(): void {
    const stream = this.#stream;
    if (this.#piece.length > 0) this.sink.onResponseBody(this.#piece);
    if (this.#isLast && this.#stream === stream) this.#end();
  }

  /** `#end` is called when the response is complete. What the request still lacks is not sent. */
  #end(): void {
    const connection = this.connection!;
    const stream = this.#stream!;
    this.figures.endUs = connection.readUs;
    if (!stream.has(Bit.ENDED)) connection.session.reset(stream, ErrorCode.NO_ERROR);
    this.pool!.endpointSet.completed(connection.endpoint, this.request!.judged(this.figures.status));
    this.finish();
    this.sink.onEnd();
  }

  protected override timeOut(failure: Failure): void {
    if (this.phase === Phase.OPEN) this.connection!.doubt(this.#openedUs);
    super.timeOut(failure);
  }

  protected override leave(): void {
    const { connection, phase } = this;
    const stream = this.#stream;
    this.figures.endUs = this.pool!.resources.clock();
    this.finish();
    if (phase === Phase.QUEUED) this.pool!.leave(this);
    else if (phase === Phase.CONNECTING) connection?.leave(this);
    else if (stream !== null) connection!.session.reset(stream, ErrorCode.CANCEL);
  }

  protected override finish(): void {
    super.finish();
    this.#stream = null;
    this.#body.clear();
  }
}
