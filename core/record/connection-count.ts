/**
 * Counts the client connections of each listener over all proxy threads, so that a bound applies to the
 * process and not to a thread. Shared memory has one row per listener: the total, then the part of each
 * thread, which main subtracts when the thread dies. A connection costs two atomic additions, and a request
 * none.
 */
const TOTAL = 0;
/** The word before the rows: 1 while no listener may accept. */
const CLOSED = 0;
const FIRST_ROW = 1;

/** `createConnectionCounts` makes the rows of `listeners`, each for `threads` proxy threads. */
export function createConnectionCounts(listeners: number, threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer((FIRST_ROW + listeners * (threads + 1)) * Int32Array.BYTES_PER_ELEMENT);
}

/** `closeToConnections` makes `open` refuse every connection of every listener while `closed` is true. */
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

  /** Connections over all threads. */
  get total(): number {
    return Atomics.load(this.#row, TOTAL);
  }

  /**
   * `open` counts one more connection and returns true. At `max` connections it returns false and counts
   * nothing.
   */
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

  /** `settle` subtracts the connections of a dead thread. Main calls it. */
  settle(): void {
    Atomics.sub(this.#row, TOTAL, Atomics.exchange(this.#row, this.#own, 0));
  }
}
