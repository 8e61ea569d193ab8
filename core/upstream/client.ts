import { Failure } from '../errors.js';
import { Framing } from '../http/message.js';
import { CHUNK_END, chunkStart, LAST_CHUNK } from '../http/request-writer.js';
import { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import type { ReaderSink } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { EndpointPlan } from '../plan.js';
import type { ResponseSink } from './call.js';
import type { UpstreamConnection } from './connection.js';
import { Deadline } from './deadlines.js';
import { Outbox } from './outbox.js';
import type { Endpoint, VersionPool } from './pool.js';

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

const EMPTY = new Uint8Array(0);

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
  endpoint: EndpointPlan | null = null;
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
  #framing: Framing = Framing.NONE;
  #contentLength = 0;
  #toHead = false;
  /** The owner has written the last piece. */
  #lastWritten = false;
  /** `write` returned false: `onDrain` is owed. */
  #drainOwed = false;
  #retried = false;
  /** When the latest read of the response was delivered. */
  #readUs = 0;
  /**
   * The request from its first byte as a wire string, while `#wireWhole`: what is to be sent while there is no
   * connection, and what can be sent again while a reused connection has not answered.
   */
  #wire = '';
  #wireWhole = false;
  /** What the socket has not taken. */
  readonly #outbox = new Outbox();
  #failure: Failure = Failure.ABORTED;
  readonly #deadline: Deadline;
  readonly #deliverFailure: () => void;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
    this.#deadline = new Deadline(() => this.#fail(Failure.TIMEOUT));
    this.#deliverFailure = () => {
      if (this.#phase === Phase.FAILING) this.#fail(this.#failure);
    };
  }

  /**
   * Sends a request. `head` is a wire string ending in the empty line. With `Framing.NONE` it goes out at once;
   * else it is held until the first `write`, which the owner owes in this turn of the loop, and goes out with it.
   * `timeoutMs` bounds the whole exchange, the wait for a connection included. A failure that is found at once
   * (no endpoint, a full queue) is delivered after the running callback has returned.
   */
  start(
    pool: VersionPool,
    head: string,
    method: string,
    framing: Framing,
    contentLength: number,
    timeoutMs: number,
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
    this.#framing = framing;
    this.#contentLength = contentLength;
    this.#toHead = method === 'HEAD';
    this.#lastWritten = framing === Framing.NONE;
    this.#drainOwed = false;
    this.#retried = false;
    this.#wire = head;
    this.#wireWhole = true;
    this.#outbox.begin(pool.resources.arena);
    pool.resources.deadlines.set(this.#deadline, timeoutMs, pool.resources.clock());
    this.#phase = Phase.HELD;
    if (framing === Framing.NONE) this.#send(EMPTY);
  }

  /**
   * The next piece of the request's body; it is copied or sent before this returns. `last`: the body is complete.
   * False: hold back until `onDrain`. What comes nevertheless is kept up to `limits.heldBodyBytes`, beyond which
   * the call fails with `overloaded`. A body that is longer or shorter than its Content-Length fails with
   * `aborted`: the request can't be completed. After the call is over, pieces are ignored and true is returned.
   */
  write(piece: Uint8Array, last: boolean): boolean {
    if (this.#phase === Phase.NONE || this.#phase === Phase.FAILING || this.#lastWritten) return true;
    this.requestBytes += piece.length;
    this.#lastWritten = last;
    if (this.#framing === Framing.LENGTH && this.#missesLength()) {
      this.failSoon(Failure.ABORTED);
      return true;
    }
    this.#send(piece);
    const drained = this.#outbox.heldBytes === 0 && !(this.#connection?.writing ?? false);
    this.#drainOwed = !drained && !last;
    return drained;
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

  // From the pool and the connection.

  onQueued(): void {
    this.#phase = Phase.QUEUED;
    this.#connection = null;
  }

  onConnecting(connection: UpstreamConnection): void {
    this.#phase = Phase.CONNECTING;
    this.#connection = connection;
    this.endpoint = connection.endpoint.plan;
  }

  /** A connection is there: all that was held goes out. */
  onConnection(connection: UpstreamConnection): void {
    this.#open(connection);
    this.#outbox.flush(connection);
    this.#tellDrained();
  }

  onConnectFailed(): void {
    this.#fail(Failure.CONNECT);
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
    this.#outbox.dropWritten();
    this.#outbox.flush(this.#connection!);
    this.#tellDrained();
  }

  /** The connection died or its bytes made no sense; it is closed and forgotten. */
  onLost(connection: UpstreamConnection, failure: Failure): void {
    if (failure === Failure.RESET && this.#mayRetry()) {
      this.#retried = true;
      this.#outbox.clear(connection);
      this.#connection = null;
      this.#pool!.renew(this, connection.endpoint);
    } else {
      this.fault = connection.fault;
      this.#fail(failure);
    }
  }

  /** Bytes of the response were read and are about to be delivered. */
  onRead(): void {
    this.#readUs = this.#pool!.resources.clock();
    // From here on nothing is sent a second time.
    this.#wire = '';
    this.#wireWhole = false;
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
    this.#sink.onHead(head);
  }

  onBody(bytes: Uint8Array): void {
    this.responseBytes += bytes.length;
    this.#sink.onBody(bytes);
  }

  onEnd(): void {
    const connection = this.#connection!;
    this.endUs = this.#readUs;
    connection.requestWhole = this.#lastWritten && this.#outbox.heldBytes === 0 && !connection.writing;
    this.#outbox.clear(connection);
    connection.detach();
    this.#finish();
    this.#sink.onEnd();
  }

  /** Takes a piece of the body (or none, for a request without one) as far as it will go now. */
  #send(piece: Uint8Array): void {
    if (this.#phase === Phase.HELD) {
      const connection = this.#pool!.acquire(this);
      if (connection !== null) this.#open(connection);
    }
    if (this.#phase === Phase.FAILING || this.#phase === Phase.NONE) return;
    if (this.#framing !== Framing.NONE && !this.#put(piece)) {
      this.failSoon(Failure.OVERLOADED);
      return;
    }
    if (this.#phase === Phase.OPEN) this.#outbox.flush(this.#connection!);
  }

  /** The exchange begins on `connection`: what is at hand is put into the outbox. */
  #open(connection: UpstreamConnection): void {
    this.#connection = connection;
    this.#phase = Phase.OPEN;
    this.endpoint = connection.endpoint.plan;
    this.reused = connection.exchanges > 0;
    connection.begin(this, this.#toHead);
    if (this.sentUs === 0) {
      this.#sink.onSent();
      this.sentUs = this.#pool!.resources.clock();
    }
    if (!this.#wireWhole) return;
    if (!this.#outbox.putText(this.#wire)) {
      this.failSoon(Failure.OVERLOADED);
      return;
    }
    // Kept only where a second sending may be needed.
    if (this.reused && !this.#retried && this.#fitsReplay()) return;
    this.#wire = '';
    this.#wireWhole = false;
  }

  /** Frames a piece into the wire string, the outbox, or both. False: there is no room to hold it. */
  #put(piece: Uint8Array): boolean {
    const open = this.#phase === Phase.OPEN;
    if (this.#wireWhole) {
      if (this.requestBytes <= limits.replayBytes && this.#fitsReplay()) {
        this.#wire += this.#framed(piece);
        if (!open) return true;
      } else {
        // Too much to keep as a string. What waits for a connection moves to the outbox.
        const wire = this.#wire;
        this.#wire = '';
        this.#wireWhole = false;
        if (!open && !this.#outbox.putText(wire)) return false;
      }
    }
    if (this.#outbox.heldBytes + piece.length > limits.heldBodyBytes) return false;
    if (this.#framing !== Framing.CHUNKED) return this.#outbox.putBytes(piece);
    if (piece.length > 0) {
      const fits = this.#outbox.putText(chunkStart(piece.length)) && this.#outbox.putBytes(piece);
      if (!fits || !this.#outbox.putText(CHUNK_END)) return false;
    }
    return !this.#lastWritten || this.#outbox.putText(LAST_CHUNK);
  }

  /** A piece as it goes over the wire, as a wire string. */
  #framed(piece: Uint8Array): string {
    const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1');
    if (this.#framing !== Framing.CHUNKED) return text;
    const chunk = piece.length > 0 ? chunkStart(piece.length) + text + CHUNK_END : '';
    return this.#lastWritten ? chunk + LAST_CHUNK : chunk;
  }

  /** Whether the whole body can fit what is kept for a second sending, as far as that is known. */
  #fitsReplay(): boolean {
    return this.#framing !== Framing.LENGTH || this.#contentLength <= limits.replayBytes;
  }

  /** `#wireWhole` stands only on a reused connection that has not answered, and not after a retry. */
  #mayRetry(): boolean {
    return this.#wireWhole && (this.#lastWritten || this.#framing === Framing.LENGTH);
  }

  #missesLength(): boolean {
    return this.#lastWritten
      ? this.requestBytes !== this.#contentLength
      : this.requestBytes > this.#contentLength;
  }

  #tellDrained(): void {
    if (!this.#drainOwed || this.#phase !== Phase.OPEN) return;
    if (this.#outbox.heldBytes > 0 || this.#connection!.writing) return;
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
    this.#outbox.clear(connection);
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
    this.#wire = '';
    this.#wireWhole = false;
    this.#drainOwed = false;
    this.#pool!.resources.deadlines.clear(this.#deadline);
  }
}
