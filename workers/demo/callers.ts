/** The demo's clients: light load at an even rate. */

export interface CallCounts {
  calls: number;
  failed: number;
}

/** What makes the calls. */
export interface DemoClient {
  /** `number` counts calls from 1. `over` is called once, with whether the answer was as it should be. */
  call(number: number, over: (isGood: boolean) => void): void;
  close(): void;
}

export class Callers {
  readonly counts: CallCounts = { calls: 0, failed: 0 };
  readonly #client: DemoClient;
  readonly #timer: NodeJS.Timeout;
  #open = 0;
  #idleWaiters: (() => void)[] = [];

  /** Begins at once. `rate` is calls per second. */
  constructor(client: DemoClient, rate: number) {
    this.#client = client;
    this.#timer = setInterval(() => this.#call(), 1000 / rate);
  }

  /** `stop` makes no more calls, and resolves when all have been answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    this.#client.close();
  }

  #call(): void {
    this.#open++;
    this.counts.calls++;
    this.#client.call(this.counts.calls, (isGood) => {
      if (!isGood) this.counts.failed++;
      this.#open--;
      if (this.#open === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
    });
  }
}
