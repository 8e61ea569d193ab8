/**
 * Keeps copies with one key in order on a shadow thread: one of them is under way, and each further one waits
 * until the one before it is over. A copy that arrives from another proxy thread's ring takes its place by
 * the time at which it was offered.
 *
 *   enter --> WAITING --advance--> UNDER WAY --leave--> the next one advances
 *                \--leave (aborted, cancelled)--> gone
 *
 * A copy advances only once every ring was read up to the time at which the copy was offered: a request that
 * the client sent earlier, on another connection, may still stand in the ring of another proxy thread.
 */
import { limits } from '../limits.js';

/** A copy as the queues see it; the links are the queues' own. */
export interface OrderedCopy {
  /** Of `OrderKey`. */
  readonly orderKey: number;
  /** When a proxy thread offered the copy, in microseconds of core/clock. */
  readonly offeredUs: number;
  nextInOrder: this | null;
  previousInOrder: this | null;
  /** The copy is first in its queue and every ring was read far enough. Called once; it may call `leave`. */
  advance(): void;
}

/** The copies of one key; the first one may be under way. Pooled. */
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

  /** Whether one more copy with this key would pass `limits.orderedPerKey` or `limits.orderedCopies`. */
  isFull(key: number): boolean {
    if (this.#count >= limits.orderedCopies) return true;
    const queue = this.#queues.get(key);
    return queue !== undefined && queue.count >= limits.orderedPerKey;
  }

  /** Puts a copy into the queue of its key. It advances in `advanceUpTo`, never within this call. */
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

  /** Takes a copy out, whether it waits or was under way. */
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
   * Advances the first copy of each queue that has none under way, where it was offered at `readUpToUs` or
   * before.
   */
  advanceUpTo(readUpToUs: number): void {
    if (this.#ready.size === 0) return;
    // A copy that ends within `advance` puts its key back into the set, which the same loop then visits once
    // more.
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
