/**
 * File descriptors that main reserves, so that a process that runs out of them recovers. Without a reserve,
 * uSockets tries to accept in an endless loop, and neither the admin server nor a new thread gets a
 * descriptor (docs/decisions/075-out-of-descriptors.md). Main thread.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { limits } from '../../core/limits.js';

export interface DescriptorEvents {
  /**
   * No descriptor was left, and the reserve was released. Called again at each check while the shortage
   * lasts.
   */
  onShortage(checks: number): void;
  /** The reserve is complete again. */
  onRecovery(): void;
}

/** Interval of checks for a shortage. */
const checkMs = 250;

export class DescriptorReserve {
  readonly #events: DescriptorEvents;
  readonly #size: number;
  readonly #places: readonly string[];
  #held: number[];
  /** Checks since the shortage began; 0 without one. */
  #shortageChecks = 0;
  #timer: NodeJS.Timeout;

  /** `places` are paths that can be opened for reading; the first one that can is used. */
  constructor(
    events: DescriptorEvents,
    size: number = limits.reservedDescriptors,
    places: readonly string[] = [devNull, '/', process.execPath],
  ) {
    this.#events = events;
    this.#size = size;
    this.#places = places;
    this.#held = this.#open(size).opened;
    this.#timer = setInterval(() => this.#check(), checkMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#release();
  }

  /**
   * `#check` opens one more descriptor for a moment while the reserve is complete. In a shortage it tries to
   * fill the reserve again.
   */
  #check(): void {
    const missing = this.#size - this.#held.length;
    const { opened, isShort } = this.#open(missing + 1);
    if (!isShort) {
      const spare = opened.pop();
      if (spare !== undefined) closeSync(spare);
      this.#held.push(...opened);
      if (this.#shortageChecks === 0) return;
      this.#shortageChecks = 0;
      this.#events.onRecovery();
      return;
    }
    for (const fd of opened) closeSync(fd);
    this.#release();
    this.#events.onShortage(++this.#shortageChecks);
  }

  #release(): void {
    for (const fd of this.#held.splice(0)) closeSync(fd);
  }

  /**
   * `#open` opens `count` descriptors, or as many as possible. `isShort` is true where the system had no
   * more. A place that can't be opened for another reason, such as /dev/null in a bare folder, is no
   * shortage.
   */
  #open(count: number): { readonly opened: number[]; readonly isShort: boolean } {
    const opened: number[] = [];
    for (const place of this.#places) {
      try {
        while (opened.length < count) opened.push(openSync(place, 'r'));
        break;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'EMFILE' || code === 'ENFILE') return { opened, isShort: true };
      }
    }
    return { opened, isShort: false };
  }
}
