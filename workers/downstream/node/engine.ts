import type { MessagePort } from 'node:worker_threads';
import { Failure } from '../../../core/errors.js';
import type { Guard } from '../../../core/http2/floods.js';
import type { ListenerLimits, ListenerPlan, Protocol } from '../../../core/plan.js';
import type { ConnectionCount } from '../../../core/record/connection-count.js';
import type { ClientTimeout, Downstream, DownstreamCounters, RequestHandler } from '../downstream.js';
import { sameCertificate } from '../same-certificate.js';
import type { AcceptedSocket, ClientConnection, ConnectionOwner } from './client-connection.js';
import { NodeConnection } from './connection.js';
import { Http2Connection } from './http2-connection.js';
import { ListeningThread } from './listening.js';
import type { NodeResources } from './resources.js';
import { NodeServer } from './server.js';

/** One listener on one proxy thread, over `node:net`. It listens when main's `NodeAcceptor` says so. */
export class NodeDownstream implements Downstream, ConnectionOwner {
  readonly handler: RequestHandler;
  readonly resources: NodeResources;
  draining = false;
  limits: ListenerLimits;
  protocols: readonly Protocol[];
  #tls: ListenerPlan['tls'];
  readonly #counters: DownstreamCounters;
  readonly #count: ConnectionCount;
  readonly #server: NodeServer;
  readonly #listening: ListeningThread;
  readonly #connections = new Set<ClientConnection>();
  /** Requests without a complete response. */
  #active = 0;
  #drained: (() => void) | null = null;
  #emptied: (() => void) | null = null;
  #handingOver = false;

  constructor(
    listener: ListenerPlan,
    handler: RequestHandler,
    counters: DownstreamCounters,
    resources: NodeResources,
    count: ConnectionCount,
  ) {
    this.handler = handler;
    this.resources = resources;
    this.limits = listener.limits;
    this.protocols = listener.protocols;
    this.#tls = listener.tls;
    this.#counters = counters;
    this.#count = count;
    this.#server = new NodeServer(listener, resources.ticketKeys, {
      onConnection: (secure) => this.#accept(secure),
      readBuffer: (isHttp2) => resources.readBuffers.of(isHttp2),
    });
    this.#listening = new ListeningThread(this.#server.server);
  }

  /** For `NodeAcceptor.addChild`, on main: transferred, not copied. */
  descriptor(): MessagePort {
    return this.#listening.port;
  }

  use({ limits, tls, protocols }: ListenerPlan): null {
    this.limits = limits;
    this.protocols = protocols;
    this.#server.useProtocols(protocols);
    if (tls === null || sameCertificate(tls, this.#tls)) return null;
    this.#server.useCertificate(tls);
    this.#tls = tls;
    return null;
  }

  connections(): number {
    return this.#connections.size;
  }

  /** Requests that have no complete response yet. */
  active(): number {
    return this.#active;
  }

  /**
   * Closes idle connections, answers what is in flight with `Connection: close` or behind GOAWAY; resolves
   * when nothing is.
   */
  get closesIdle(): boolean {
    return this.draining && !this.#handingOver;
  }

  drain(): Promise<void> {
    this.draining = true;
    this.#listening.stop();
    for (const connection of this.#connections) connection.drain();
    if (this.#active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  handOver(): Promise<void> {
    this.draining = true;
    this.#handingOver = true;
    this.#listening.stop();
    for (const connection of this.#connections) connection.handOver();
    return this.#empty();
  }

  leave(): Promise<void> {
    // A thread that was not asked to drain has failed.
    const reason = this.draining ? Failure.DRAINING : Failure.THREAD_ENDED;
    this.draining = true;
    this.#handingOver = false;
    this.#listening.close();
    for (const connection of this.#connections) connection.destroy(false, reason);
    return this.#empty();
  }

  #empty(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#emptied;
      this.#emptied = () => {
        before?.();
        resolve();
      };
    });
  }

  onRequestBegan(): void {
    this.#active++;
  }

  onRequestEnded(): void {
    this.#active--;
    if (this.#active > 0 || this.#drained === null) return;
    this.#drained();
    this.#drained = null;
  }

  onRefused(): void {
    this.#counters.refused();
  }

  onTimedOut(what: ClientTimeout): void {
    this.#counters.timedOut(what);
  }

  onHandshakeEnded(isSecure: boolean): void {
    this.#counters.handshakeEnded(isSecure);
  }

  onTunnelOpened(): void {
    this.#counters.tunnelOpened();
  }

  onTunnelClosed(): void {
    this.#counters.tunnelClosed();
  }

  onHttp2(before: ClientConnection, accepted: AcceptedSocket): Http2Connection {
    const connection = new Http2Connection(this, accepted);
    this.#connections.delete(before);
    this.#connections.add(connection);
    this.#counters.http2Opened();
    accepted.reader = connection;
    return connection;
  }

  onHttp2Request(): void {
    this.#counters.http2Request();
  }

  onHttp2Guard(guard: Guard): void {
    this.#counters.http2Guard(guard);
  }

  onHttp2Closed(): void {
    this.#counters.http2Closed();
  }

  onClosed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#count.close();
    this.#counters.closed();
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #accept(secure: boolean): NodeConnection | null {
    // What the kernel had accepted for us before the socket closed is ours to answer.
    if (this.draining && !this.#handingOver) return null;
    if (!this.#count.open(this.limits.connectionsMax)) {
      this.#counters.turnedAway();
      return null;
    }
    const connection = new NodeConnection(this, secure);
    this.#connections.add(connection);
    this.#counters.accepted();
    if (secure) this.#counters.handshakeStarted();
    return connection;
  }
}
