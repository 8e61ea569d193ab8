/** The state of one address by its active health checks. */
export const Health = {
  /** No check has ended yet: the address is used as if healthy. */
  UNKNOWN: 0,
  HEALTHY: 1,
  UNHEALTHY: 2,
} as const;
export type Health = (typeof Health)[keyof typeof Health];

const STATE = 0;
const SINCE_US = 1;
const PASSED = 2;
const FAILED = 3;
const NUMBER = 4;
const WORDS = 5;

let created = 0;

/**
 * The result of one address's checks in shared memory. Only the prober's thread writes. Every proxy and
 * shadow thread reads the state with a plain load for each request, and sees a change within one cache miss.
 * The block outlives the prober.
 */
export class HealthBlock {
  readonly #words: Float64Array;

  /** `create` makes a numbered block. Only main may call it. */
  static create(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(WORDS * Float64Array.BYTES_PER_ELEMENT);
    new Float64Array(shared)[NUMBER] = ++created;
    return shared;
  }

  constructor(shared: SharedArrayBuffer) {
    this.#words = new Float64Array(shared, 0, WORDS);
  }

  /** Identifies the memory: a thread that receives a block twice has two objects for the same memory. */
  get number(): number {
    return this.#words[NUMBER]!;
  }

  get state(): Health {
    return this.#words[STATE] as Health;
  }

  /** When the state changed last, on the time line of core/clock. */
  get sinceUs(): number {
    return this.#words[SINCE_US]!;
  }

  /** Checks that passed since the address became known. */
  get passed(): number {
    return this.#words[PASSED]!;
  }

  get failed(): number {
    return this.#words[FAILED]!;
  }

  count(passed: boolean): void {
    this.#words[passed ? PASSED : FAILED]!++;
  }

  set(state: Health, sinceUs: number): void {
    this.#words[SINCE_US] = sinceUs;
    this.#words[STATE] = state;
  }
}
