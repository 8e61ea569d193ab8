/** Which threads respond. Each counts a pulse twice a second (`workers/threads/pulse`). Main thread. */
import { ThreadCounters, ThreadField } from '../../core/record/thread-counters.js';

export interface WatchedThread {
  /** Its name in the log: `proxy thread 0`. */
  readonly name: string;
  readonly counters: SharedArrayBuffer;
}

/** Pulses are looked at once a second. */
const checkMs = 1000;
/**
 * A thread without a pulse at so many checks in a row is silent. Checks are counted instead of time: a
 * process that was stopped as a whole, by a signal or with its machine, is not silent when it continues.
 */
export const silentChecks = 10;

interface Watched {
  readonly counters: ThreadCounters;
  readonly pulses: number;
  /** Checks in a row without a new pulse. */
  readonly unchanged: number;
}

const nothingSeen = { pulses: -1, unchanged: 0 };

export class ThreadWatch {
  readonly #threads: () => readonly WatchedThread[];
  readonly #onChange: (name: string, silent: boolean) => void;
  #watched = new Map<string, Watched>();
  readonly #timer: NodeJS.Timeout;

  /**
   * `threads` returns those that should run now. `onChange` is called when a thread becomes silent, and when
   * it answers again.
   */
  constructor(threads: () => readonly WatchedThread[], onChange: (name: string, silent: boolean) => void) {
    this.#threads = threads;
    this.#onChange = onChange;
    this.#timer = setInterval(() => this.check(), checkMs);
    this.#timer.unref();
  }

  /** True while no thread is silent. A thread that is being replaced has as much time as any other. */
  get allAnswer(): boolean {
    for (const { unchanged } of this.#watched.values()) if (unchanged >= silentChecks) return false;
    return true;
  }

  /** `check` looks at all pulses. The timer calls it. */
  check(): void {
    const before = this.#watched;
    this.#watched = new Map();
    for (const { name, counters: shared } of this.#threads()) {
      const counters = before.get(name)?.counters ?? new ThreadCounters(shared);
      const pulses = counters.get(ThreadField.pulses);
      const { pulses: pulsesBefore, unchanged: unchangedBefore } = before.get(name) ?? nothingSeen;
      const unchanged = pulses === pulsesBefore ? unchangedBefore + 1 : 0;
      this.#watched.set(name, { counters, pulses, unchanged });
      if (unchanged === silentChecks) this.#onChange(name, true);
      else if (unchanged === 0 && unchangedBefore >= silentChecks) this.#onChange(name, false);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
