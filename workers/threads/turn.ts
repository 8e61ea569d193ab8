/**
 * The end of a turn of a thread's event loop. Everything that the turn wrote to rings becomes visible then,
 * with one store and at most one ring of the doorbell per ring.
 */

/** Interval of retries while a full ring keeps frames waiting, in milliseconds. */
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

  /** `request` schedules one flush at the end of this turn; further calls cost nothing. */
  request(): void {
    if (this.#requested) return;
    this.#requested = true;
    setImmediate(this.#run);
  }

  /** `now` flushes at once, because the thread is about to leave. */
  now(): boolean {
    return this.#flush();
  }
}
