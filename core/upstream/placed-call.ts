import { Cause, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { CallClocks, type ClockOwner } from './call-clocks.js';
import { CallFigures } from './call-figures.js';
import { isError } from './ejection.js';
import type { Endpoint } from './endpoint.js';
import type { VersionPool, Waiter } from './pool.js';
import type { ResponseSink } from './response-sink.js';
import { type UploadOwner, UploadPlace } from './uploads.js';
import type { UpstreamRequest } from './upstream-request.js';

/**
 *   NONE --start--> HELD --write--> QUEUED or CONNECTING --place--> OPEN --end, failure--> NONE
 * A request without a body skips HELD, and one that finds a place skips the third state. A failure that is
 * found within a call of the owner goes to FAILING until the owner has returned. An upload above the share
 * goes from HELD to KEPT, and back when it may take a place.
 */
export const Phase = {
  /** No exchange; the figures of the last one remain. */
  NONE: 0,
  /** The head waits for the first piece of the body. */
  HELD: 1,
  /** In the pool's queue. */
  QUEUED: 2,
  /** The connection that the call will use is being opened. */
  CONNECTING: 3,
  /** The call has its place, and sends its request or receives its response. */
  OPEN: 4,
  /** A failure waits to be delivered. */
  FAILING: 5,
  /** The body is incomplete, and the version has as many such requests as allowed (core/upstream/uploads). */
  KEPT: 6,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * A call that takes a place of its pool: a connection `C` of its own, or a stream on one. This class has what
 * does not depend on the protocol: the figures, the phases, the wait for a place, uploads, clocks, and how a
 * call fails. Subclasses send the request and receive the response.
 */
export abstract class PlacedCall<C extends { readonly endpoint: Endpoint }>
  implements ClockOwner, UploadOwner
{
  readonly figures: CallFigures;
  // Only the pool's queue uses these.
  nextWaiter: Waiter | null = null;
  previousWaiter: Waiter | null = null;
  protected readonly sink: ResponseSink;
  protected phase: Phase = Phase.NONE;
  protected pool: VersionPool | null = null;
  protected request: UpstreamRequest | null = null;
  /** The connection in use, or the one that is awaited while CONNECTING. */
  protected connection: C | null = null;
  /** `write` returned false, so `onDrain` must follow. */
  protected drainOwed = false;
  protected readonly clocks = new CallClocks(this);
  readonly #upload = new UploadPlace(this);
  #failure: Failure = Failure.ABORTED;
  readonly #deliverFailure: () => void;

  protected constructor(sink: ResponseSink, http2: boolean) {
    this.sink = sink;
    this.figures = new CallFigures(http2);
    this.#deliverFailure = () => {
      if (this.phase === Phase.FAILING) this.fail(this.#failure);
    };
  }

  /** `cancel` ends the call without further events. */
  cancel(): void {
    if (this.phase !== Phase.NONE) this.leave();
  }

  abandon(): void {
    const { endpoint, status } = this.figures;
    const judged = this.request!.judged(status);
    if (this.phase === Phase.OPEN && isError(judged)) this.pool!.endpointSet.completed(endpoint!, judged);
    this.cancel();
  }

  expire(): void {
    if (this.phase !== Phase.NONE && this.phase !== Phase.FAILING) this.timeOut(Failure.TIMEOUT);
  }

  // From the pool and the connection.

  get tried(): readonly Endpoint[] {
    return this.request!.resends.tried;
  }

  onQueued(): void {
    this.phase = Phase.QUEUED;
    this.connection = null;
    this.clocks.queued(this.pool!.plan.queueTimeoutMs);
  }

  onConnecting(connection: C): void {
    this.phase = Phase.CONNECTING;
    this.connection = connection;
    this.figures.endpoint = connection.endpoint;
  }

  onNoConnection(endpoint: Endpoint, failure: Failure): void {
    this.connection = null;
    this.figures.error = endpoint.lastError;
    if (this.request!.resends.afterNoConnection(endpoint, this.pool!.endpoints, failure)) this.acquireNow();
    else this.fail(failure);
  }

  /**
   * The owner is still within `start` or `write`, so the failure is delivered after the running callback has
   * returned.
   */
  onRefused(failure: Failure): void {
    this.failSoon(failure);
  }

  // From the uploads of the pool.

  get requestBytes(): number {
    return this.figures.requestBytes;
  }

  /** The version has everything that the client has sent, and the client has not sent the rest. */
  get awaitsClient(): boolean {
    if (this.lastWritten) return false;
    if (this.phase === Phase.HELD) return true;
    if (this.phase === Phase.KEPT) return !this.drainOwed;
    return this.phase === Phase.OPEN && this.isDrained;
  }

  onUploadPlace(): void {
    this.clocks.opened();
    this.acquireNow();
  }

  /** Another call's owner may be running, so the failure is delivered after it has returned. */
  onUploadRefused(failure: Failure): void {
    this.failSoon(failure);
  }

  // From the clocks.

  onTimeOut(): void {
    this.timeOut(this.awaitsClient ? Failure.SLOW_CLIENT : Failure.TIMEOUT);
  }

  onQueueTimeOut(): void {
    this.pool!.resources.counters.queueTimedOut(this.pool!.plan);
    this.fail(Failure.OVERLOADED);
  }

  onStalled(): void {
    if (this.awaitsClient) this.timeOut(Failure.SLOW_CLIENT);
    else this.timeOut(this.figures.headSeen ? Failure.TIMEOUT : Failure.UNREAD);
  }

  // For the two protocols.

  /** The owner has written the last piece. */
  protected abstract get lastWritten(): boolean;
  /** The place has taken all that was written of the request. Asked in phase OPEN. */
  protected abstract get isDrained(): boolean;
  /** The body holds a connection or a stream until its client has sent it. */
  protected abstract get isUpload(): boolean;
  /** `acquire` takes a place, while the owner may be within `start` or `write`. */
  protected abstract acquire(): void;
  /** `acquireNow` takes a place while the owner is not within `start` or `write`. */
  protected abstract acquireNow(): void;
  /** `leave` releases the place, or the one in the queue, and everything that is held. */
  protected abstract leave(): void;

  /** `begin` begins an attempt, which is HELD, and returns the time. */
  protected begin(pool: VersionPool, request: UpstreamRequest): number {
    this.figures.begin();
    this.pool = pool;
    this.request = request;
    this.connection = null;
    this.drainOwed = false;
    request.resends.beginAttempt();
    request.nameHost(pool.plan);
    const nowUs = pool.resources.clock();
    this.clocks.begin(pool.resources, request, nowUs);
    this.phase = Phase.HELD;
    return nowUs;
  }

  /** `acquireFor` acquires for a piece. An incomplete body first gets a place among the version's uploads. */
  protected acquireFor(last: boolean): void {
    if (last || !this.isUpload || this.pool!.uploads.enter(this.#upload)) {
      this.acquire();
    } else if (this.#upload.isIn) {
      this.phase = Phase.KEPT;
      // The client sends nothing before it gets a 100.
      if (this.request!.expectsContinue) this.#waitReady();
    }
  }

  /** `opens` is called when the call has its place. False: the owner has ended the call. */
  protected opens(connection: C, isReused: boolean, nowUs: number): boolean {
    const { figures } = this;
    this.clocks.opened();
    this.connection = connection;
    this.phase = Phase.OPEN;
    figures.endpoint = connection.endpoint;
    figures.reused = isReused;
    if (figures.sentUs !== 0) return true;
    this.sink.onSent();
    if (this.connection !== connection) return false;
    figures.sentUs = nowUs;
    return true;
  }

  /** `arrived` is called when the client has sent a piece. */
  protected arrived(last: boolean): void {
    if (last && this.#upload.isIn) this.pool!.uploads.leave(this.#upload);
    // A response that has begun is not idle while its client sends.
    if (this.figures.headSeen) this.clocks.movedUs = this.pool!.resources.clock();
  }

  /** `written` is called when a piece was sent or kept. Returns what `write` returns. */
  protected written(isFlowing: boolean, last: boolean): boolean {
    // Once `onDrain` is owed it stays owed: a later piece of the same turn may find room, but the owner
    // already waits.
    if (last) {
      this.drainOwed = false;
      this.clocks.requestWhole(this.pool!.resources.clock());
    } else if (!isFlowing) {
      if (this.phase === Phase.KEPT && !this.drainOwed) this.#waitReady();
      this.drainOwed = true;
    }
    this.watchSending();
    return isFlowing && !this.drainOwed;
  }

  /** `sentSome` is called when the place took some of the request. */
  protected sentSome(): void {
    this.watchSending();
    if (!this.drainOwed || this.phase !== Phase.OPEN || !this.isDrained) return;
    this.drainOwed = false;
    this.sink.onDrain();
  }

  /**
   * `watchSending` sets the clock for the version's next step: to take held bytes, or to answer a complete
   * request. `nowUs`: the time, where it is known.
   */
  protected watchSending(nowUs?: number): void {
    if (this.phase !== Phase.OPEN) return;
    const { clocks, isDrained } = this;
    if (!isDrained) clocks.holding();
    if (this.figures.headSeen) return;
    if (isDrained && clocks.isWatchingHeld) clocks.took();
    if (isDrained && this.lastWritten) clocks.sentWhole(nowUs);
  }

  /** `timeOut` fails the call. The endpoint is blamed only if it had to make the next step. */
  protected timeOut(failure: Failure): void {
    const { figures } = this;
    const isBlamed = failure === Failure.UNREAD || (this.lastWritten && !figures.headSeen);
    if (this.phase === Phase.OPEN && isBlamed) {
      figures.error = plainErrors[Cause.NO_ANSWER]!;
      this.pool!.endpointSet.failed(figures.endpoint!, figures.error);
    }
    this.fail(failure);
  }

  protected failSoon(failure: Failure): void {
    this.leave();
    this.phase = Phase.FAILING;
    this.#failure = failure;
    process.nextTick(this.#deliverFailure);
  }

  protected fail(failure: Failure): void {
    this.leave();
    this.sink.onFailure(failure);
  }

  protected finish(): void {
    this.phase = Phase.NONE;
    this.connection = null;
    this.drainOwed = false;
    this.clocks.end();
    if (this.#upload.isIn) this.pool!.uploads.leave(this.#upload);
  }

  /**
   * `#waitReady` stops keeping more of an upload. It waits for a place, for at most the time in the pool's
   * queue.
   */
  #waitReady(): void {
    this.clocks.queued(this.pool!.plan.queueTimeoutMs);
    this.pool!.uploads.ready(this.#upload);
  }
}
