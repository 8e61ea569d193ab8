import type { Clock } from '../clock.js';
import type { EndpointError } from '../endpoint-cause.js';
import type { Guard } from '../http2/floods.js';
import { FlushTurn } from '../http2/flush-turn.js';
import { SessionResources } from '../http2/session-resources.js';
import { limits } from '../limits.js';
import type { VersionPlan } from '../plan.js';
import { ReadBuffers } from '../read-buffers.js';
import { Deadlines } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import { HeldBytes } from './kept-body.js';
import { WriteArena } from './write-arena.js';

/** Receives changes of the figures of a version's connections, on the thread that owns the pool. */
export interface UpstreamCounters {
  /** A connection is being opened. */
  connectionOpened(version: VersionPlan): void;
  /** A connection that was opened is gone, whether or not it was ever connected. */
  connectionClosed(version: VersionPlan): void;
  /** The number of idle connections changed by this much. */
  idleChanged(version: VersionPlan, change: number): void;
  /** A TLS handshake is complete. `resumed`: it resumed an earlier session. */
  handshakeDone(version: VersionPlan, resumed: boolean): void;
  /** The number of calls that wait for a connection changed by this much. */
  waitingChanged(version: VersionPlan, change: number): void;
  /** A call found the queue full. */
  queueRefused(version: VersionPlan): void;
  /** A call waited too long in the queue. */
  queueTimedOut(version: VersionPlan): void;
  /** The number of uploads that wait for their clients or for a place changed by this much. */
  waitingUploadsChanged(version: VersionPlan, change: number): void;
  /** An upload ended because it was the slowest and others wait. */
  slowUploadEnded(version: VersionPlan): void;
  /** An endpoint was ejected (1), or has returned (-1). */
  ejectedChanged(version: VersionPlan, change: number): void;
  /** A connection was opened while at least `limits.connectionsHigh` of `connections.max` were open. */
  connectionsHigh(version: VersionPlan): void;
  /** A connection could not be opened for lack of descriptors, local ports or buffers. */
  outOfResources(version: VersionPlan, error: EndpointError): void;
  /**
   * A connection to the endpoint could not be opened, or ended before a whole response; or several answers in
   * a row failed. `ejectedMs`: it is ejected for this long; 0: it is not, or was already.
   */
  endpointFailed(version: VersionPlan, endpoint: Endpoint, error: EndpointError, ejectedMs: number): void;
  /** The ejection of the endpoint is over, because it `answered` or because its time has passed. */
  endpointBack(version: VersionPlan, endpoint: Endpoint, answered: boolean): void;
  /** A connection of HTTP/2 was established (1), or is gone (-1). */
  http2Changed(version: VersionPlan, change: number): void;
  /** An endpoint reached a bound of HTTP/2. */
  http2Guard(version: VersionPlan, guard: Guard): void;
  /**
   * A request is sent a second time, because its reused connection had closed, or the endpoint has not
   * processed it.
   */
  requestRetried(version: VersionPlan): void;
}

const nothing = (): void => {};
/** The counters of connections whose figures nobody shows. */
export const noCounters: UpstreamCounters = {
  connectionOpened: nothing,
  connectionClosed: nothing,
  idleChanged: nothing,
  handshakeDone: nothing,
  waitingChanged: nothing,
  queueRefused: nothing,
  queueTimedOut: nothing,
  waitingUploadsChanged: nothing,
  slowUploadEnded: nothing,
  ejectedChanged: nothing,
  requestRetried: nothing,
  outOfResources: nothing,
  connectionsHigh: nothing,
  endpointFailed: nothing,
  endpointBack: nothing,
  http2Changed: nothing,
  http2Guard: nothing,
};

/** Shared by all upstream connections of one thread. */
export class UpstreamResources {
  readonly clock: Clock;
  readonly counters: UpstreamCounters;
  readonly deadlines: Deadlines;
  readonly arena: WriteArena;
  /** Bytes of request bodies that wait outside of the arena, or for a second sending over HTTP/2. */
  readonly held: HeldBytes;
  /** Connections of HTTP/2 that owe a flush. */
  readonly turn = new FlushTurn();
  readonly readBuffers = new ReadBuffers();
  #http2: SessionResources | null = null;

  constructor(clock: Clock, counters: UpstreamCounters, heldBytesMax: number = limits.upstreamHeldBytes) {
    this.clock = clock;
    this.counters = counters;
    this.deadlines = new Deadlines(clock);
    this.arena = new WriteArena(heldBytesMax);
    this.held = new HeldBytes(heldBytesMax);
  }

  /** What sessions of HTTP/2 share. Threads without any have none. */
  get http2(): SessionResources {
    this.#http2 ??= new SessionResources(this.clock, this.arena);
    return this.#http2;
  }
}
