/**
 * Clients that each send at a fixed pace and measure from when a request was due (no coordinated omission).
 */
import { Agent } from 'node:http';
import { ask } from '../support/client.js';

/** How long clients waited. */
export class Waits {
  readonly failures: string[] = [];
  readonly #waitsMs: number[] = [];

  get requests(): number {
    return this.#waitsMs.length;
  }

  /** The longest wait of any client. */
  get slowestMs(): number {
    return this.#waitsMs.reduce((slowest, ms) => Math.max(slowest, ms), 0);
  }

  /** So long waited the slowest of 99 in 100. */
  get p99Ms(): number {
    const sorted = Float64Array.from(this.#waitsMs).sort();
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
  }

  /** `failure` is empty where there was none. */
  note(waitMs: number, failure: string): void {
    this.#waitsMs.push(waitMs);
    if (failure !== '') this.failures.push(failure);
  }

  add(other: Waits): void {
    for (const waitMs of other.#waitsMs) this.#waitsMs.push(waitMs);
    this.failures.push(...other.failures);
  }
}

/** Clients with kept connections of their own, which they have from one stretch to the next. */
export class PacedClients {
  readonly #port: number;
  readonly #count: number;
  readonly #agent: Agent;

  constructor(port: number, count: number) {
    this.#port = port;
    this.#count = count;
    this.#agent = new Agent({ keepAlive: true, maxSockets: count });
  }

  /** `perSecond` requests of all of them together for `seconds`; null: each as fast as it is answered. */
  async run(perSecond: number | null, seconds: number): Promise<Waits> {
    const waits = new Waits();
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    const paceMs = perSecond === null ? 0 : (this.#count * 1000) / perSecond;
    const client = async (index: number): Promise<void> => {
      // Clients do not send at the same moment.
      let dueMs = startMs + (paceMs * index) / this.#count;
      for (;;) {
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
        if (performance.now() >= endMs) return;
        const failure = await ask(this.#port, { agent: this.#agent, target: '/reviews' }).then(
          ({ status }) => (status === 200 ? '' : String(status)),
          String,
        );
        const nowMs = performance.now();
        waits.note(nowMs - dueMs, failure);
        dueMs = perSecond === null ? nowMs : dueMs + paceMs;
      }
    };
    await Promise.all(Array.from({ length: this.#count }, (_, index) => client(index)));
    return waits;
  }

  close(): void {
    this.#agent.destroy();
  }
}
