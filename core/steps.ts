/**
 * Long work on a thread that must not pause: a generator that yields wherever other work may be done in
 * between. What runs after its last `yield` is one step with what its end leads to.
 */
import { nowUs } from './clock.js';

export type Steps<T> = Generator<void, T>;

/** How long other work waits at most, but for the length of one step. */
const sliceUs = 1000;

/** Runs all steps without a pause: at the start of a thread, where nothing waits yet. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * In slices, an event-loop turn apart; `onDone` is called in the turn of the last one. What a step throws,
 * the turn throws.
 */
export function inSlices<T>(steps: Steps<T>, onDone: (result: T) => void): void {
  const slice = (): void => {
    const endUs = nowUs() + sliceUs;
    do {
      const { done, value } = steps.next();
      if (done) {
        onDone(value);
        return;
      }
    } while (nowUs() < endUs);
    setImmediate(slice);
  };
  slice();
}
