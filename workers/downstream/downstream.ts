/**
 * One listener of one proxy thread, whatever its engine. What an engine and the proxy say to each other about
 * one request stands in `core/exchange/downstream`.
 */
export type { RequestHandler, RequestSink, Responder } from '../../core/exchange/downstream.js';

/** One listener on one proxy thread. */
export interface Downstream {
  /** Connections that are open right now. */
  connections(): number;
  /** Takes no new connections, answers what is in flight with `Connection: close` where the engine can, then resolves. */
  drain(): Promise<void>;
  /** Closes everything at once. */
  close(): void;
}
