/**
 * JSON (RFC 8259) for comparison. Numbers keep their text, because two integers of 20 digits that differ
 * in the last one are the same double. Objects are maps, because a member may be called `__proto__`.
 * Depth and size are bounded, and a document past a bound is a `JsonFault`. `JSON.parse` does none of the
 * three.
 */
import { limits } from '../limits.js';

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type JsonObject = Map<string, Json>;
export type Json = null | boolean | string | JsonNumber | Json[] | JsonObject;

export class JsonFault extends Error {
  readonly reason: 'invalid-json' | 'invalid-document' | 'too-deep' | 'too-many-values';
  /** In characters. */
  readonly position: number;
  constructor(reason: JsonFault['reason'], position: number) {
    super(`${reason} at character ${position}`);
    this.reason = reason;
    this.position = position;
  }
}

/** Throws `JsonFault`. Of members with one name the last counts, as with `JSON.parse`. */
export function parseJson(text: string): Json {
  return new Parser(text).whole();
}

const blank = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string without an escape, as most strings are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 8259, section 7 forbids these in strings.
const plainString = /"([^"\\\u0000-\u001f]*)"/y;
const words: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Parser {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Json {
    this.#skip();
    const value = this.#value(0);
    this.#skip();
    if (this.#at !== this.#text.length) this.#fail('invalid-json');
    return value;
  }

  #value(depth: number): Json {
    if (depth > limits.jsonDepth) this.#fail('too-deep');
    if (++this.#values > limits.jsonValues) this.#fail('too-many-values');
    const char = this.#text[this.#at];
    if (char === '{') return this.#object(depth);
    if (char === '[') return this.#array(depth);
    if (char === '"') return this.#string();
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    return new JsonNumber(this.#take(number));
  }

  #object(depth: number): JsonObject {
    const members: JsonObject = new Map();
    this.#at++;
    this.#skip();
    if (this.#ends('}')) return members;
    do {
      this.#skip();
      if (this.#text[this.#at] !== '"') this.#fail('invalid-json');
      const name = this.#string();
      this.#skip();
      if (!this.#ends(':')) this.#fail('invalid-json');
      this.#skip();
      members.set(name, this.#value(depth + 1));
      this.#skip();
    } while (this.#ends(','));
    if (!this.#ends('}')) this.#fail('invalid-json');
    return members;
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    this.#skip();
    if (this.#ends(']')) return items;
    do {
      this.#skip();
      items.push(this.#value(depth + 1));
      this.#skip();
    } while (this.#ends(','));
    if (!this.#ends(']')) this.#fail('invalid-json');
    return items;
  }

  #string(): string {
    plainString.lastIndex = this.#at;
    const plain = plainString.exec(this.#text);
    if (plain !== null) {
      this.#at = plainString.lastIndex;
      return plain[1];
    }
    const text = this.#text;
    const start = this.#at;
    let end = start + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    try {
      const value = JSON.parse(text.slice(start, end + 1)) as string;
      this.#at = end + 1;
      return value;
    } catch {
      this.#fail('invalid-json');
    }
  }

  /** What the sticky `pattern` finds here. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) this.#fail('invalid-json');
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #ends(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    blank.lastIndex = this.#at;
    blank.exec(this.#text);
    this.#at = blank.lastIndex;
  }

  #fail(reason: JsonFault['reason']): never {
    throw new JsonFault(reason, this.#at);
  }
}
