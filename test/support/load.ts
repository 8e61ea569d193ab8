/** Steady load over kept connections while something else happens. */
import { Agent } from 'node:http';
import { ask } from './client.js';
import { until } from './umbra.js';

/** Between an answer and the next request of a connection: the machine must have time for what is tested. */
const paceMs = 50;

export class Load {
  /** Answered with 200. */
  answered = 0;
  /** Why the others failed. */
  readonly failures: string[] = [];
  readonly #agent: Agent;
  readonly #workers: Promise<void>[];
  #stopping = false;

  constructor(port: number, connections: number, target: () => string = () => '/reviews') {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#workers = Array.from({ length: connections }, () => this.#work(port, target));
  }

  /** Resolves when this many more were answered. */
  async more(count: number): Promise<void> {
    const target = this.answered + count;
    await until(() => this.answered >= target, `${count} more requests are answered`);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  async #work(port: number, target: () => string): Promise<void> {
    while (!this.#stopping) {
      try {
        const { status } = await ask(port, { agent: this.#agent, target: target() });
        if (status === 200) this.answered++;
        else this.failures.push(String(status));
      } catch (error) {
        this.failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, paceMs));
    }
  }
}
