/**
 * Listeners as main and the proxy threads see them, whatever the engine. What an engine and the proxy say to
 * each other about one request stands in `core/exchange/downstream`.
 */
import type { Guard } from '../../core/http2/floods.js';
import type { ListenerPlan } from '../../core/plan.js';

export type { RequestHandler, RequestSink, Responder } from '../../core/exchange/downstream.js';
export { hasNoBody, PLAIN_TEXT } from '../../core/exchange/downstream.js';

/** One listener on one proxy thread. */
export interface Downstream {
  /**
   * Follows another plan of the same listener: its limits, and its certificate if that has changed. Throws an
   * Error of one line if the certificate can't be used; the old one then stays. What is returned, if not
   * null, takes the place of the descriptor that main's acceptor has.
   */
  use(listener: ListenerPlan): unknown;
  /** Connections that are open right now. */
  connections(): number;
  /**
   * Takes no new connections, answers what is in flight with `Connection: close` where the engine can, then
   * resolves.
   */
  drain(): Promise<void>;
  /**
   * `drain` for the sake of a process that has taken over: no connection is closed before it has had a
   * response that says so, for a request may be on its way to any of them. Resolves when the last one is
   * gone.
   */
  handOver(): Promise<void>;
  /** Closes everything; resolves when the thread may end. The acceptor must have let this child go before. */
  leave(): Promise<void>;
}

/** What a client took too long for. */
export const ClientTimeout = { HEAD: 0, BODY: 1, IDLE: 2, RESPONSE: 3, HANDSHAKE: 4 } as const;
export type ClientTimeout = (typeof ClientTimeout)[keyof typeof ClientTimeout];

/** Where the engine counts. Called on its own thread. */
export interface DownstreamCounters {
  /** A connection was taken. */
  accepted(): void;
  /** A connection is gone. */
  closed(): void;
  /** A connection was closed at once, because there were too many. */
  turnedAway(): void;
  /** A connection was taken whose TLS handshake begins; on the node engine. */
  handshakeStarted(): void;
  /** It is secure now, or it ended before it was. */
  handshakeEnded(isSecure: boolean): void;
  /** A connection left HTTP for another protocol; it stays counted as a connection. */
  tunnelOpened(): void;
  tunnelClosed(): void;
  /** A connection speaks HTTP/2; it stays counted as a connection. On the node engine. */
  http2Opened(): void;
  http2Closed(): void;
  /** A request came by HTTP/2. */
  http2Request(): void;
  /** A client has reached a bound of HTTP/2. */
  http2Guard(guard: Guard): void;
  /** The bytes of WebSocket messages that are held changed by this much, on the uws engine. */
  webSocketHeldChanged(bytes: number): void;
  /** A WebSocket was closed for what it held, or for what all of them held. */
  webSocketGaveWay(): void;
  /** A request was refused by the engine and never reached the proxy. */
  refused(): void;
  timedOut(what: ClientTimeout): void;
}

/** One listener on main: takes connections and hands them to the proxy threads in turn. */
export interface Acceptor {
  /** `http://127.0.0.1:8080`, with the real port. */
  readonly url: string;
  /**
   * Gives proxy thread `index` its part from now on, through `descriptor` alone; it came from there and is
   * the engine's business.
   */
  addChild(index: number, descriptor: unknown): void;
  /** It gets no more. Nothing happens if it had none. */
  removeChild(index: number): void;
  /**
   * Resolves when the children that were added so far take connections; rejects with an Error of one line if
   * they can't.
   */
  settled(): Promise<void>;
  /** New connections are refused from now on. */
  stopListening(): void;
  close(): void;
}
