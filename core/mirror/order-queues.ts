/**
 * Orders the copies of each key on a shadow thread: one of them is under way, and each of the others waits
 * until the one before it has ended. A copy from another proxy thread's ring is inserted by the time at which
 * it was offered.
 *
 *   enter --> WAITING --advance--> UNDER WAY --leave--> the next one advances
 *                \--leave (aborted, cancelled)--> gone
 *
 * A copy advances only after every ring was read up to the time at which the copy was offered. A request that
 * the client sent earlier, on another connection, may still be in the ring of another proxy thread. A HEAD
 * that waits in its proxy thread because the ring is full is not seen, and may be passed.
 */
import { limits } from '../limits.js';

/** A copy as the queues see it. Only the queues use the links. */
export interface OrderedCopy {
  /** From `OrderKey`. */
  readonly orderKey: number;
  /** When a proxy thread offered the copy, in microseconds of core/clock. */
  readonly offeredUs: number;
  nextInOrder: this | null;
  previousInOrder: this | null;
  /** The copy is first in its queue and every ring was read far enough. Called once; it may call `leave`. */
  advance(): void;
}

/** The copies of one key; the first one may be under way. Queues are pooled. */
class Queue<C extends OrderedCopy> {
  first: C | null = null;
  last: C | null = null;
  count = 0;
  /** `first` has advanced. */
  underWay = false;
}

export class OrderQueues<C extends OrderedCopy> {
  readonly #queues = new Map<number, Queue<C>>();
  readonly #spare: Queue<C>[] = [];
  /** Keys whose first copy has not advanced. */
  readonly #ready = new Set<number>();
  #count = 0;

  /** Copies in all queues, waiting or under way. */
  get count(): number {
    return this.#count;
  }

  /**
   * `isFull` returns true when one more copy with this key would exceed `limits.orderedPerKey` or
   * `limits.orderedCopies`.
   */
  isFull(key: number): boolean {
    if (this.#count >= limits.orderedCopies) return true;
    const queue = this.#queues.get(key);
    return queue !== undefined && queue.count >= limits.orderedPerKey;
  }

  /**
   * `enter` puts a copy into the queue of its key. The copy advances in `advanceUpTo`, never within this
   * call.
   */
  enter(copy: C): void {
    const key = copy.orderKey;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = this.#spare.pop() ?? new Queue<C>();
      this.#queues.set(key, queue);
    }
    let after = queue.last;
    while (after !== null && after.offeredUs > copy.offeredUs && !(queue.underWay && after === queue.first))
      after = after.previousInOrder;
    const before = after === null ? queue.first : after.nextInOrder;
    copy.previousInOrder = after;
    copy.nextInOrder = before;
    if (after === null) queue.first = copy;
    else after.nextInOrder = copy;
    if (before === null) queue.last = copy;
    else before.previousInOrder = copy;
    queue.count++;
    this.#count++;
    if (!queue.underWay) this.#ready.add(key);
  }

  /** `leave` removes a copy, whether it waits or is under way. */
  leave(copy: C): void {
    const key = copy.orderKey;
    const queue = this.#queues.get(key)!;
    const { previousInOrder: before, nextInOrder: after } = copy;
    if (before === null) queue.first = after;
    else before.nextInOrder = after;
    if (after === null) queue.last = before;
    else after.previousInOrder = before;
    copy.previousInOrder = null;
    copy.nextInOrder = null;
    queue.count--;
    this.#count--;
    if (before === null) queue.underWay = false;
    if (queue.count === 0) {
      this.#queues.delete(key);
      this.#ready.delete(key);
      this.#spare.push(queue);
    } else if (before === null) this.#ready.add(key);
  }

  /**
   * `advanceUpTo` advances the first copy of each queue that has none under way, if the copy was offered at
   * `readUpToUs` or before.
   */
  advanceUpTo(readUpToUs: number): void {
    if (this.#ready.size === 0) return;
    // A copy that ends within `advance` returns its key to the set, and this loop visits it again.
    for (const key of this.#ready) {
      const queue = this.#queues.get(key)!;
      const copy = queue.first!;
      if (copy.offeredUs > readUpToUs) continue;
      this.#ready.delete(key);
      queue.underWay = true;
      copy.advance();
    }
  }
}
