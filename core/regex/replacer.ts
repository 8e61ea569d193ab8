/**
 * Replaces the matches of an expression in time linear in the text. The search backtracks, and records each
 * pair of instruction and position that has failed, so that no pair is tried twice (RE2's BitState). Of
 * several matches the first one counts, as in Perl.
 */
import { Before, conditionsAt, kindOfByte, Op, type Program } from './program.js';

/** Literal text, and numbers of groups whose text is inserted. */
export type Replacement = readonly (string | number)[];

const bitsPerWord = 32;
const wordShift = 5;
const unset = -1;
/** Above this size a search releases its memory afterwards. */
const keptWords = 1 << 18;

/** Only one search runs at a time on a thread, so all expressions of the thread share this memory. */
let failed = new Uint32Array(1024);
let stack = new Int32Array(1024);

export class Replacer {
  readonly #program: Program;
  readonly #replacement: Replacement;
  readonly #whole: boolean;
  /** The bounds of each group; the first two are those of the whole match. */
  readonly #bounds: Int32Array;

  /** With `whole`, the expression must match the whole text. Otherwise every match is replaced. */
  constructor(program: Program, replacement: Replacement, whole: boolean) {
    this.#program = program;
    this.#replacement = replacement;
    this.#whole = whole;
    this.#bounds = new Int32Array(2 * (program.groups + 1));
  }

  /**
   * `replace` reads one byte of `text` from each char code. It skips an empty match at the end of another
   * match, as RE2 does.
   */
  replace(text: string): string {
    const words = ((text.length + 1) * this.#program.ops.length) / bitsPerWord + 1;
    if (failed.length < words) failed = new Uint32Array(words);
    else failed.fill(0, 0, words);
    const changed = this.#whole ? this.#replaceWhole(text) : this.#replaceAll(text);
    if (failed.length > keptWords) {
      failed = new Uint32Array(1024);
      stack = new Int32Array(1024);
    }
    return changed;
  }

  #replaceWhole(text: string): string {
    return this.#matchesAt(text, 0) ? this.#put(text) : text;
  }

  #replaceAll(text: string): string {
    let changed = '';
    let copied = 0;
    let lastEnd = unset;
    for (let from = 0; from <= text.length; ) {
      if (!this.#matchesAt(text, from)) {
        from++;
        continue;
      }
      const end = this.#bounds[1];
      this.#forgetAt(end);
      if (end === from && from === lastEnd) {
        from++;
        continue;
      }
      changed += text.slice(copied, from) + this.#put(text);
      copied = end;
      lastEnd = end;
      from = end;
    }
    return changed + text.slice(copied);
  }

  #put(text: string): string {
    let put = '';
    for (const part of this.#replacement) {
      if (typeof part === 'string') put += part;
      else if (this.#bounds[2 * part + 1] !== unset)
        put += text.slice(this.#bounds[2 * part], this.#bounds[2 * part + 1]);
    }
    return put;
  }

  /**
   * `#forgetAt` clears the failures at a position: after a match, only its last position can be reached
   * again.
   */
  #forgetAt(position: number): void {
    const size = this.#program.ops.length;
    for (let bit = position * size; bit < (position + 1) * size; bit++)
      failed[bit >>> wordShift] &= ~(1 << (bit % bitsPerWord));
  }

  /** `#matchesAt` fills `#bounds` if a match begins at `from`. */
  #matchesAt(text: string, from: number): boolean {
    const { ops, xs, ys, zs, sets, start } = this.#program;
    const bounds = this.#bounds.fill(unset);
    let depth = push(0, start, from);
    while (depth > 0) {
      let at = stack[--depth];
      let position = stack[--depth];
      if (at < 0) {
        bounds[-1 - at] = position;
        continue;
      }
      for (;;) {
        const bit = position * ops.length + at;
        if (((failed[bit >>> wordShift] >>> (bit % bitsPerWord)) & 1) === 1) break;
        failed[bit >>> wordShift] |= 1 << (bit % bitsPerWord);
        const op = ops[at];
        if (op === Op.BYTE) {
          if (position >= text.length) break;
          if (sets[xs[at]][text.charCodeAt(position) & 0xff] === 0) {
            at = zs[at];
            if (at < 0) break;
            continue;
          }
          position++;
        } else if (op === Op.SPLIT) {
          depth = push(depth, ys[at], position);
          at = xs[at];
          continue;
        } else if (op === Op.SAVE) {
          depth = push(depth, -1 - xs[at], bounds[xs[at]]);
          bounds[xs[at]] = position;
        } else if (op === Op.ASSERT) {
          if ((xs[at] & ~conditionsIn(text, position)) !== 0) break;
        } else {
          if (this.#whole && position < text.length) break;
          bounds[0] = from;
          bounds[1] = position;
          return true;
        }
        at = ys[at];
      }
    }
    return false;
  }
}

/**
 * `push` stores two numbers: an instruction and the position to try it at, or a group's bound and its
 * previous value.
 */
function push(depth: number, at: number, position: number): number {
  if (depth + 2 > stack.length) {
    const grown = new Int32Array(2 * stack.length);
    grown.set(stack);
    stack = grown;
  }
  stack[depth] = position;
  stack[depth + 1] = at;
  return depth + 2;
}

function conditionsIn(text: string, position: number): number {
  const before = position === 0 ? Before.START : kindOfByte(text.charCodeAt(position - 1) & 0xff);
  return conditionsAt(before, position < text.length ? text.charCodeAt(position) & 0xff : -1);
}
