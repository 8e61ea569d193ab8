/**
 * The pool of analysts. Its callers bound the waiting tasks; the pool bounds the time and the memory of each
 * task. A failed task is repeated pair by pair, so that one bad pair costs no other. No thread is started
 * before the first task.
 */
import { availableParallelism } from 'node:os';
import type { Piscina } from 'piscina';
import { notComparedAtAll } from '../../core/compare/compare.js';
import type { Comparison } from '../../core/compare/difference.js';
import { limits } from '../../core/limits.js';
import { entryFile } from '../protocol/entry.js';
import type { AnalystTask, PairTask } from './analyst.js';

/** An analyst without work ends after this time, in milliseconds. */
const idleMs = 30_000;
const coresPerAnalyst = 4;

type AnalystPiscina = Piscina<AnalystTask, readonly Comparison[]>;

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
  #pool: Promise<AnalystPiscina> | null = null;
  #closed = false;

  constructor({ timeMs = limits.analystMs, heapMb = limits.analystHeapMb }: AnalystBounds = {}) {
    this.#timeMs = timeMs;
    this.#heapMb = heapMb;
  }

  /** `compare` returns one comparison for each pair, and none after the pool was closed. It never rejects. */
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
    await (await this.#pool)?.destroy();
  }

  /**
   * `#run` returns the comparisons, or why there are none. The bytes are copied, because a retry needs them
   * again.
   */
  async #run(pairs: readonly PairTask[]): Promise<readonly Comparison[] | 'timeout' | 'failed'> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#timeMs);
    try {
      this.#pool ??= this.#open();
      return await (await this.#pool).run({ pairs }, { signal: abort.signal });
    } catch {
      return abort.signal.aborted ? 'timeout' : 'failed';
    } finally {
      clearTimeout(timer);
    }
  }

  /** `#open` loads the pool's package with the first task, because most umbras compare nothing. */
  async #open(): Promise<AnalystPiscina> {
    const { Piscina } = await import('piscina');
    const pool: AnalystPiscina = new Piscina({
      filename: entryFile('control/analyst').href,
      // The options of the process (a profiler, a loader) are not meant for analysts, and their heap has no
      // room for them.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      minThreads: 0,
      maxThreads: this.threads,
      idleTimeout: idleMs,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#heapMb },
    });
    // The pool replaces a thread that dies between tasks. The failure of a task rejects its promise.
    pool.on('error', () => {});
    return pool;
  }
}
