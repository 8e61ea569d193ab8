/**
 * The loop of a thread that takes copies out of rings: turn by turn while there are frames, parked at its
 * doorbell while there are none, and at the end until nothing is left.
 */
import { nowUs } from '../../core/clock.js';
import type { Doorbell } from '../../core/ring/doorbell.js';

/** Frames taken from one ring before sockets and files get their turn. */
const framesPerTurn = 256;
/** A parked thread looks around this often although nothing rang. */
const parkMs = 1000;
/** And this often while outcomes may come, which do not ring. */
const outcomesMs = 50;
/** How often a draining thread looks whether it is done. */
const drainCheckMs = 10;

export interface RingConsumer {
  /** Takes at most so many frames from each ring; how many it took. */
  drain(framesMax: number): number;
  isEmpty(): boolean;
  /** Something is open of which more may come without a bell. */
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
   * So long a loop that found something looks again before it parks. What comes meanwhile is taken in one go,
   * and proxy threads ring no bell for it: for who is in no hurry. 0: parks at once.
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
   * The proxy threads are gone: calls `done` once all is over. From `withinMs` on it calls `abort` every 10
   * ms until then.
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
