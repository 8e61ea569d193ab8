/** The demo's clients: light load at an even rate over keep-alive connections. */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

export interface CallCounts {
  calls: number;
  failed: number;
}

const bookCount = 9;

export class Callers {
  readonly counts: CallCounts = { calls: 0, failed: 0 };
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  #open = 0;
  #idleWaiters: (() => void)[] = [];

  /** Begins at once. `rate` is calls per second. */
  constructor(url: string, rate: number) {
    this.#url = new URL(url);
    this.#timer = setInterval(() => this.#call(), 1000 / rate);
  }

  /** `stop` makes no more calls, and resolves when all have been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    this.#agent.destroy();
  }

  #call(): void {
    this.#open++;
    this.counts.calls++;
    const path = `/reviews/${this.counts.calls % bookCount}`;
    const call = request({
      agent: this.#agent,
      host: this.#url.hostname,
      port: this.#url.port,
      path,
      headers: { host: 'reviews', 'user-agent': 'umbra-demo', 'x-request-id': randomUUID() },
    });
    call.on('response', (response) => {
      if (response.statusCode !== 200) this.counts.failed++;
      response.resume();
      response.on('error', () => {});
    });
    call.on('error', () => this.counts.failed++);
    call.on('close', () => this.#closed());
    call.end();
  }

  #closed(): void {
    this.#open--;
    if (this.#open === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}
