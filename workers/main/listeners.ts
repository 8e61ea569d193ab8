/**
 * The acceptors of all listeners, and the handles through which proxy threads get their connections. Main
 * thread.
 */
import type { ListenerPlan } from '../../core/plan.js';
import { openAcceptor } from '../downstream/acceptors.js';
import type { Acceptor } from '../downstream/downstream.js';
import type { InheritedSocket } from '../downstream/inherited.js';

export class Listeners {
  #acceptors: Acceptor[] = [];
  /** Handles of each proxy thread, by listener; null while it can accept no connections. */
  readonly #descriptors: (readonly unknown[] | null)[] = [];

  /** `http://127.0.0.1:8080`, one per listener, with the actual ports. */
  get urls(): string[] {
    return this.#acceptors.map(({ url }) => url);
  }

  /**
   * `open` opens every listener for the current threads. With `takeover` another process may have the
   * addresses. It rejects with one line that names the address that can't be bound.
   */
  async open(
    listeners: readonly ListenerPlan[],
    takeover: boolean,
    inherited: readonly (InheritedSocket | null)[],
  ): Promise<void> {
    for (const [index, listener] of listeners.entries()) {
      this.#acceptors.push(await openAcceptor(listener, takeover, inherited[index] ?? null));
      for (const [thread, descriptors] of this.#descriptors.entries())
        if (descriptors != null) this.#acceptors[index].addChild(thread, descriptors[index]);
    }
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.settled()));
  }

  /** `add` is called when a proxy thread can accept connections, through one handle for each listener. */
  add(thread: number, descriptors: readonly unknown[]): void {
    this.#descriptors[thread] = descriptors;
    for (const [index, acceptor] of this.#acceptors.entries()) acceptor.addChild(thread, descriptors[index]);
  }

  /** `replace` sets the thread's handle for one listener to `descriptor`. */
  replace(thread: number, listener: number, descriptor: unknown): void {
    const descriptors = this.#descriptors[thread];
    if (descriptors == null) return;
    this.#descriptors[thread] = descriptors.map((before, index) =>
      index === listener ? descriptor : before,
    );
    this.#acceptors[listener]?.addChild(thread, descriptor);
  }

  /** `remove` is called when the thread can accept no more connections. It may be called again. */
  remove(thread: number): void {
    if (this.#descriptors[thread] == null) return;
    this.#descriptors[thread] = null;
    for (const acceptor of this.#acceptors) acceptor.removeChild(thread);
  }

  stopListening(): void {
    for (const acceptor of this.#acceptors) acceptor.stopListening();
  }

  close(): void {
    for (const acceptor of this.#acceptors) acceptor.close();
  }
}
