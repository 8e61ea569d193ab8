import { Failure } from '../errors.js';
import { limits } from '../limits.js';
import type { EndpointPlan, VersionPlan, VersionTlsPlan } from '../plan.js';
import type { UpstreamCall } from './client.js';
import { UpstreamConnection } from './connection.js';
import type { UpstreamResources } from './resources.js';
import { TlsConnector } from './tls.js';

/**
 * An endpoint that refused a connect, or dropped a new connection without a response, is passed over for this
 * long while another one can serve, and shadow threads send it nothing: attempts that fail are the dearest of all.
 */
const REST_MS = 1000;

/** One endpoint as one thread's pool knows it. */
export class Endpoint {
  readonly plan: EndpointPlan;
  /** Calls that run here or wait for a connect. */
  pending = 0;
  /** Connections that are open or being opened. */
  open = 0;
  /** The last one to become idle is used first, so that the others can expire. */
  readonly idle: UpstreamConnection[] = [];
  /** When it may be chosen again before others, on the thread's clock; 0: it is not resting. */
  restsUntilUs = 0;
  /** What the next TLS handshake may resume. */
  tlsSession: Buffer | null = null;

  constructor(plan: EndpointPlan) {
    this.plan = plan;
  }
}

/**
 * The connections of one thread to one version. A call gets an idle connection of the endpoint with the fewest
 * calls pending, or a new one, or waits its turn in a bounded queue. All methods run on the thread that made
 * the pool.
 */
export class VersionPool {
  readonly plan: VersionPlan;
  readonly resources: UpstreamResources;
  readonly endpoints: readonly Endpoint[];
  readonly tls: TlsConnector;
  /** Calls in the queue. */
  waiting = 0;
  #firstWaiter: UpstreamCall | null = null;
  #lastWaiter: UpstreamCall | null = null;
  /** Where the next search begins, so that equals take turns. */
  #turn = 0;
  #closing = false;

  constructor(plan: VersionPlan, resources: UpstreamResources) {
    this.plan = plan;
    this.resources = resources;
    this.tls = new TlsConnector(plan.tls);
    this.endpoints = plan.endpoints.map((endpoint) => new Endpoint(endpoint));
  }

  /** Connections that are open or being opened: 0 after `close` when the last call is over. */
  get open(): number {
    let open = 0;
    for (const endpoint of this.endpoints) open += endpoint.open;
    return open;
  }

  get idle(): number {
    let idle = 0;
    for (const endpoint of this.endpoints) idle += endpoint.idle.length;
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
      sameTls(mine.tls, plan.tls) &&
      mine.endpoints.length === plan.endpoints.length &&
      mine.endpoints.every((endpoint, i) => sameEndpoint(endpoint, plan.endpoints[i]!))
    );
  }

  /** Every endpoint rests: what is sent now would most likely fail. */
  get resting(): boolean {
    const nowUs = this.resources.clock();
    for (const endpoint of this.endpoints) if (endpoint.restsUntilUs <= nowUs) return false;
    return this.endpoints.length > 0;
  }

  /** The endpoint took no request of late; the head of a response ends its rest. */
  rest(endpoint: Endpoint): void {
    endpoint.restsUntilUs = this.resources.clock() + REST_MS * 1e3;
  }

  /** Drains: idle connections close now, busy ones when their call is over. Calls that began with it are served. */
  close(): void {
    this.#closing = true;
    for (const endpoint of this.endpoints) {
      while (endpoint.idle.length > 0) endpoint.idle[endpoint.idle.length - 1]!.close();
    }
  }

  /**
   * Finds a connection for `call`. Returns an idle one, or null: then the call is told by `onConnection` when
   * there is one, or by `failSoon`.
   */
  acquire(call: UpstreamCall): UpstreamConnection | null {
    if (this.endpoints.length === 0) {
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

  /** A new connection to `endpoint` for a call whose reused one died: the dead one's place is free. */
  renew(call: UpstreamCall, endpoint: Endpoint): void {
    this.resources.counters.requestRetried(this.plan);
    this.#open(endpoint, call);
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
  }

  /** From a connection: it is connected. Its call may have gone meanwhile; then it is as good as one that came back. */
  connected(connection: UpstreamConnection): void {
    if (connection.call !== null) connection.call.onConnection(connection);
    else this.release(connection);
  }

  /** From a connection: its exchange is over and it can take another. */
  release(connection: UpstreamConnection): void {
    const call = this.#firstWaiter;
    if (call !== null) {
      this.leave(call);
      connection.assign(call);
      call.onConnection(connection);
    } else if (this.#closing) {
      connection.close();
    } else {
      connection.endpoint.idle.push(connection);
      this.resources.counters.idleChanged(this.plan, 1);
      connection.rest(this.resources.clock());
    }
  }

  /** From a connection: the connect failed. Its call, if it did not go, tries each other endpoint at most once. */
  connectFailed(endpoint: Endpoint, call: UpstreamCall | null, failure: Failure): void {
    this.rest(endpoint);
    if (call === null) return;
    if (!call.triedEndpoints.includes(endpoint)) call.triedEndpoints.push(endpoint);
    if (call.triedEndpoints.length === this.endpoints.length) {
      call.onConnectFailed(failure);
      return;
    }
    const connection = this.acquire(call);
    if (connection !== null) call.onConnection(connection);
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

  /** The endpoint with the fewest calls pending of those that have a connection or a place for one. */
  #choose(call: UpstreamCall): Endpoint | null {
    const { endpoints } = this;
    const count = endpoints.length;
    let best: Endpoint | null = null;
    let bestAt = 0;
    let bestRests = false;
    for (let i = 0; i < count; i++) {
      const at = (this.#turn + i) % count;
      const endpoint = endpoints[at]!;
      if (endpoint.idle.length === 0 && endpoint.open >= this.plan.connectionsMax) continue;
      if (call.triedEndpoints.length > 0 && call.triedEndpoints.includes(endpoint)) continue;
      const rests = endpoint.restsUntilUs !== 0 && endpoint.restsUntilUs > this.resources.clock();
      if (best !== null && (rests !== bestRests ? rests : endpoint.pending >= best.pending)) continue;
      best = endpoint;
      bestAt = at;
      bestRests = rests;
    }
    if (best !== null) this.#turn = bestAt + 1;
    return best;
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
    if (this.waiting >= limits.upstreamWaiters) {
      call.failSoon(Failure.OVERLOADED);
      return;
    }
    call.previousWaiter = this.#lastWaiter;
    if (this.#lastWaiter === null) this.#firstWaiter = call;
    else this.#lastWaiter.nextWaiter = call;
    this.#lastWaiter = call;
    this.waiting++;
    call.onQueued();
  }
}

function sameTls(a: VersionTlsPlan | null, b: VersionTlsPlan | null): boolean {
  if (a === null || b === null) return a === b;
  const same = a.serverName === b.serverName && a.verify === b.verify;
  return same && a.ca?.pem === b.ca?.pem && a.cert?.pem === b.cert?.pem && a.key?.pem === b.key?.pem;
}

function sameEndpoint(a: EndpointPlan, b: EndpointPlan): boolean {
  if (a.authority !== b.authority || a.secure !== b.secure) return false;
  if (a.address.kind === 'unix') return b.address.kind === 'unix' && a.address.path === b.address.path;
  return b.address.kind === 'tcp' && a.address.host === b.address.host && a.address.port === b.address.port;
}
