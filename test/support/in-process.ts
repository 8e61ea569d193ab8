/** An umbra in the process of the test, whose threads the test can reach. */
import type { Worker } from 'node:worker_threads';
import { formatProblem, loadConfig } from '../../config/load.js';
import { type Stats, stats } from '../../core/report/stats.js';
import { Umbra } from '../../workers/main.js';
import type { FromControl, FromThread, LogMessage } from '../../workers/messages.js';
import { type ConfigWords, isAtRest, until } from './umbra.js';

export class InProcessUmbra {
  readonly umbra: Umbra;
  readonly logs: LogMessage[];
  readonly port: number;
  /** The threads at work, by name. */
  readonly #workers: Map<string, Worker>;
  /** Names of the threads that are about to be started, in order. */
  readonly #awaited: string[];
  readonly #onWorker: (worker: Worker) => void;

  private constructor(
    umbra: Umbra,
    logs: LogMessage[],
    workers: Map<string, Worker>,
    awaited: string[],
    onWorker: (worker: Worker) => void,
  ) {
    this.umbra = umbra;
    this.logs = logs;
    this.port = Number(new URL(umbra.listening[0]).port);
    this.#workers = workers;
    this.#awaited = awaited;
    this.#onWorker = onWorker;
  }

  /** `threads.proxy` and `threads.shadow` must be numbers. */
  static async start(words: ConfigWords): Promise<InProcessUmbra> {
    const loaded = loadConfig(JSON.stringify(words), 'test.yaml');
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    const { proxy, shadow } = loaded.config.threads as { proxy: number; shadow: number };
    // In the order in which main starts them.
    const awaited = [...named('shadow', shadow), ...named('proxy', proxy), 'control'];
    const workers = new Map<string, Worker>();
    const onWorker = (worker: Worker): void => {
      const name = awaited.shift() ?? 'unknown';
      worker.on('message', ({ type }: FromThread | FromControl) => {
        if (type === 'ready' || type === 'listening') workers.set(name, worker);
      });
    };
    process.on('worker', onWorker);
    const logs: LogMessage[] = [];
    const umbra = await Umbra.start({
      config: loaded.config,
      file: 'test.yaml',
      cores: 2,
      onLog: (message) => logs.push(message),
    });
    return new InProcessUmbra(umbra, logs, workers, awaited, onWorker);
  }

  stats(): Stats {
    return stats(this.umbra.read());
  }

  async atRest(): Promise<Stats> {
    await until(() => isAtRest(this.stats()), 'umbra is at rest').catch(() => {});
    return this.stats();
  }

  /** Makes the thread throw (`proxy-0`, `shadow-0`, `control`); resolves when its successor is at work. */
  async makeThrow(name: string): Promise<void> {
    const failing = this.#workers.get(name)!;
    this.#awaited.push(name);
    failing.postMessage({ type: 'no such message' });
    await until(() => this.#workers.get(name) !== failing, `${name} is replaced`);
  }

  async stop(): Promise<void> {
    await this.umbra.drain();
    process.off('worker', this.#onWorker);
  }
}

function named(kind: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index}`);
}
