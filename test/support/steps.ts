/**
 * Counts the steps of code instead of its time: how often each block of the product ran (V8's precise block
 * coverage), and how many characters or bytes its built-in searches and copies went over. The same run gives
 * the same count on every machine.
 */
import { type Profiler, Session } from 'node:inspector';

type Built = { length: number };
type Method = (this: Built, ...parameters: unknown[]) => unknown;
/** The steps of one call, from what it was called on, what it gave back, and its parameters. */
type Cost = (self: Built, result: unknown, parameters: readonly unknown[]) => number;

const searched: Cost = (self, found, [, from]) => {
  const start = typeof from === 'number' ? from : 0;
  return (typeof found === 'number' && found >= 0 ? found : self.length) - start + 1;
};
const whole: Cost = (self) => self.length;
const given: Cost = (_self, result) => (result as Built).length;

/** Built-ins whose steps V8 does not count, with what a call costs. */
const natives: readonly (readonly [prototype: object, name: string, cost: Cost])[] = [
  ...[String.prototype, Buffer.prototype, Array.prototype].flatMap((prototype) =>
    ['indexOf', 'includes'].map((name) => [prototype, name, searched] as const),
  ),
  ...['toLowerCase', 'toUpperCase', 'split', 'replace', 'trim'].map(
    (name) => [String.prototype, name, whole] as const,
  ),
  ...['slice', 'substring'].map((name) => [String.prototype, name, given] as const),
  [Buffer.prototype, 'latin1Slice', given],
  [Buffer.prototype, 'toString', given],
];

export class StepCounter {
  readonly #session = new Session();
  readonly #rooms: string;
  #native = 0;

  /**
   * Counts blocks of modules whose address holds `rooms`. Only modules that are imported after this call have
   * their blocks counted.
   */
  constructor(rooms: string) {
    this.#rooms = rooms;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  count(run: () => void): number {
    this.#blocks();
    this.#native = 0;
    const restore = natives.map(([prototype, name, cost]) => this.#patch(prototype, name, cost));
    try {
      run();
    } finally {
      for (const undo of restore) undo();
    }
    return this.#blocks() + this.#native;
  }

  stop(): void {
    this.#session.disconnect();
  }

  #patch(prototype: object, name: string, cost: Cost): () => void {
    const own = Object.getOwnPropertyDescriptor(prototype, name)!;
    const original = own.value as Method;
    const add = (steps: number): void => {
      this.#native += steps;
    };
    const counting: Method = function (...parameters) {
      const result = original.apply(this, parameters);
      add(cost(this, result, parameters));
      return result;
    };
    Object.defineProperty(prototype, name, { ...own, value: counting });
    return () => void Object.defineProperty(prototype, name, own);
  }

  /** Since the call before. */
  #blocks(): number {
    let steps = 0;
    const take = (error: Error | null, taken: Profiler.TakePreciseCoverageReturnType): void => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (!url.includes(this.#rooms)) continue;
        for (const { ranges } of functions) for (const { count } of ranges) steps += count;
      }
    };
    // The session is this thread's own: the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', take);
    return steps;
  }
}
