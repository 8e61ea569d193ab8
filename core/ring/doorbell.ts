/**
 * `Doorbell` wakes one consumer thread. PARKED and BELL belong to the consumer thread and not to its rings,
 * because a shadow thread drains the rings of all proxy threads and parks once for all of them.
 *
 *   byte 0        4                                           128
 *   +------------+--------------------------------------------+
 *   | PARKED i32 | 1: the consumer waits, or is about to      |  set by the consumer, cleared by who rings
 *   +------------+--------------------------------------------+ 128
 *   | BELL   i32 | counts the rings, wraps                    |  written by whoever rings
 *   +------------+--------------------------------------------+ 256
 *
 * No wake-up is lost. All accesses are Atomics, so all threads see them in one order:
 *
 *   producer   1 store TAIL             consumer   a load BELL
 *              2 exchange PARKED to 0              b store PARKED = 1
 *              3 if it was 1: BELL += 1, notify    c load TAIL: empty?
 *                                                  d wait while BELL is what (a) saw
 *
 * Either (1) comes before (c), so the consumer sees the frame and does not wait. Or (c) comes before (1), so
 * (b) comes before (2) and the producer sees PARKED. Its (3) then comes after (a), so (d) returns at once or
 * is notified. Of several producers, the exchange lets only one ring.
 */

const FIELD_BYTES = 128;
const PARKED = 0;
const BELL = FIELD_BYTES / Int32Array.BYTES_PER_ELEMENT;

/**
 * `createDoorbell` makes a doorbell for one consumer thread and all its producers. Any thread may call it.
 */
export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * FIELD_BYTES);
}

/** The producers' and the consumer's end of a doorbell, over one SharedArrayBuffer. */
export class Doorbell {
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    if (shared.byteLength !== 2 * FIELD_BYTES) {
      throw new RangeError(`a doorbell has ${2 * FIELD_BYTES} bytes, not ${shared.byteLength}`);
    }
    this.#words = new Int32Array(shared);
  }

  /**
   * `ring` wakes the consumer if it is parked. A producer calls it after its store of TAIL. It costs about 20
   * ns when the consumer is awake.
   */
  ring(): void {
    // The load comes before the exchange: while the consumer is awake, the cache line stays shared between
    // all producers. Only the one write that wakes the consumer takes it from them.
    if (Atomics.load(this.#words, PARKED) === 0) return;
    if (Atomics.exchange(this.#words, PARKED, 0) === 1) this.strike();
  }

  /**
   * `strike` wakes the consumer whether PARKED is set or not; any thread may call it. It is for the rare
   * moments in which PARKED can't be trusted, because the thread that exchanged it may have died before it
   * rang.
   */
  strike(): void {
    Atomics.add(this.#words, BELL, 1);
    // All waiters, not one: a consumer that was replaced may have left its waiter behind.
    Atomics.notify(this.#words, BELL);
  }

  /**
   * `park` waits until the doorbell rings or `timeoutMs` have passed, whichever is first; only the consumer
   * calls it. It asks `isEmpty` once more after PARKED is set (step c above). It calls `wake` exactly once,
   * after it has returned, and every ring may be empty then. A parked thread is kept alive. A thread must not
   * park twice at once.
   */
  park(isEmpty: () => boolean, timeoutMs: number, wake: () => void): void {
    const words = this.#words;
    const bell = Atomics.load(words, BELL);
    Atomics.store(words, PARKED, 1);
    const waiting = isEmpty() ? Atomics.waitAsync(words, BELL, bell) : null;
    if (waiting === null || !waiting.async) {
      Atomics.store(words, PARKED, 0);
      setImmediate(wake);
      return;
    }
    // waitAsync has a time limit of its own, but Node keeps the timer of every wait until it is due, even
    // when the wait ended long before. At 270 bytes each, a thread that parks often would hold thousands. Our
    // own timer is cleared, and it keeps the thread alive, which a pending waitAsync does not. It ends the
    // wait through the bell, so there is one way out and no waiter stays behind.
    const timer = setTimeout(() => this.strike(), timeoutMs);
    waiting.value.then(() => {
      clearTimeout(timer);
      Atomics.store(words, PARKED, 0);
      wake();
    });
  }
}
