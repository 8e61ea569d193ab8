import { Failure } from '../errors.js';
import { limits } from '../limits.js';
import type { VersionPlan } from '../plan.js';
import { type ConnectionHome, type ConnectionUser, UpstreamConnection } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { EndpointSet } from './endpoint-set.js';
import { MultiplexedConnection, type MultiplexedHome, type StreamUser } from './multiplexed-connection.js';
import { PipelinedConnection, type PipelinedHome } from './pipelined-connection.js';
import { samePoolPlan } from './pool-plan.js';
import type { UpstreamResources } from './resources.js';
import { type Target, targetsAsWritten } from './target.js';
import { TlsConnector } from './tls.js';
import { Uploads } from './uploads.js';
import { type Linked, WaitQueue } from './wait-queue.js';

/** Waits for a place of a pool. The pool knows nothing of the request behind it. */
interface Waits extends Linked<Waiter> {
  /** Endpoints that the waiter must not get. */
  readonly tried: readonly Endpoint[];
  /** The waiter is in the queue: a place follows, unless it leaves. */
  onQueued(): void;
  /** There is no place and none will come: `no-endpoint`, or `overloaded` when the queue is full. */
  onRefused(failure: Failure): void;
}

/** Waits for a connection of its own. */
export interface ConnectionWaiter extends ConnectionUser, Waits {
  readonly shares: false;
  /** The waiter must not get a connection that the endpoint may be closing. */
  readonly needsFresh: boolean;
  /** A connection is being opened for the waiter: `onConnection` or `onNoConnection` follows. */
  onConnecting(connection: UpstreamConnection): void;
}

/** Waits for a stream of a connection that others use too. */
export interface StreamWaiter extends StreamUser, Waits {
  readonly shares: true;
  /** A connection is being opened: `onPlace`, `onHttp1` or `onNoConnection` follows. */
  onConnecting(connection: MultiplexedConnection): void;
}

export type Waiter = ConnectionWaiter | StreamWaiter;
type PoolEndpoint = Endpoint<UpstreamConnection, MultiplexedConnection>;

/**
 * The connections of one thread to one version. A waiter gets an idle connection to the endpoint with the
 * fewest pending calls, or a stream of one that has room, or a new connection, or a place in a bounded queue.
 * All methods run on the thread that made the pool.
 *
 * An ejected or unhealthy endpoint gets no calls while another one is left, even if that one is busy. When
 * none is left, a waiter gets one anyway, because a doubtful answer is better than none for the primary.
 * `outOfService` reports that state to callers that would rather not try.
 */
export class VersionPool implements ConnectionHome, PipelinedHome, MultiplexedHome {
  readonly plan: VersionPlan;
  readonly resources: UpstreamResources;
  readonly tls: TlsConnector;
  /** The endpoints and the results of calls to them. */
  readonly endpointSet: EndpointSet<UpstreamConnection, MultiplexedConnection>;
  readonly uploads: Uploads;
  readonly #queue = new WaitQueue<Waiter>();
  #closing = false;
  readonly #pipelined: PipelinedConnection[] = [];

  /** `targets` are the addresses of the endpoints, if they differ from those in the plan. */
  constructor(
    plan: VersionPlan,
    resources: UpstreamResources,
    targets: readonly Target[] = targetsAsWritten(plan),
  ) {
    this.plan = plan;
    this.resources = resources;
    this.tls = new TlsConnector(plan.tls);
    this.endpointSet = new EndpointSet(plan, resources, () => this.serveWaiters());
    this.uploads = new Uploads(plan, resources, () => this.#places);
    this.follow(targets);
  }

  get endpoints(): readonly PoolEndpoint[] {
    return this.endpointSet.list;
  }

  /**
   * `follow` applies `targets`. Removed endpoints finish their calls, and their idle connections are closed.
   */
  follow(targets: readonly Target[]): void {
    for (const endpoint of this.endpointSet.follow(targets)) this.#dismiss(endpoint);
    this.serveWaiters();
    this.uploads.placesChanged();
  }

  /** Connections that are open or being opened. After `close` it is 0 when the last call has ended. */
  get open(): number {
    let open = 0;
    for (const endpoint of this.endpoints) open += endpoint.open;
    return open;
  }

  get idle(): number {
    let idle = 0;
    for (const { idle: own, shared } of this.endpoints) {
      idle += own.length;
      for (const connection of shared) if (connection.isIdle) idle++;
    }
    return idle;
  }

  /** Waiters in the queue. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * `sameAs` returns true when this pool can serve `plan` as it is. A reload then keeps it with its
   * connections.
   */
  sameAs(plan: VersionPlan): boolean {
    return samePoolPlan(this.plan, plan);
  }

  get outOfService(): boolean {
    return this.endpointSet.outOfService;
  }

  /** `releaseIdle` closes idle connections. A later call opens new ones. */
  releaseIdle(): void {
    for (const endpoint of this.endpoints) endpoint.closeIdle();
  }

  /** The pool is draining: connections without an exchange close. */
  get closed(): boolean {
    return this.#closing;
  }

  /**
   * `close` drains the pool: idle connections close now, and busy ones when their exchange has ended. Waiters
   * are still served.
   */
  close(): void {
    this.#closing = true;
    for (const connection of [...this.#pipelined]) connection.retire();
    for (const endpoint of this.endpoints) {
      endpoint.retire();
      if (endpoint.ejection.out) this.endpointSet.endEjection(endpoint);
    }
  }

  /**
   * `acquire` returns an idle connection, or null. After null, one of the waiter's `on` methods reports the
   * result.
   */
  acquire(waiter: ConnectionWaiter, nowUs: number = this.resources.clock()): UpstreamConnection | null {
    const endpoint = this.#endpointFor(waiter);
    return endpoint === null ? null : this.#connectionAt(endpoint, waiter, nowUs);
  }

  /**
   * `acquireStream` returns a connection with room for a stream, which the waiter opens at once, or null.
   * After null, one of the waiter's `on` methods reports the result.
   */
  acquireStream(waiter: StreamWaiter): MultiplexedConnection | null {
    const endpoint = this.#endpointFor(waiter);
    return endpoint === null ? null : this.#sharedAt(endpoint, waiter);
  }

  /** Requests go over HTTP/2, as far as is known. */
  get speaksHttp2(): boolean {
    const { protocol } = this.plan;
    if (protocol !== 'auto') return protocol === 'http2';
    const nowUs = this.resources.clock();
    for (const endpoint of this.endpoints) if (!isHttp1(endpoint, nowUs)) return true;
    return false;
  }

  /**
   * `acquireNew` opens a new connection to `endpoint`. One to it was just lost, so there is a place.
   * Otherwise it works as `acquire`.
   */
  acquireNew(waiter: ConnectionWaiter, endpoint: Endpoint): UpstreamConnection | null {
    if (endpoint.gone) return this.acquire(waiter);
    this.#open(endpoint, waiter);
    return null;
  }

  /** `leave` removes a waiter from the queue. */
  leave(waiter: Waiter): void {
    this.#queue.remove(waiter);
    this.resources.counters.waitingChanged(this.plan, -1);
  }

  /**
   * `pipelinedConnection` returns a connection that carries fewer than `depth` requests, at the endpoint with
   * the fewest pending calls, or a new one. Each endpoint gets a connection before requests are pipelined.
   * Endpoints in `tried` are left out. It returns null when all connections are full and no more may be
   * opened.
   */
  pipelinedConnection(depth: number, tried: readonly Endpoint[]): PipelinedConnection | null {
    let best: PipelinedConnection | null = null;
    for (const connection of this.#pipelined) {
      if (!connection.usable || connection.length >= depth || tried.includes(connection.endpoint)) continue;
      if (best === null || connection.endpoint.pending < best.endpoint.pending) best = connection;
    }
    if (best !== null && this.#pipelined.length >= this.endpoints.length) return best;
    const endpoint = this.endpointSet.choose(tried, false);
    if (endpoint === null || endpoint.open >= this.plan.connectionsMax) return best;
    const opened = new PipelinedConnection(this, endpoint);
    this.#pipelined.push(opened);
    return opened;
  }

  // From connections.

  release(connection: UpstreamConnection): void {
    const { endpoint } = connection;
    const { first } = this.#queue;
    if (endpoint.gone || (first === null && this.#closing)) {
      connection.close();
    } else if (first !== null && !first.shares && (endpoint.usable || this.outOfService)) {
      this.leave(first);
      connection.assign(first);
      first.onConnection(connection);
    } else {
      endpoint.idle.push(connection);
      this.resources.counters.idleChanged(this.plan, 1);
      connection.rest(this.plan.idleMs, connection.readUs);
      // Waiters may not use this endpoint, because it is out, or want no connection of their own. Another
      // endpoint may have become usable meanwhile.
      if (first !== null) this.serveWaiters();
    }
  }

  /** A shortage of resources in this process is not the endpoint's fault. */
  noConnection(endpoint: Endpoint, failure: Failure): void {
    if (failure === Failure.OUT_OF_RESOURCES)
      this.resources.counters.outOfResources(this.plan, endpoint.lastError);
    else this.endpointSet.refused(endpoint);
  }

  exclude(connection: UpstreamConnection): void {
    connection.endpoint.open--;
  }

  forget(connection: UpstreamConnection): void {
    const { endpoint } = connection;
    const at = endpoint.idle.lastIndexOf(connection);
    if (at >= 0) {
      endpoint.idle.splice(at, 1);
      this.resources.counters.idleChanged(this.plan, -1);
    }
    endpoint.open--;
    this.resources.counters.connectionClosed(this.plan);
  }

  forgetPipelined(connection: PipelinedConnection): void {
    this.#pipelined.splice(this.#pipelined.indexOf(connection), 1);
    connection.endpoint.open--;
    this.resources.counters.connectionClosed(this.plan);
    this.serveWaiters();
  }

  forgetShared(connection: MultiplexedConnection): void {
    const endpoint = connection.endpoint as PoolEndpoint;
    endpoint.shared.splice(endpoint.shared.indexOf(connection), 1);
    endpoint.open--;
    this.resources.counters.connectionClosed(this.plan);
  }

  serveWaiters(): void {
    const queue = this.#queue;
    for (let waiter = queue.first; waiter !== null; waiter = queue.first) {
      const endpoint = this.endpointSet.choose(waiter.tried, waiter.shares);
      if (endpoint === null) return;
      this.leave(waiter);
      if (waiter.shares) {
        const connection = this.#sharedAt(endpoint, waiter);
        if (connection !== null) waiter.onPlace(connection);
      } else {
        const connection = this.#connectionAt(endpoint, waiter, this.resources.clock());
        if (connection !== null) waiter.onConnection(connection);
      }
    }
  }

  #dismiss(endpoint: PoolEndpoint): void {
    if (endpoint.ejection.out) this.endpointSet.endEjection(endpoint);
    endpoint.gone = true;
    endpoint.retire();
    for (const connection of [...this.#pipelined]) if (connection.endpoint === endpoint) connection.retire();
  }

  /** The number of requests that usable endpoints may have at once. */
  get #places(): number {
    return this.endpointSet.places * (this.speaksHttp2 ? this.plan.streamsMax : 1);
  }

  /** `#endpointFor` returns null when the waiter is in the queue, or was refused. */
  #endpointFor(waiter: Waiter): PoolEndpoint | null {
    if (this.endpoints.length === 0) {
      waiter.onRefused(Failure.NO_ENDPOINT);
      return null;
    }
    const endpoint = this.endpointSet.choose(waiter.tried, waiter.shares);
    if (endpoint === null) this.#enqueue(waiter);
    return endpoint;
  }

  /** `#sharedAt` returns a connection with room, or null: the waiter waits for one, or uses HTTP/1.1. */
  #sharedAt(endpoint: PoolEndpoint, waiter: StreamWaiter): MultiplexedConnection | null {
    if (this.plan.protocol === 'auto' && isHttp1(endpoint, this.resources.clock())) {
      waiter.onHttp1();
      return null;
    }
    for (const connection of endpoint.shared) {
      if (connection.room === 0) continue;
      if (connection.isReady) return connection;
      connection.wait(waiter);
      waiter.onConnecting(connection);
      return null;
    }
    // Its place was counted as free because of its idle connections.
    if (endpoint.open >= this.plan.connectionsMax) endpoint.idle[endpoint.idle.length - 1]?.discard();
    this.#countOpened(endpoint);
    const connection = new MultiplexedConnection(this, endpoint);
    endpoint.shared.push(connection);
    connection.wait(waiter);
    waiter.onConnecting(connection);
    return null;
  }

  #connectionAt(endpoint: PoolEndpoint, waiter: ConnectionWaiter, nowUs: number): UpstreamConnection | null {
    const { idle } = endpoint;
    while (idle.length > 0) {
      const connection = idle[idle.length - 1]!;
      const isExpired = connection.isExpired(nowUs);
      if (!isExpired && (!waiter.needsFresh || connection.isFresh(nowUs))) {
        idle.pop();
        this.resources.counters.idleChanged(this.plan, -1);
        connection.assign(waiter);
        return connection;
      }
      // A connection that is only too old for this waiter stays for others if there is room.
      if (!isExpired && endpoint.open < this.plan.connectionsMax) break;
      connection.discard();
      if (!isExpired) break;
    }
    this.#open(endpoint, waiter);
    return null;
  }

  #open(endpoint: Endpoint, waiter: ConnectionWaiter): void {
    this.#countOpened(endpoint);
    waiter.onConnecting(new UpstreamConnection(this, endpoint, waiter));
  }

  #countOpened(endpoint: Endpoint): void {
    const { counters } = this.resources;
    if (endpoint.open >= this.plan.connectionsMax * limits.connectionsHigh)
      counters.connectionsHigh(this.plan);
    endpoint.open++;
    counters.connectionOpened(this.plan);
  }

  #enqueue(waiter: Waiter): void {
    if (this.#queue.length >= this.plan.queueMax) {
      this.resources.counters.queueRefused(this.plan);
      waiter.onRefused(Failure.OVERLOADED);
      return;
    }
    this.#queue.add(waiter);
    this.resources.counters.waitingChanged(this.plan, 1);
    waiter.onQueued();
  }
}

/** `isHttp1` is true for an endpoint of a version with `auto` that does not speak HTTP/2. */
function isHttp1({ plan, http1UntilUs }: Endpoint, nowUs: number): boolean {
  return !plan.secure || nowUs < http1UntilUs;
}
