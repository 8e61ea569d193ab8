/**
 * File descriptors that main holds back, so that a process that runs out of them recovers. Without a reserve
 * nothing can be done then: uSockets tries in an endless loop to accept, and neither the admin server nor a
 * new thread gets one (docs/decisions/075-out-of-descriptors.md). Main thread.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { limits } from '../../core/limits.js';

export interface DescriptorEvents {
  /** No descriptor was left; the reserve is free now. Called again at each check while the shortage lasts. */
  onShortage(checks: number): void;
  /** The reserve is whole again. */
  onRecovery(): void;
}

/** A shortage shows at the next check. */
const checkMs = 250;

export class DescriptorReserve {
  readonly #events: DescriptorEvents;
  readonly #size: number;
  #held: number[];
  /** Checks since the shortage began; 0 without one. */
  #shortageChecks = 0;
  #timer: NodeJS.Timeout;

  constructor(events: DescriptorEvents, size: number = limits.reservedDescriptors) {
    this.#events = events;
    this.#size = size;
    this.#held = openSome(size);
    this.#timer = setInterval(() => this.#check(), checkMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#release();
  }

  /**
   * Takes one more for a moment while the reserve is whole; in a shortage, tries to fill the reserve again.
   */
  #check(): void {
    const missing = this.#size - this.#held.length;
    const opened = openSome(missing + 1);
    if (opened.length > missing) {
      closeSync(opened.pop()!);
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
}

/** Opens `count` descriptors, or as many as there are. */
function openSome(count: number): number[] {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, 'r'));
  } catch {
    // EMFILE or ENFILE. The caller sees it by the number.
  }
  return opened;
}
