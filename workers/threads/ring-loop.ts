/**
 * The loop of a thread that reads copies from rings. It runs in turns while there are frames, is parked at
 * its doorbell while there are none, and finally drains.
 */
import { nowUs } from '../../core/clock.js';
import type { Doorbell } from '../../core/ring/doorbell.js';

/** Frames read from one ring before sockets and files get their turn. */
const framesPerTurn = 256;
/** A parked thread checks its rings at this interval even if the doorbell did not ring. */
const parkMs = 1000;
/** The same while outcomes are expected, which do not ring. */
const outcomesMs = 50;
/** Interval at which a draining thread checks whether it is done. */
const drainCheckMs = 10;

export interface RingConsumer {
  /** Reads at most `framesMax` frames from each ring and returns their number. */
  drain(framesMax: number): number;
  isEmpty(): boolean;
  /** An exchange is open that may receive more frames without a ring of the doorbell. */
  readonly awaitsOutcomes: boolean;
  readonly inFlight: number;
  refuseNew(): void;
}

export interface RingLoopDeps {
  readonly doorbell: Doorbell;
  readonly consumer: RingConsumer;
  /** The rings have been read for now. */
  onRead(): void;
  /**
   * Time in which a loop that read frames checks again before it parks, in milliseconds. Frames that arrive
   * meanwhile are read together, and proxy threads need not ring. It suits consumers that are not in a hurry.
   * 0 parks at once.
   */
  readonly lingerMs: number;
}

export class RingLoop {
  readonly #deps: RingLoopDeps;
  readonly #isEmpty: () => boolean;
  #foundSome = false;

  constructor(deps: RingLoopDeps) {
    this.#deps = deps;
    this.#isEmpty = () => deps.consumer.isEmpty();
  }

  readonly turn = (): void => {
    const { doorbell, consumer, lingerMs } = this.#deps;
    if (consumer.drain(framesPerTurn) > 0) {
      this.#foundSome = true;
      setImmediate(this.turn);
      return;
    }
    this.#deps.onRead();
    if (this.#foundSome && lingerMs > 0) {
      this.#foundSome = false;
      setTimeout(this.turn, lingerMs);
      return;
    }
    doorbell.park(this.#isEmpty, consumer.awaitsOutcomes ? outcomesMs : parkMs, this.turn);
  };

  /**
   * `drain` is called when the proxy threads are gone. It calls `done` when everything has ended. After
   * `withinMs` it calls `abort` every 10 ms until then.
   */
  drain(withinMs: number, abort: () => void, done: () => void): void {
    const { consumer } = this.#deps;
    const deadlineUs = nowUs() + withinMs * 1000;
    const check = (): void => {
      if (consumer.isEmpty() && consumer.inFlight === 0) {
        done();
        return;
      }
      if (nowUs() >= deadlineUs) {
        consumer.refuseNew();
        abort();
      }
      setTimeout(check, drainCheckMs);
    };
    check();
  }
}
