const HEX = 16;
const BYTE_VALUES = 256;
/** The number of ids that share one string except for their last four digits. */
const RUN = 0x1_0000;
const hexBytes = Array.from({ length: BYTE_VALUES }, (_, byte) => hex(byte, 2));

/**
 * Generates request ids in the form of a UUID of version 4: 74 random bits of this thread, then a counter
 * with a random start. They are as unique as random ones, for the cost of joining three strings. Whoever has
 * seen one can guess its neighbours, so an id is not a secret.
 */
export class RequestIds {
  readonly #prefix: string;
  #run = '';
  #next: number;

  /** `random` returns uniform integers from 0 to 2^32 - 1. */
  constructor(random: () => number) {
    const [a, b, c] = [random(), random(), random()];
    const version = `4${hex(b & 0xfff, 3)}`;
    const variant = hex(0x8000 | (c & 0x3fff), 4);
    // The last group has 48 bits: 16 of the thread, 32 of the counter.
    this.#prefix = `${hex(a, 8)}-${hex(b >>> 16, 4)}-${version}-${variant}-${hex(c >>> 16, 4)}`;
    this.#next = random();
    this.#startRun();
  }

  next(): string {
    const low = this.#next % RUN;
    if (low === 0) this.#startRun();
    this.#next = (this.#next + 1) % (RUN * RUN);
    return this.#run + hexBytes[low >>> 8] + hexBytes[low & 0xff];
  }

  #startRun(): void {
    this.#run = this.#prefix + hex(Math.floor(this.#next / RUN), 4);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(HEX).padStart(digits, '0');
}
