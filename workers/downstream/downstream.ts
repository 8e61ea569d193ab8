/**
 * Listeners as main and the proxy threads see them, whatever the engine. What an engine and the proxy say to each
 * other about one request stands in `core/exchange/downstream`.
 */
export type { RequestHandler, RequestSink, Responder } from '../../core/exchange/downstream.js';

/** One listener on one proxy thread. */
export interface Downstream {
  /** Connections that are open right now. */
  connections(): number;
  /** Takes no new connections, answers what is in flight with `Connection: close` where the engine can, then resolves. */
  drain(): Promise<void>;
  /** Closes everything; resolves when the thread may end. The acceptor must have let this child go before. */
  leave(): Promise<void>;
}

/** Where the engine counts. Called on its own thread. */
export interface DownstreamCounters {
  /** A connection was taken. */
  accepted(): void;
  /** A connection is gone. */
  closed(): void;
  /** A connection was closed at once, because there were too many. */
  turnedAway(): void;
  /** A connection left HTTP for another protocol; it stays counted as a connection. */
  tunnelOpened(): void;
  tunnelClosed(): void;
  /** A request was refused by the engine and never reached the proxy. */
  refused(): void;
}

/** One listener on main: takes connections and hands them to the proxy threads in turn. */
export interface Acceptor {
  /** `http://127.0.0.1:8080`, with the real port. */
  readonly url: string;
  /** From now on proxy thread `index` gets its part; `descriptor` came from it and is the engine's business. */
  addChild(index: number, descriptor: unknown): void;
  /** It gets no more. Nothing happens if it had none. */
  removeChild(index: number): void;
  /** Resolves when the children that were added so far take connections; rejects with an Error of one line if they can't. */
  settled(): Promise<void>;
  /** New connections are refused from now on. */
  stopListening(): void;
  close(): void;
}
