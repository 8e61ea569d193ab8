/**
 * An even rate for autocannon's clients, with latencies that include all waiting.
 *
 * autocannon's own `overallRate` is not used. It sends all requests of a second at once when the second
 * begins. Its correction for coordinated omission takes `Math.ceil(1 / rate)`, so 1 ms at any rate, as the
 * expected interval, and invents samples for every slower answer (run.js and httpClient.js of 9.0.0). It has
 * no public hook to delay a request, so the client's own `_doRequest` is wrapped; the version is pinned and a
 * test watches.
 */
import type { EventEmitter } from 'node:events';
import type { Client } from 'autocannon';

/** Members of a client that its types do not declare. */
interface PrivateClient extends Client {
  _doRequest(): void;
  readonly destroyed: boolean;
  /** Requests without a response; at most one, because there is no pipelining. */
  readonly pipelinedRequests: { size(): number; clear(): void };
}

export interface PaceOptions {
  readonly connections: number;
  /** Requests a second over all connections; null sends the next request when the last one is answered. */
  readonly rate: number | null;
  /** Called when a connection ended with an unanswered request, which autocannon does not count. */
  readonly onLost: () => void;
}

/**
 * Each connection has its own schedule: a request is due every `connections / rate` seconds, and the
 * connections alternate. A request that is due while its connection still waits for a response is sent late,
 * and that time counts.
 */
export class Pace {
  readonly #options: PaceOptions;
  readonly #intervalMs: number;
  readonly #beginMs = performance.now();
  /** Delay of each client's current request because its connection was busy, in milliseconds. */
  readonly #lateMs = new WeakMap<Client, number>();
  #clients = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#intervalMs = options.rate === null ? 0 : (options.connections * 1000) / options.rate;
  }

  /** `take` is the callback for autocannon's `setupClient`, called before the client connects. */
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
      // A request in flight gets no response any more. In the queue, its age would be added to the next
      // response.
      if (inner.pipelinedRequests.size() > 0) {
        inner.pipelinedRequests.clear();
        this.#options.onLost();
      }
      clearTimeout(timer);
      if (inner.destroyed) return;
      const waitMs = dueMs - performance.now();
      if (this.#intervalMs === 0) send.call(inner);
      else if (waitMs <= 0) sendLateBy(-waitMs);
      // A late timer is this process's fault, not the server's, so it does not count.
      else timer = setTimeout(() => inner.destroyed || sendLateBy(0), waitMs);
    };
    // autocannon counts an error itself, so it must not count as lost too.
    const events: EventEmitter = inner;
    events.on('connError', () => inner.pipelinedRequests.clear());
    events.on('done', () => clearTimeout(timer));
  }

  /** `lateMs` returns the time to add to the latency of `client`'s last response. */
  lateMs(client: Client): number {
    return this.#lateMs.get(client) ?? 0;
  }
}
