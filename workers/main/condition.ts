/** A condition that several callers may wait for. Main thread. */

interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: (held: boolean) => void;
  readonly timer: NodeJS.Timeout | undefined;
}

export class Condition {
  #waiters: Waiter[] = [];

  /**
   * Resolves with true when `holds` returns true, which is checked now and at each `notify`, or with false
   * after `withinMs`. Without `withinMs` there is no limit.
   */
  until(holds: () => boolean, withinMs?: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = withinMs === undefined ? undefined : setTimeout(() => this.#expire(waiter), withinMs);
      const waiter: Waiter = { holds, resolve, timer };
      this.#waiters.push(waiter);
    });
  }

  /** `notify` is called when something changed that a condition may depend on. */
  notify(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (!waiter.holds()) {
        this.#waiters.push(waiter);
        continue;
      }
      clearTimeout(waiter.timer);
      waiter.resolve(true);
    }
  }

  #expire(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
    waiter.resolve(false);
  }
}
