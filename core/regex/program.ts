/**
 * A regular expression as instructions over bytes: umbra's strings hold one byte of a message in each char
 * code, and a character beyond ASCII is matched as its UTF-8 bytes.
 */
import { limits } from '../limits.js';
import { type ByteRange, type CodePoints, utf8Sequences } from './code-points.js';
import { type Assertion, type Regex, RegexError, type RegexNode } from './parse.js';

/** The operations of instructions; `x`, `y` and `z` are their operands. */
export const Op = {
  /**
   * Consumes a byte of set `x` and continues at `y`. For another byte it continues at `z`, also a BYTE,
   * unless `z` is -1.
   */
  BYTE: 0,
  /** Tries `x`, then `y`. */
  SPLIT: 1,
  /** Stores the position as bound `x` of the groups, and continues at `y`. */
  SAVE: 2,
  /** Continues at `y` if the conditions `x` (bits of `At`) hold. */
  ASSERT: 3,
  MATCH: 4,
} as const;

/** Conditions on a position, as bits. */
const At = {
  TEXT_START: 1,
  TEXT_END: 2,
  LINE_START: 4,
  LINE_END: 8,
  WORD_EDGE: 16,
  NO_WORD_EDGE: 32,
} as const;

const bitOf: Readonly<Record<Assertion, number>> = {
  'text-start': At.TEXT_START,
  'text-end': At.TEXT_END,
  'line-start': At.LINE_START,
  'line-end': At.LINE_END,
  'word-edge': At.WORD_EDGE,
  'no-word-edge': At.NO_WORD_EDGE,
};

export interface Program {
  readonly start: number;
  readonly ops: Uint8Array;
  readonly xs: Int32Array;
  readonly ys: Int32Array;
  readonly zs: Int32Array;
  /** Sets by number, with 256 members each: 1 for a byte in the set. */
  readonly sets: readonly Uint8Array[];
  /** All conditions that the program tests. */
  readonly conditions: number;
  readonly groups: number;
}

const asciiMax = 0x7f;
const byteValues = 256;
const none = -1;

/** `compileRegex` throws `RegexError` when the program would exceed `limits.regexInstructions`. */
export function compileRegex({ root, groups }: Regex): Program {
  return new Compiler().compile(root, groups);
}

/** Writes the program from its end, so that the successor of an instruction is known when it is written. */
class Compiler {
  readonly #ops: number[] = [];
  readonly #xs: number[] = [];
  readonly #ys: number[] = [];
  readonly #zs: number[] = [];
  readonly #sets: Uint8Array[] = [];
  readonly #setNumbers = new Map<string, number>();
  #conditions = 0;

  compile(root: RegexNode, groups: number): Program {
    const start = this.#write(root, this.#add(Op.MATCH, 0, 0));
    return {
      start,
      ops: Uint8Array.from(this.#ops),
      xs: Int32Array.from(this.#xs),
      ys: Int32Array.from(this.#ys),
      zs: Int32Array.from(this.#zs),
      sets: this.#sets,
      conditions: this.#conditions,
      groups,
    };
  }

  /** `#write` returns where `node` begins when `next` follows it. */
  #write(node: RegexNode, next: number): number {
    switch (node.is) {
      case 'class':
        return this.#class(node.points, next);
      case 'sequence':
        return node.parts.reduceRight((after, part) => this.#write(part, after), next);
      case 'choice':
        return this.#choice(node.parts.map((part) => this.#write(part, next)));
      case 'group':
        return this.#add(
          Op.SAVE,
          2 * node.index,
          this.#write(node.part, this.#add(Op.SAVE, 2 * node.index + 1, next)),
        );
      case 'assert':
        this.#conditions |= bitOf[node.what];
        return this.#add(Op.ASSERT, bitOf[node.what], next);
      case 'repeat':
        return this.#repeat(node, next);
    }
  }

  #repeat({ part, min, max, greedy }: Extract<RegexNode, { is: 'repeat' }>, next: number): number {
    let entry = next;
    let required = min;
    if (max === null) {
      const loop = this.#add(Op.SPLIT, next, next);
      const body = this.#write(part, loop);
      if (greedy) this.#xs[loop] = body;
      else this.#ys[loop] = body;
      entry = required > 0 ? body : loop;
      required = Math.max(0, required - 1);
    } else {
      for (let optional = min; optional < max; optional++) {
        const body = this.#write(part, entry);
        entry = greedy ? this.#add(Op.SPLIT, body, next) : this.#add(Op.SPLIT, next, body);
      }
    }
    for (; required > 0; required--) entry = this.#write(part, entry);
    return entry;
  }

  #choice(entries: readonly number[]): number {
    return entries.reduceRight((others, entry) => this.#add(Op.SPLIT, entry, others));
  }

  #class(points: CodePoints, next: number): number {
    const ascii = new Uint8Array(byteValues);
    for (let at = 0; at < points.length; at += 2)
      if (points[at] <= asciiMax) ascii.fill(1, points[at], Math.min(points[at + 1], asciiMax) + 1);
    const firsts: { first: Uint8Array; after: number }[] = [{ first: ascii, after: next }];
    /** Sequences with equal ends share them. */
    const tails = new Map<string, number>();
    for (const [lead, ...rest] of utf8Sequences(points)) {
      const after = rest.reduceRight((after, range) => {
        const tail = `${range} ${after}`;
        const known = tails.get(tail) ?? this.#add(Op.BYTE, this.#set(setOf(range)), after);
        tails.set(tail, known);
        return known;
      }, next);
      firsts.push({ first: setOf(lead), after });
    }
    const entries = firsts.map(({ first, after }) => this.#add(Op.BYTE, this.#set(first), after));
    const isDisjoint = ascii.every((_, byte) => firsts.filter(({ first }) => first[byte] === 1).length <= 1);
    if (!isDisjoint) return this.#choice(entries);
    // A byte matches only one of them, so no backtracking is needed.
    for (const [at, entry] of entries.entries()) this.#zs[entry] = entries[at + 1] ?? none;
    return entries[0];
  }

  #set(bytes: Uint8Array): number {
    const key = String.fromCharCode(...bytes);
    const known = this.#setNumbers.get(key);
    if (known !== undefined) return known;
    this.#setNumbers.set(key, this.#sets.length);
    return this.#sets.push(bytes) - 1;
  }

  #add(op: number, x: number, y: number): number {
    if (this.#ops.length >= limits.regexInstructions)
      throw new RegexError('is too large: repeat fewer parts, or fewer times');
    this.#xs.push(x);
    this.#ys.push(y);
    this.#zs.push(none);
    return this.#ops.push(op) - 1;
  }
}

function setOf([from, to]: ByteRange): Uint8Array {
  return new Uint8Array(byteValues).fill(1, from, to + 1);
}

/** The kind of the byte before a position, for the conditions. */
export const Before = { START: 0, WORD: 1, NEWLINE: 2, OTHER: 3 } as const;

const newline = 0x0a;
const word = setOf([0x30, 0x39]);
for (const [from, to] of [
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
])
  word.fill(1, from, to + 1);

export function kindOfByte(byte: number): number {
  if (word[byte] === 1) return Before.WORD;
  return byte === newline ? Before.NEWLINE : Before.OTHER;
}

/**
 * `conditionsAt` returns the conditions that hold between a byte of kind `before` and the byte `next`; -1 is
 * the end of the text.
 */
export function conditionsAt(before: number, next: number): number {
  let holds = 0;
  if (before === Before.START) holds |= At.TEXT_START | At.LINE_START;
  if (before === Before.NEWLINE) holds |= At.LINE_START;
  if (next < 0) holds |= At.TEXT_END | At.LINE_END;
  if (next === newline) holds |= At.LINE_END;
  const isEdge = (before === Before.WORD) !== (next >= 0 && word[next] === 1);
  return holds | (isEdge ? At.WORD_EDGE : At.NO_WORD_EDGE);
}
