/**
 * Regular expressions in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), which Envoy, Istio
 * and Gateway API use. What RE2 rejects is rejected. In addition, Unicode classes (`\pL`) and `\C` are
 * rejected.
 */
import {
  type CodePoints,
  codePointMax,
  complement,
  folded,
  perlClasses,
  posixClasses,
  union,
} from './code-points.js';

export type RegexNode =
  | { readonly is: 'class'; readonly points: CodePoints }
  | { readonly is: 'sequence' | 'choice'; readonly parts: readonly RegexNode[] }
  /** A `max` of null is unbounded. */
  | {
      readonly is: 'repeat';
      readonly part: RegexNode;
      readonly min: number;
      readonly max: number | null;
      readonly greedy: boolean;
    }
  /** `index` counts from 1. */
  | { readonly is: 'group'; readonly part: RegexNode; readonly index: number }
  | { readonly is: 'assert'; readonly what: Assertion };

/** A condition on a position: `\A`, `\z`, `^` and `$` of lines, `\b` and `\B`. */
export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge';

export interface Regex {
  readonly root: RegexNode;
  readonly groups: number;
}

/** Its message completes a sentence that begins with the name of the expression. */
export class RegexError extends SyntaxError {}

/** RE2's own bound, for one repetition and for the product of nested ones. */
const repetitionMax = 1000;
const depthMax = 64;

/** `parseRegex` throws `RegexError` when the source is invalid. */
export function parseRegex(source: string): Regex {
  return new Parser(source).parse();
}

const newline: CodePoints = [0x0a, 0x0a];
const anything: CodePoints = [0, codePointMax];
const controls: ReadonlyMap<string, number> = new Map([
  ['a', 0x07],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
]);

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly ungreedy: boolean;
}

const flagNames: ReadonlyMap<string, keyof Flags> = new Map([
  ['i', 'ignoreCase'],
  ['m', 'multiline'],
  ['s', 'dotAll'],
  ['U', 'ungreedy'],
]);

class Parser {
  /** Code points, so that a character beyond the basic plane is one element. */
  readonly #source: readonly string[];
  #at = 0;
  #groups = 0;
  #depth = 0;
  readonly #names = new Set<string>();
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false, ungreedy: false };

  constructor(source: string) {
    this.#source = [...source];
  }

  parse(): Regex {
    const root = this.#choice(1);
    if (this.#at < this.#source.length) throw new RegexError('has a ) without its (');
    return { root, groups: this.#groups };
  }

  /** `repeated` is the product of the repetitions around this part. */
  #choice(repeated: number): RegexNode {
    if (++this.#depth > depthMax) throw new RegexError(`has groups more than ${depthMax} deep`);
    const outer = this.#flags;
    const parts = [this.#sequence(repeated)];
    while (this.#take('|')) parts.push(this.#sequence(repeated));
    this.#flags = outer;
    this.#depth--;
    return parts.length === 1 ? parts[0] : { is: 'choice', parts };
  }

  #sequence(repeated: number): RegexNode {
    const parts: RegexNode[] = [];
    let last: 'nothing' | 'part' | 'repeat' = 'nothing';
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      const start = this.#at;
      const repetition = this.#repetition();
      if (repetition !== null) {
        const operator = this.#source.slice(start, this.#at).join('');
        if (last === 'nothing') throw new RegexError(`has nothing that ${operator} could repeat`);
        if (last === 'repeat') throw new RegexError(`has a repetition of a repetition: ${operator}`);
        const part = parts.pop()!;
        parts.push({ is: 'repeat', part, ...repetition });
        checkRepetitions(parts.at(-1)!, repeated);
        last = 'repeat';
        continue;
      }
      const added = this.#atom(repeated);
      if (added.length > 0) last = 'part';
      // After `(?i)` there is nothing to repeat.
      else if (this.#source[start] === '(') last = 'nothing';
      parts.push(...added);
    }
    return parts.length === 1 ? parts[0] : { is: 'sequence', parts };
  }

  /**
   * `#repetition` returns null when the next character does not begin a repetition. A brace may be a literal
   * character.
   */
  #repetition(): { min: number; max: number | null; greedy: boolean } | null {
    const sign = this.#peek();
    let min = 0;
    let max: number | null = null;
    if (sign === '*') this.#at++;
    else if (sign === '+') {
      min = 1;
      this.#at++;
    } else if (sign === '?') {
      max = 1;
      this.#at++;
    } else if (sign === '{') {
      const found = /^\{(\d{1,9})(?:(,)(\d{0,9}))?\}/.exec(
        this.#source.slice(this.#at, this.#at + 24).join(''),
      );
      if (found === null) return null;
      min = Number(found[1]);
      if (found[2] === undefined) max = min;
      else if (found[3] !== '') max = Number(found[3]);
      if (Math.max(min, max ?? 0) > repetitionMax)
        throw new RegexError(`repeats more than ${repetitionMax} times: ${found[0]}`);
      if (max !== null && max < min)
        throw new RegexError(`has a repetition that ends before it begins: ${found[0]}`);
      this.#at += found[0].length;
    } else return null;
    const lazy = this.#take('?');
    return { min, max, greedy: lazy === this.#flags.ungreedy };
  }

  /** `#atom` returns no part, one part, or several for `\Q…\E`. */
  #atom(repeated: number): RegexNode[] {
    const sign = this.#source[this.#at++];
    switch (sign) {
      case '(':
        return this.#group(repeated);
      case '[':
        return [this.#bracket()];
      case '.':
        return [{ is: 'class', points: this.#flags.dotAll ? anything : complement(newline) }];
      case '^':
        return [{ is: 'assert', what: this.#flags.multiline ? 'line-start' : 'text-start' }];
      case '$':
        return [{ is: 'assert', what: this.#flags.multiline ? 'line-end' : 'text-end' }];
      case '\\':
        return this.#escape();
      default:
        return [this.#literal(sign.codePointAt(0)!)];
    }
  }

  #group(repeated: number): RegexNode[] {
    if (!this.#take('?')) return [this.#captured(repeated)];
    const rest = this.#source.slice(this.#at, this.#at + 200).join('');
    const named = /^P?<([^>]*)>/.exec(rest);
    if (named !== null && !/^[=!]/.test(rest.slice(1))) {
      const [all, name] = named;
      if (!/^\w+$/.test(name)) throw new RegexError(`has a group with a bad name: (?${all}`);
      if (this.#names.has(name)) throw new RegexError(`has two groups named ${name}`);
      this.#names.add(name);
      this.#at += all.length;
      return [this.#captured(repeated)];
    }
    const [set, on, off = ''] = /^([imsU]*)(?:-([imsU]+))?(?=[:)])/.exec(rest) ?? [];
    if (set === undefined || (set === '' && rest[0] === ')'))
      throw new RegexError(
        `has (?${rest.slice(0, 2)}, which RE2 does not know: it looks neither ahead nor back`,
      );
    this.#at += [...set].length;
    const outer = this.#flags;
    const changed: Record<keyof Flags, boolean> = { ...outer };
    for (const name of on) changed[flagNames.get(name)!] = true;
    for (const name of off) changed[flagNames.get(name)!] = false;
    this.#flags = changed;
    if (this.#take(')')) return [];
    this.#at++;
    const part = this.#choice(repeated);
    this.#close();
    this.#flags = outer;
    return [part.is === 'sequence' && part.parts.length === 0 ? { is: 'sequence', parts: [] } : part];
  }

  #captured(repeated: number): RegexNode {
    const index = ++this.#groups;
    const part = this.#choice(repeated);
    this.#close();
    return { is: 'group', part, index };
  }

  #close(): void {
    if (!this.#take(')')) throw new RegexError('has a ( without its )');
  }

  #escape(): RegexNode[] {
    const sign = this.#source[this.#at];
    const what = assertions.get(sign);
    if (what !== undefined) {
      this.#at++;
      return [{ is: 'assert', what }];
    }
    if (sign === 'Q') {
      const rest = this.#source.slice(this.#at + 1);
      const end = rest.findIndex((one, at) => one === '\\' && rest[at + 1] === 'E');
      const quoted = end < 0 ? rest : rest.slice(0, end);
      this.#at += 1 + quoted.length + (end < 0 ? 0 : 2);
      return quoted.map((one) => this.#literal(one.codePointAt(0)!));
    }
    const perl = this.#perlClass();
    if (perl !== null) return [{ is: 'class', points: this.#cased(perl) }];
    return [this.#literal(this.#character())];
  }

  /** `#perlClass` reads `\d` and the like after the backslash. */
  #perlClass(): CodePoints | null {
    const sign = this.#peek() ?? '';
    const points = perlClasses.get(sign.toLowerCase());
    if (points === undefined) return null;
    this.#at++;
    return perlClasses.has(sign) ? points : complement(points);
  }

  /** `#character` reads an escaped character after the backslash. */
  #character(): number {
    const sign = this.#source[this.#at++];
    if (sign === undefined) throw new RegexError('ends with a \\');
    const control = controls.get(sign);
    if (control !== undefined) return control;
    const rest = this.#source.slice(this.#at, this.#at + 12).join('');
    if (sign === 'x') {
      const found = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,8})\})/.exec(rest);
      const point = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
      if (!(point <= codePointMax)) throw new RegexError('has a \\x without two hexadecimal digits or {…}');
      this.#at += found![0].length;
      return point;
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(sign + rest);
    if (octal !== null) {
      this.#at += octal[0].length - 1;
      return Number.parseInt(octal[0], 8);
    }
    if (/^[!-/:-@[-^`{-~ ]$/.test(sign)) return sign.codePointAt(0)!;
    throw new RegexError(refusedEscapes.get(sign) ?? unknownEscape(sign));
  }

  #bracket(): RegexNode {
    const negated = this.#take('^');
    const ranges: number[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const posix = this.#posixClass();
      if (posix !== null) {
        ranges.push(...posix);
        continue;
      }
      const from = this.#member();
      if (typeof from !== 'number') {
        ranges.push(...from);
        continue;
      }
      const isRange = this.#peek() === '-' && this.#source[this.#at + 1] !== ']';
      if (isRange) this.#at++;
      const to = isRange ? this.#member() : from;
      if (typeof to !== 'number' || to < from) throw new RegexError('has a bad range in a class [...]');
      ranges.push(from, to);
    }
    this.#at++;
    const points = this.#cased(union(ranges));
    return { is: 'class', points: negated ? complement(points) : points };
  }

  #member(): number | CodePoints {
    const sign = this.#source[this.#at++];
    if (sign === undefined) throw new RegexError('has a [ without its ]');
    if (sign !== '\\') return sign.codePointAt(0)!;
    return this.#perlClass() ?? this.#character();
  }

  #posixClass(): CodePoints | null {
    const found = /^\[:(\^?)([^\]:]*):\]/.exec(this.#source.slice(this.#at, this.#at + 20).join(''));
    if (found === null) return null;
    const points = posixClasses.get(found[2]);
    if (points === undefined) throw new RegexError(`has an unknown class ${found[0]}`);
    this.#at += found[0].length;
    return found[1] === '' ? points : complement(points);
  }

  #literal(point: number): RegexNode {
    return { is: 'class', points: this.#cased([point, point]) };
  }

  #cased(points: CodePoints): CodePoints {
    return this.#flags.ignoreCase ? folded(points) : points;
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #take(sign: string): boolean {
    if (this.#source[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }
}

const assertions: ReadonlyMap<string | undefined, Assertion> = new Map([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word-edge'],
  ['B', 'no-word-edge'],
]);

const refusedEscapes: ReadonlyMap<string, string> = new Map([
  ['C', 'has \\C, which umbra does not support: name the characters'],
  ['p', 'has a Unicode class \\p, which umbra does not support: name the characters'],
  ['P', 'has a Unicode class \\P, which umbra does not support: name the characters'],
]);

function unknownEscape(sign: string): string {
  const why = /[1-9]/.test(sign) ? ': it has no references back to groups' : '';
  return `has \\${sign}, which RE2 does not know${why}`;
}

/** `checkRepetitions` multiplies nested repetitions. */
function checkRepetitions(node: RegexNode, outer: number): void {
  if (node.is === 'repeat') {
    const times = outer * Math.max(node.min, node.max ?? 0, 1);
    if (times > repetitionMax) throw new RegexError(`repeats a part more than ${repetitionMax} times in all`);
    checkRepetitions(node.part, times);
  } else if (node.is === 'group') checkRepetitions(node.part, outer);
  else if (node.is === 'sequence' || node.is === 'choice')
    for (const part of node.parts) checkRepetitions(part, outer);
}
