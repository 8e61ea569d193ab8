/**
 * How many client connections each listener has, over all proxy threads, so that a bound on them is one number whatever the
 * threads. Shared memory: one row per listener, its total, then each thread's part of it, which main gives back when the
 * thread is dead. Counting costs two atomic additions a connection, and none a request.
 */
const TOTAL = 0;

/** Rows for `listeners`, each for `threads` proxy threads. */
export function createConnectionCounts(listeners: number, threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(listeners * (threads + 1) * Int32Array.BYTES_PER_ELEMENT);
}

/** One listener's row, as one thread counts in it. */
export class ConnectionCount {
  readonly #row: Int32Array;
  readonly #own: number;

  constructor(counts: SharedArrayBuffer, listener: number, thread: number, threads: number) {
    const words = threads + 1;
    this.#row = new Int32Array(counts, listener * words * Int32Array.BYTES_PER_ELEMENT, words);
    this.#own = thread + 1;
  }

  /** Over all threads. */
  get total(): number {
    return Atomics.load(this.#row, TOTAL);
  }

  /** Counts one more, unless there are `max`: then false, and nothing is counted. */
  open(max: number): boolean {
    if (Atomics.add(this.#row, TOTAL, 1) >= max) {
      Atomics.sub(this.#row, TOTAL, 1);
      return false;
    }
    Atomics.add(this.#row, this.#own, 1);
    return true;
  }

  close(): void {
    Atomics.sub(this.#row, TOTAL, 1);
    Atomics.sub(this.#row, this.#own, 1);
  }

  /** The thread is dead, and its connections with it. Called by main. */
  settle(): void {
    Atomics.sub(this.#row, TOTAL, Atomics.exchange(this.#row, this.#own, 0));
  }
}
