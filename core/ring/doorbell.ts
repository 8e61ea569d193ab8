/**
 * Wakes one consumer thread. PARKED and BELL belong to the consumer thread and not to its rings, because a
 * shadow thread drains the rings of all proxy threads and must park once for all of them.
 *
 *   byte 0        4                                           128
 *   +------------+--------------------------------------------+
 *   | PARKED i32 | 1: the consumer waits, or is about to      |  set by the consumer, cleared by who rings
 *   +------------+--------------------------------------------+ 128
 *   | BELL   i32 | counts the rings, wraps                    |  written by whoever rings
 *   +------------+--------------------------------------------+ 256
 *
 * Why no wake-up is lost. All accesses are Atomics, so all threads see them in one order:
 *
 *   producer   1 store TAIL             consumer   a load BELL
 *              2 exchange PARKED to 0              b store PARKED = 1
 *              3 if it was 1: BELL += 1, notify    c load TAIL: empty?
 *                                                  d wait while BELL is what (a) saw
 *
 * Either (1) comes before (c), and the consumer sees the frame and does not wait; or (c) comes before (1),
 * hence (b) before (2), and the producer sees PARKED. Its (3) then comes after (a), so (d) returns at once or
 * is notified. Of several producers, the exchange lets one alone ring.
 */

const FIELD_BYTES = 128;
const PARKED = 0;
const BELL = FIELD_BYTES / Int32Array.BYTES_PER_ELEMENT;

/** A new doorbell; any thread. One for each consumer thread, shared with all its producers. */
export function createDoorbell(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * FIELD_BYTES);
}

/** The producers' and the consumer's end over one SharedArrayBuffer. */
export class Doorbell {
  readonly #words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    if (shared.byteLength !== 2 * FIELD_BYTES) {
      throw new RangeError(`a doorbell has ${2 * FIELD_BYTES} bytes, not ${shared.byteLength}`);
    }
    this.#words = new Int32Array(shared);
  }

  /**
   * Producer, after it stored TAIL: wakes the consumer if it is parked. About 20 ns when it is not.
   */
  ring(): void {
    // Loaded before it is exchanged: while the consumer is awake the line stays shared between the caches of
    // all producers, and only the one write that wakes it takes the line away from them.
    if (Atomics.load(this.#words, PARKED) === 0) return;
    if (Atomics.exchange(this.#words, PARKED, 0) === 1) this.strike();
  }

  /**
   * Any thread: wakes the consumer whether it says that it is parked or not. For the rare moments in which
   * PARKED can't be trusted, because the thread that exchanged it may have died before it rang.
   */
  strike(): void {
    Atomics.add(this.#words, BELL, 1);
    // All waiters, not one: a consumer that was replaced may have left its own behind.
    Atomics.notify(this.#words, BELL);
  }

  /**
   * Consumer: parks until rung or for `timeoutMs`, whichever is first. `isEmpty` is asked again once PARKED
   * is set (step c above). Calls `wake` exactly once, never before it returns. `wake` may find every ring
   * empty. A parked thread is kept alive; it must not be parked twice at once.
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
    // waitAsync has a time limit of its own, but Node keeps the timer of every wait until it is due, also
    // when the wait ended long before (270 bytes each, so a thread that parks often would hold thousands). A
    // timer of ours is cleared, and holds the thread alive, which a pending waitAsync does not. It ends the
    // wait through the bell, so that there is one way out and no waiter stays behind.
    const timer = setTimeout(() => this.strike(), timeoutMs);
    waiting.value.then(() => {
      clearTimeout(timer);
      Atomics.store(words, PARKED, 0);
      wake();
    });
  }
}
