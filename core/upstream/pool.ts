import { Failure } from '../errors.js';
import type { VersionPlan, VersionTlsPlan } from '../plan.js';
import { chooseEndpoint } from './balancer.js';
import type { UpstreamCall } from './client.js';
import { UpstreamConnection } from './connection.js';
import { Endpoint } from './endpoint.js';
import { PipelinedConnection } from './pipelined-connection.js';
import type { UpstreamResources } from './resources.js';
import { sameEndpoint, type Target, targetsAsWritten } from './target.js';
import { TlsConnector } from './tls.js';

/**
 * The connections of one thread to one version. A call gets an idle connection of the endpoint with the fewest
 * calls pending, or a new one, or waits its turn in a bounded queue. All methods run on the thread that made
 * the pool.
 *
 * An endpoint that is ejected or unhealthy gets nothing while another one is left, even if that one is busy. When none is
 * left, a call is tried all the same (for the primary: a doubtful answer is better than none), and `outOfService` tells
 * those who would rather not try.
 */
export class VersionPool {
  readonly plan: VersionPlan;
  readonly resources: UpstreamResources;
  readonly tls: TlsConnector;
  /** Calls in the queue. */
  waiting = 0;
  #firstWaiter: UpstreamCall | null = null;
  #lastWaiter: UpstreamCall | null = null;
  /** Where the next search begins, so that equals take turns. */
  #turn = 0;
  #closing = false;
  #endpoints: Endpoint[] = [];
  /** Of the endpoints, those that are ejected for a refusal, and for their answers. */
  #refusing = 0;
  #failing = 0;
  readonly #pipelined: PipelinedConnection[] = [];
  readonly #onBack = (endpoint: Endpoint) => this.#comesBack(endpoint);

  /** `targets`: where the endpoints are, if not where they were written. */
  constructor(
    plan: VersionPlan,
    resources: UpstreamResources,
    targets: readonly Target[] = targetsAsWritten(plan),
  ) {
    this.plan = plan;
    this.resources = resources;
    this.tls = new TlsConnector(plan.tls);
    this.follow(targets);
  }

  /** One for each address; none while no name has resolved. */
  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /**
   * The endpoints are here from now on. What stays keeps its connections; what is gone finishes what it has and its idle
   * connections are closed.
   */
  follow(targets: readonly Target[]): void {
    const before = [...this.#endpoints];
    this.#endpoints = targets.map((target) => {
      const at = before.findIndex((endpoint) => endpoint.isAt(target));
      if (at < 0) return new Endpoint(target, this.plan.ejection, this.plan.slowStartMs, this.#onBack);
      const [known] = before.splice(at, 1);
      known!.watch(target.health);
      return known!;
    });
    for (const endpoint of before) this.#dismiss(endpoint);
    this.serveWaiters();
  }

  /** Connections that are open or being opened: 0 after `close` when the last call is over. */
  get open(): number {
    let open = 0;
    for (const endpoint of this.#endpoints) open += endpoint.open;
    return open;
  }

  get idle(): number {
    let idle = 0;
    for (const endpoint of this.#endpoints) idle += endpoint.idle.length;
    return idle;
  }

  /** Whether this pool can serve `plan` as it is: a reload keeps it, with its connections. */
  sameAs(plan: VersionPlan): boolean {
    const mine = this.plan;
    return (
      mine.name === plan.name &&
      mine.connectionsMax === plan.connectionsMax &&
      mine.idleMs === plan.idleMs &&
      mine.connectTimeoutMs === plan.connectTimeoutMs &&
      mine.queueMax === plan.queueMax &&
      mine.queueTimeoutMs === plan.queueTimeoutMs &&
      mine.slowStartMs === plan.slowStartMs &&
      mine.ejection.failures === plan.ejection.failures &&
      mine.ejection.baseTimeMs === plan.ejection.baseTimeMs &&
      mine.ejection.maxTimeMs === plan.ejection.maxTimeMs &&
      mine.ejection.maxShareMillionths === plan.ejection.maxShareMillionths &&
      sameTls(mine.tls, plan.tls) &&
      mine.endpoints.length === plan.endpoints.length &&
      mine.endpoints.every((endpoint, i) => sameEndpoint(endpoint, plan.endpoints[i]!))
    );
  }

  /** No endpoint is usable: what is sent now would most likely fail. */
  get outOfService(): boolean {
    for (const endpoint of this.#endpoints) if (endpoint.usable) return false;
    return true;
  }

  // What became of calls, for the endpoints' standing.

  /** No connection, or a new one that was dropped without a byte. */
  refused(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.resources.clock();
    this.#eject(endpoint, endpoint.ejection.refused(nowUs), nowUs);
  }

  /** The head of a response came, whatever it says. */
  answered(endpoint: Endpoint): void {
    if (!endpoint.ejection.out) return;
    if (endpoint.ejection.answered(this.resources.clock())) this.#isBack(endpoint);
  }

  /** A whole response that is not a failure of the endpoint's. */
  succeeded(endpoint: Endpoint): void {
    endpoint.ejection.succeeded();
  }

  /** No response, or one that says that the endpoint can't serve. */
  failed(endpoint: Endpoint): void {
    if (endpoint.gone) return;
    const nowUs = this.resources.clock();
    // Of those that serve at all: where all others refuse, the one that fails some requests is the best there is.
    const serving = this.#endpoints.length - this.#refusing;
    const failingMax = Math.floor((serving * this.plan.ejection.maxShareMillionths) / 1e6);
    this.#eject(endpoint, endpoint.ejection.failed(nowUs, this.#failing < failingMax), nowUs);
  }

  /** Drains: idle connections close now, busy ones when their call is over. Calls that began with it are served. */
  close(): void {
    this.#closing = true;
    for (const connection of [...this.#pipelined]) connection.retire();
    for (const endpoint of this.#endpoints) {
      closeIdle(endpoint);
      if (endpoint.ejection.out) this.#comesBack(endpoint);
    }
  }

  /**
   * Finds a connection for `call`. Returns an idle one, or null: then the call is told by `onConnection` when
   * there is one, or by `failSoon`.
   */
  acquire(call: UpstreamCall): UpstreamConnection | null {
    if (this.#endpoints.length === 0) {
      call.failSoon(Failure.NO_ENDPOINT);
      return null;
    }
    const endpoint = this.#choose(call);
    if (endpoint === null) {
      this.#enqueue(call);
      return null;
    }
    return this.#connectionAt(endpoint, call);
  }

  /**
   * One that carries fewer than `depth` requests, at the endpoint with the fewest calls pending, or a new one; each endpoint
   * gets one before requests are put behind each other. Null: all are full, and no more may be opened.
   */
  pipelinedConnection(depth: number): PipelinedConnection | null {
    let best: PipelinedConnection | null = null;
    for (const connection of this.#pipelined) {
      if (!connection.usable || connection.length >= depth) continue;
      if (best === null || connection.endpoint.pending < best.endpoint.pending) best = connection;
    }
    if (best !== null && this.#pipelined.length >= this.#endpoints.length) return best;
    const { connectionsMax } = this.plan;
    const at = chooseEndpoint(this.#endpoints, connectionsMax, [], this.#turn, this.resources.clock);
    if (at < 0 || this.#endpoints[at]!.open >= connectionsMax) return best;
    this.#turn = at + 1;
    const opened = new PipelinedConnection(this, this.#endpoints[at]!);
    this.#pipelined.push(opened);
    return opened;
  }

  /** From a pipelined connection: it is closed. */
  forgetPipelined(connection: PipelinedConnection): void {
    this.#pipelined.splice(this.#pipelined.indexOf(connection), 1);
    connection.endpoint.open--;
    this.resources.counters.connectionClosed(this.plan);
    this.serveWaiters();
  }

  /** It drains: connections that have nothing to do close. */
  get closed(): boolean {
    return this.#closing;
  }

  /** A new connection to `endpoint` for a call whose reused one died: the dead one's place is free. */
  renew(call: UpstreamCall, endpoint: Endpoint): void {
    this.resources.counters.requestRetried(this.plan);
    if (endpoint.gone) this.#acquireLater(call);
    else this.#open(endpoint, call);
  }

  /** A call in the queue gives up. */
  leave(call: UpstreamCall): void {
    if (call.previousWaiter === null) this.#firstWaiter = call.nextWaiter;
    else call.previousWaiter.nextWaiter = call.nextWaiter;
    if (call.nextWaiter === null) this.#lastWaiter = call.previousWaiter;
    else call.nextWaiter.previousWaiter = call.previousWaiter;
    call.nextWaiter = null;
    call.previousWaiter = null;
    this.waiting--;
    this.resources.counters.waitingChanged(this.plan, -1);
  }

  /** From a connection: it is connected. Its call may have gone meanwhile; then it is as good as one that came back. */
  connected(connection: UpstreamConnection): void {
    if (connection.call !== null) connection.call.onConnection(connection);
    else this.release(connection);
  }

  /** From a connection: its exchange is over and it can take another. */
  release(connection: UpstreamConnection): void {
    const { endpoint } = connection;
    const call = this.#firstWaiter;
    if (endpoint.gone || (call === null && this.#closing)) {
      connection.close();
    } else if (call !== null && (endpoint.usable || this.outOfService)) {
      this.leave(call);
      connection.assign(call);
      call.onConnection(connection);
    } else {
      endpoint.idle.push(connection);
      this.resources.counters.idleChanged(this.plan, 1);
      connection.rest(this.resources.clock());
      // Waiters may not have this one, as its endpoint is out; another may have become usable meanwhile.
      if (call !== null) this.serveWaiters();
    }
  }

  /** From a connection: the connect failed. Its call, if it did not go, tries each other endpoint at most once. */
  connectFailed(endpoint: Endpoint, call: UpstreamCall | null, failure: Failure): void {
    this.refused(endpoint);
    if (call === null) return;
    const { triedEndpoints } = call;
    if (!triedEndpoints.includes(endpoint)) triedEndpoints.push(endpoint);
    if (this.#endpoints.every((one) => triedEndpoints.includes(one))) call.onConnectFailed(failure);
    else this.#acquireLater(call);
  }

  /** From a connection: it left HTTP. It takes no place any more, and is told of as open until it closes. */
  letGo(connection: UpstreamConnection): void {
    connection.endpoint.open--;
  }

  /** From a connection: it is closed. */
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

  /** After a place became free: first come, first served. */
  serveWaiters(): void {
    for (let call = this.#firstWaiter; call !== null; call = this.#firstWaiter) {
      const endpoint = this.#choose(call);
      if (endpoint === null) return;
      this.leave(call);
      const connection = this.#connectionAt(endpoint, call);
      if (connection !== null) call.onConnection(connection);
    }
  }

  #choose(call: UpstreamCall): Endpoint | null {
    const { triedEndpoints } = call;
    const at = chooseEndpoint(
      this.#endpoints,
      this.plan.connectionsMax,
      triedEndpoints,
      this.#turn,
      this.resources.clock,
    );
    if (at < 0) return null;
    this.#turn = at + 1;
    return this.#endpoints[at]!;
  }

  /** As `acquire`, for a call that is not within `start` or `write`. */
  #acquireLater(call: UpstreamCall): void {
    const connection = this.acquire(call);
    if (connection !== null) call.onConnection(connection);
  }

  #eject(endpoint: Endpoint, forMs: number, nowUs: number): void {
    if (forMs === 0) return;
    this.#count(endpoint, 1);
    this.resources.counters.ejectedChanged(this.plan, 1);
    this.resources.deadlines.set(endpoint.backDeadline, forMs, nowUs);
  }

  /** The time of its ejection is over, or no longer matters. */
  #comesBack(endpoint: Endpoint): void {
    const nowUs = this.resources.clock();
    endpoint.ejection.back(nowUs);
    this.#isBack(endpoint);
    endpoint.startSlowly(nowUs);
    this.serveWaiters();
  }

  #isBack(endpoint: Endpoint): void {
    this.resources.deadlines.clear(endpoint.backDeadline);
    this.#count(endpoint, -1);
    this.resources.counters.ejectedChanged(this.plan, -1);
  }

  #count(endpoint: Endpoint, change: number): void {
    if (endpoint.ejection.forRefusal) this.#refusing += change;
    else this.#failing += change;
  }

  #dismiss(endpoint: Endpoint): void {
    if (endpoint.ejection.out) this.#comesBack(endpoint);
    endpoint.gone = true;
    closeIdle(endpoint);
    for (const connection of [...this.#pipelined]) if (connection.endpoint === endpoint) connection.retire();
  }

  #connectionAt(endpoint: Endpoint, call: UpstreamCall): UpstreamConnection | null {
    const idle = endpoint.idle.pop();
    if (idle === undefined) {
      this.#open(endpoint, call);
      return null;
    }
    this.resources.counters.idleChanged(this.plan, -1);
    idle.assign(call);
    return idle;
  }

  #open(endpoint: Endpoint, call: UpstreamCall): void {
    endpoint.open++;
    this.resources.counters.connectionOpened(this.plan);
    call.onConnecting(new UpstreamConnection(this, endpoint, this.resources, call));
  }

  #enqueue(call: UpstreamCall): void {
    if (this.waiting >= this.plan.queueMax) {
      this.resources.counters.queueRefused(this.plan);
      call.failSoon(Failure.OVERLOADED);
      return;
    }
    call.previousWaiter = this.#lastWaiter;
    if (this.#lastWaiter === null) this.#firstWaiter = call;
    else this.#lastWaiter.nextWaiter = call;
    this.#lastWaiter = call;
    this.waiting++;
    this.resources.counters.waitingChanged(this.plan, 1);
    call.onQueued();
  }
}

function sameTls(a: VersionTlsPlan | null, b: VersionTlsPlan | null): boolean {
  if (a === null || b === null) return a === b;
  const same = a.serverName === b.serverName && a.verify === b.verify;
  return same && a.ca?.pem === b.ca?.pem && a.cert?.pem === b.cert?.pem && a.key?.pem === b.key?.pem;
}

function closeIdle(endpoint: Endpoint): void {
  while (endpoint.idle.length > 0) endpoint.idle[endpoint.idle.length - 1]!.close();
}
