/** The links that an element of a queue provides, so that the queue allocates nothing. */
export interface Linked<T> {
  nextWaiter: T | null;
  previousWaiter: T | null;
}

/** A first-in, first-out queue that any element can leave at any time. */
export class WaitQueue<T extends Linked<T>> {
  length = 0;
  first: T | null = null;
  #last: T | null = null;

  add(waiter: T): void {
    waiter.previousWaiter = this.#last;
    if (this.#last === null) this.first = waiter;
    else this.#last.nextWaiter = waiter;
    this.#last = waiter;
    this.length++;
  }

  remove(waiter: T): void {
    if (waiter.previousWaiter === null) this.first = waiter.nextWaiter;
    else waiter.previousWaiter.nextWaiter = waiter.nextWaiter;
    if (waiter.nextWaiter === null) this.#last = waiter.previousWaiter;
    else waiter.nextWaiter.previousWaiter = waiter.previousWaiter;
    waiter.nextWaiter = null;
    waiter.previousWaiter = null;
    this.length--;
  }
}
