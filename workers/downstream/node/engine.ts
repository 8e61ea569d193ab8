import type { Server } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { ListenerPlan } from '../../../core/plan.js';
import type { Downstream, DownstreamCounters, RequestHandler } from '../downstream.js';
import { type ConnectionOwner, NodeConnection } from './connection.js';
import { ListeningThread } from './listening.js';
import type { NodeResources } from './resources.js';
import { newServer } from './server.js';

/** One listener on one proxy thread, over `node:net`. It listens when main's `NodeAcceptor` says so. */
export class NodeDownstream implements Downstream, ConnectionOwner {
  readonly handler: RequestHandler;
  readonly resources: NodeResources;
  draining = false;
  readonly #counters: DownstreamCounters;
  readonly #server: Server;
  readonly #listening: ListeningThread;
  readonly #connections = new Set<NodeConnection>();
  /** Requests without a complete response. */
  #active = 0;
  #drained: (() => void) | null = null;
  #emptied: (() => void) | null = null;

  constructor(
    listener: ListenerPlan,
    handler: RequestHandler,
    counters: DownstreamCounters,
    resources: NodeResources,
  ) {
    this.handler = handler;
    this.resources = resources;
    this.#counters = counters;
    this.#server = newServer(listener, {
      onConnection: (secure, canReset) => this.#accept(secure, canReset),
      readBuffer: () => resources.readBuffer(),
    });
    this.#listening = new ListeningThread(this.#server);
  }

  /** For `NodeAcceptor.addChild`, on main: transferred, not copied. */
  descriptor(): MessagePort {
    return this.#listening.port;
  }

  connections(): number {
    return this.#connections.size;
  }

  /** Requests that have no complete response yet. */
  active(): number {
    return this.#active;
  }

  /** Closes idle connections, answers what is in flight with `Connection: close`; resolves when nothing is. */
  drain(): Promise<void> {
    this.draining = true;
    this.#listening.stop();
    for (const connection of this.#connections) connection.drain();
    if (this.#active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  leave(): Promise<void> {
    this.draining = true;
    this.#listening.close();
    for (const connection of this.#connections) connection.destroy(false);
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#emptied = resolve;
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

  onTunnelOpened(): void {
    this.#counters.tunnelOpened();
  }

  onTunnelClosed(): void {
    this.#counters.tunnelClosed();
  }

  onClosed(connection: NodeConnection): void {
    this.#connections.delete(connection);
    this.#counters.closed();
    if (this.#connections.size === 0) this.#emptied?.();
  }

  #accept(secure: boolean, canReset: boolean): NodeConnection | null {
    if (this.draining) return null;
    if (this.#connections.size >= this.resources.connectionsMax) {
      this.#counters.turnedAway();
      return null;
    }
    const connection = new NodeConnection(this, secure, canReset);
    this.#connections.add(connection);
    this.#counters.accepted();
    return connection;
  }
}
