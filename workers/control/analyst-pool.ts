/**
 * The pool of analysts. Whoever feeds it bounds what is waiting; the pool bounds the time and the memory of
 * each task. A task that fails is tried again pair by pair, so that one bad pair costs no other. No thread is
 * started before the first task.
 */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { notComparedAtAll } from '../../core/compare/compare.js';
import type { Comparison } from '../../core/compare/difference.js';
import { limits } from '../../core/limits.js';
import { entryFile } from '../protocol/entry.js';
import type { AnalystTask, PairTask } from './analyst.js';

/** An analyst without work ends after this long. */
const idleMs = 30_000;
const coresPerAnalyst = 4;

export interface AnalystBounds {
  readonly timeMs?: number;
  readonly heapMb?: number;
}

export class AnalystPool {
  /** Tasks that may run at once. */
  readonly threads = Math.max(
    1,
    Math.min(limits.analysts, Math.floor(availableParallelism() / coresPerAnalyst)),
  );
  readonly #timeMs: number;
  readonly #heapMb: number;
  #pool: Piscina<AnalystTask, readonly Comparison[]> | null = null;
  #closed = false;

  constructor({ timeMs = limits.analystMs, heapMb = limits.analystHeapMb }: AnalystBounds = {}) {
    this.#timeMs = timeMs;
    this.#heapMb = heapMb;
  }

  /** One comparison for each pair; none when the pool is closed. Never rejects. */
  async compare(pairs: readonly PairTask[]): Promise<readonly Comparison[]> {
    const found = await this.#run(pairs);
    if (this.#closed) return [];
    if (typeof found !== 'string') return found;
    if (pairs.length === 1) return [notComparedAtAll(found)];
    const each: Comparison[] = [];
    for (const pair of pairs) each.push(...(await this.compare([pair])));
    return this.#closed ? [] : each;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool?.destroy();
  }

  /** Or why there is no comparison. The bytes are copied, because they may be needed once more. */
  async #run(pairs: readonly PairTask[]): Promise<readonly Comparison[] | 'timeout' | 'failed'> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeMs);
    try {
      return await this.#open().run({ pairs }, { signal: abort.signal });
    } catch {
      return abort.signal.aborted ? 'timeout' : 'failed';
    } finally {
      clearTimeout(timer);
    }
  }

  #open(): Piscina<AnalystTask, readonly Comparison[]> {
    if (this.#pool !== null) return this.#pool;
    const pool = new Piscina<AnalystTask, readonly Comparison[]>({
      filename: entryFile('control/analyst').href,
      // What the process was started with (a profiler, a loader) is not meant for analysts, nor has their
      // heap room for it.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      minThreads: 0,
      maxThreads: this.threads,
      idleTimeout: idleMs,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb },
    });
    // A thread of the pool that dies beside a task is replaced by the pool; the task's own failure is its
    // promise's.
    pool.on('error', () => {});
    this.#pool = pool;
    return pool;
  }
}
