/**
 * How many client connections each listener has, over all proxy threads, so that a bound on them is one
 * number whatever the threads. Shared memory: one row per listener, its total, then each thread's part of it,
 * which main gives back when the thread is dead. Counting costs two atomic additions a connection, and none a
 * request.
 */
const TOTAL = 0;
/** Before the rows: 1 while no listener may accept. */
const CLOSED = 0;
const FIRST_ROW = 1;

/** Rows for `listeners`, each for `threads` proxy threads. */
export function createConnectionCounts(listeners: number, threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((FIRST_ROW + listeners * (threads + 1)) * Int32Array.BYTES_PER_ELEMENT);
}

/** While `closed`, `open` refuses every connection of every listener. */
export function closeToConnections(counts: SharedArrayBuffer, closed: boolean): void {
  Atomics.store(new Int32Array(counts), CLOSED, closed ? 1 : 0);
}

/** One listener's row, as one thread counts in it. */
export class ConnectionCount {
  readonly #all: Int32Array;
  readonly #row: Int32Array;
  readonly #own: number;

  constructor(counts: SharedArrayBuffer, listener: number, thread: number, threads: number) {
    const words = threads + 1;
    this.#all = new Int32Array(counts);
    this.#row = this.#all.subarray(FIRST_ROW + listener * words, FIRST_ROW + (listener + 1) * words);
    this.#own = thread + 1;
  }

  /** Over all threads. */
  get total(): number {
    return Atomics.load(this.#row, TOTAL);
  }

  /** Counts one more, unless there are `max`: then false, and nothing is counted. */
  open(max: number): boolean {
    if (Atomics.load(this.#all, CLOSED) === 1) return false;
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
