/**
 * An even rate for autocannon's clients, with latency that hides no waiting.
 *
 * autocannon's own `overallRate` is not used. It sends all requests of a second at once when the second
 * begins. Its correction for coordinated omission takes `Math.ceil(1 / rate)`, so 1 ms at any rate, as the
 * expected interval, and invents samples for every slower answer (run.js and httpClient.js of 9.0.0). It has
 * no public hook to delay a request, so the client's own `_doRequest` is wrapped; the version is pinned and a
 * test watches.
 */
import type { EventEmitter } from 'node:events';
import type { Client } from 'autocannon';

/** What the pace needs of a client and its types do not declare. */
interface PrivateClient extends Client {
  _doRequest(): void;
  readonly destroyed: boolean;
  /** Requests without an answer; one at most, because there is no pipelining. */
  readonly pipelinedRequests: { size(): number; clear(): void };
}

export interface PaceOptions {
  readonly connections: number;
  /** Requests a second over all connections; null sends the next request when the last is answered. */
  readonly rate: number | null;
  /** A connection ended with a request unanswered, which autocannon itself does not count. */
  readonly onLost: () => void;
}

/**
 * Each connection has its own schedule: a request is due every `connections / rate` seconds, and the
 * connections take turns. A request that is due while its connection still waits for an answer goes out late,
 * and that time counts.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #intervalMs: number;
  readonly #beginMs = performance.now();
  /** How late each client's request in flight was sent because the connection was busy. */
  readonly #lateMs = new WeakMap<Client, number>();
  #clients = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#intervalMs = options.rate === null ? 0 : (options.connections * 1000) / options.rate;
  }

  /** The callback for autocannon's `setupClient`, called before the client connects. */
  take(client: Client): void {
    const inner = client as PrivateClient;
    const send = inner._doRequest;
    const index = this.#clients++;
    let dueMs = this.#beginMs + (index * this.#intervalMs) / this.#options.connections;
    let timer: NodeJS.Timeout | undefined;
    const sendLateBy = (lateMs: number): void => {
      dueMs += this.#intervalMs;
      this.#lateMs.set(client, lateMs);
      send.call(inner);
    };
    inner._doRequest = () => {
      // Whatever was in flight has no answer coming: left in the queue, it would lend its age to the next
      // answer.
      if (inner.pipelinedRequests.size() > 0) {
        inner.pipelinedRequests.clear();
        this.#options.onLost();
      }
      clearTimeout(timer);
      if (inner.destroyed) return;
      const waitMs = dueMs - performance.now();
      if (this.#intervalMs === 0) send.call(inner);
      else if (waitMs <= 0) sendLateBy(-waitMs);
      // A timer that fires late is this process's fault, not the server's: it is not counted.
      else timer = setTimeout(() => inner.destroyed || sendLateBy(0), waitMs);
    };
    // An error is counted by autocannon, and so must not count as lost too.
    const events: EventEmitter = inner;
    events.on('connError', () => inner.pipelinedRequests.clear());
    events.on('done', () => clearTimeout(timer));
  }

  /** The correction to add to the time that `client`'s last answer took. */
  lateMs(client: Client): number {
    return this.#lateMs.get(client) ?? 0;
  }
}
