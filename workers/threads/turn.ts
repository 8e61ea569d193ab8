/**
 * The end of a turn of a thread's event loop: everything that the turn put into rings becomes visible then,
 * with one store and at most one bell per ring.
 */

/** While a full ring keeps frames waiting, it is tried again after this many milliseconds. */
const retryMs = 2;

export class TurnEnd {
  readonly #flush: () => boolean;
  readonly #run: () => void;
  #requested = false;

  /** `flush` returns true when something still waits for room. */
  constructor(flush: () => boolean) {
    this.#flush = flush;
    this.#run = () => {
      this.#requested = false;
      if (this.#flush() && !this.#requested) {
        this.#requested = true;
        setTimeout(this.#run, retryMs);
      }
    };
  }

  /** Asks for one flush at the end of this turn; asking again costs nothing. */
  request(): void {
    if (this.#requested) return;
    this.#requested = true;
    setImmediate(this.#run);
  }

  /** Flushes now: the thread is about to leave. */
  now(): boolean {
    return this.#flush();
  }
}
