/**
 * Decides whether an expression matches a whole text, in one pass over the text whatever the expression. A
 * state is the set of instructions that may come next. States and their transitions are computed when a text
 * first needs them and then kept (Thompson's construction, built lazily, as in RE2).
 */
import { limits } from '../limits.js';
import { Before, conditionsAt, kindOfByte, Op, type Program } from './program.js';

const byteValues = 256;
const byteMask = 0xff;
const unknown = -1;
/** The state from which nothing matches. */
const dead = 0;

export class Matcher {
  readonly #program: Program;
  /** Classes of bytes: no set or condition of the program distinguishes the bytes of a class. */
  readonly #classes: Uint8Array;
  readonly #width: number;
  /** One byte of each class. */
  readonly #samples: readonly number[];
  readonly #start: number;

  /** Indexed by state, like the next two. */
  #sets: Int32Array[] = [];
  #before: number[] = [];
  #accepts: boolean[] = [];
  #numbers = new Map<string, number>();
  /** The next state by state and class. */
  #next: Int32Array;

  readonly #seen: Uint32Array;
  #round = 0;
  readonly #stack: number[] = [];
  readonly #reached: number[] = [];

  constructor(program: Program) {
    this.#program = program;
    const { classes, samples } = byteClasses(program);
    this.#classes = classes;
    this.#samples = samples;
    this.#width = samples.length;
    this.#seen = new Uint32Array(program.ops.length);
    this.#next = new Int32Array(8 * this.#width).fill(unknown);
    this.#begin();
    this.#start = this.#state([program.start], Before.START);
  }

  /** `test` reads one byte of `text` from each char code. It allocates only when it reaches a new state. */
  test(text: string): boolean {
    const [classes, width] = [this.#classes, this.#width];
    let next = this.#next;
    let state = this.#start;
    for (let at = 0; at < text.length; at++) {
      const byte = text.charCodeAt(at) & byteMask;
      const known = next[state * width + classes[byte]];
      if (known === unknown) {
        state = this.#follow(state, byte);
        next = this.#next;
      } else state = known;
      if (state === dead) return false;
    }
    return this.#accepts[state];
  }

  #begin(): void {
    this.#sets = [];
    this.#before = [];
    this.#accepts = [];
    this.#numbers = new Map();
    this.#next.fill(unknown);
    this.#state([], Before.OTHER);
  }

  #follow(state: number, byte: number): number {
    const { ops, xs, ys, zs, sets, conditions } = this.#program;
    const sample = this.#samples[this.#classes[byte]];
    this.#close(this.#sets[state], conditionsAt(this.#before[state], sample));
    const reached = new Set<number>();
    for (let at of this.#reached) {
      if (ops[at] === Op.MATCH) continue;
      while (at >= 0 && sets[xs[at]][sample] === 0) at = zs[at];
      if (at >= 0) reached.add(ys[at]);
    }
    const set = [...reached].sort((a, b) => a - b);
    const before = conditions === 0 ? Before.OTHER : kindOfByte(sample);
    if (this.#sets.length < limits.regexStates) {
      const next = this.#state(set, before);
      this.#next[state * this.#width + this.#classes[byte]] = next;
      return next;
    }
    // All states are discarded and computed again when needed. That is slower, but still one pass.
    this.#begin();
    this.#state([this.#program.start], Before.START);
    return this.#state(set, before);
  }

  #state(set: readonly number[], before: number): number {
    const key = set.length === 0 ? '' : `${before} ${set}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#sets.push(Int32Array.from(set)) - 1;
    this.#numbers.set(key, number);
    this.#before.push(before);
    this.#close(set, conditionsAt(before, -1));
    this.#accepts.push(this.#reached.some((at) => this.#program.ops[at] === Op.MATCH));
    if ((number + 1) * this.#width > this.#next.length) {
      const grown = new Int32Array(2 * this.#next.length).fill(unknown);
      grown.set(this.#next);
      this.#next = grown;
    }
    return number;
  }

  /**
   * `#close` fills `#reached` with everything reachable from `set` without a byte, where `holds` are the
   * current conditions.
   */
  #close(set: Iterable<number>, holds: number): void {
    const { ops, xs, ys } = this.#program;
    const [stack, reached, seen] = [this.#stack, this.#reached, this.#seen];
    const round = ++this.#round;
    reached.length = 0;
    for (const at of set) stack.push(at);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at] === round) continue;
      seen[at] = round;
      if (ops[at] === Op.SPLIT) stack.push(ys[at], xs[at]);
      else if (ops[at] === Op.SAVE) stack.push(ys[at]);
      else if (ops[at] === Op.ASSERT) {
        if ((xs[at] & ~holds) === 0) stack.push(ys[at]);
      } else reached.push(at);
    }
  }
}

function byteClasses({ sets, conditions }: Program): { classes: Uint8Array; samples: number[] } {
  const all = conditions === 0 ? sets : [...sets, setOfKind(Before.WORD), setOfKind(Before.NEWLINE)];
  let classes = new Uint8Array(byteValues);
  let samples = [0];
  for (const set of all) {
    /** The new class by the current class and membership in the set. */
    const numbers = new Int16Array(2 * samples.length).fill(unknown);
    const split = new Uint8Array(byteValues);
    samples = [];
    for (let byte = 0; byte < byteValues; byte++) {
      const key = classes[byte] * 2 + set[byte];
      if (numbers[key] === unknown) numbers[key] = samples.push(byte) - 1;
      split[byte] = numbers[key];
    }
    classes = split;
  }
  return { classes, samples };
}

function setOfKind(kind: number): Uint8Array {
  return Uint8Array.from({ length: byteValues }, (_, byte) => (kindOfByte(byte) === kind ? 1 : 0));
}
