/**
 * Hides secret members of a JSON text and leaves every other character as it is: a recording must not change
 * numbers, order or blanks. The text may be cut off or not be JSON at all: what was read by then is treated,
 * and the rest as text of which nothing is known.
 */
import type { PathState } from '../compare/json-path.js';
import { limits } from '../limits.js';
import type { Redaction } from '../redact.js';
import { isNameOfNames, isNameOfValues, redacted } from '../redact-text.js';

const hidden = JSON.stringify(redacted);
/** How deep JSON within strings of JSON is looked into. */
const nestedMax = 4;
const blanks = /[ \t\n\r]*/y;
const scalar = /[^\s,:[\]{}"]+/y;

/** Returns the same string where nothing is hidden. */
export function redactJson(text: string, redaction: Redaction): string {
  return new JsonRedactor(text, redaction, 0).run();
}

/** Whether the first character that is not blank opens an object or a list. */
export function beginsAsJson(text: string): boolean {
  blanks.lastIndex = 0;
  blanks.test(text);
  const first = text[blanks.lastIndex];
  return first === '{' || first === '[';
}

interface Level {
  readonly isObject: boolean;
  readonly state: PathState;
  index: number;
  /** A member has named a secret (`"name": "password"`), so the member that holds its value is hidden. */
  awaitsValue: boolean;
}

class JsonRedactor {
  readonly #text: string;
  readonly #redaction: Redaction;
  readonly #nested: number;
  #at = 0;
  /** The end of the text that is in `#out` already. */
  #written = 0;
  #out = '';

  constructor(text: string, redaction: Redaction, nested: number) {
    this.#text = text;
    this.#redaction = redaction;
    this.#nested = nested;
  }

  run(): string {
    const { paths } = this.#redaction;
    const levels: Level[] = [];
    let whole = true;
    // Documents may follow one another, as lines of JSON do.
    do {
      whole = this.#open(paths.root, levels);
      while (whole && levels.length > 0) whole = this.#next(levels);
      if (whole) this.#skip(blanks);
    } while (whole && (this.#text[this.#at] === '{' || this.#text[this.#at] === '['));
    const rest = this.#text.slice(this.#at);
    const shown = this.#redaction.text(rest);
    if (this.#written === 0 && shown === rest) return this.#text;
    return this.#out + this.#text.slice(this.#written, this.#at) + shown;
  }

  /** The next member, item or end of the innermost level; false: this is not JSON, or it is cut off. */
  #next(levels: Level[]): boolean {
    const level = levels[levels.length - 1];
    this.#skip(blanks);
    const first = this.#text[this.#at];
    if (first === (level.isObject ? '}' : ']')) {
      this.#at++;
      levels.pop();
      return true;
    }
    if (first === ',') {
      this.#at++;
      this.#skip(blanks);
    }
    const { paths } = this.#redaction;
    if (!level.isObject) {
      const state = paths.step(level.state, level.index++);
      return paths.hits(state) ? this.#hide() : this.#open(state, levels);
    }
    const from = this.#at;
    if (!this.#skipString()) return false;
    const name = nameOf(this.#text.slice(from, this.#at));
    this.#skip(blanks);
    if (this.#text[this.#at] !== ':') return false;
    this.#at++;
    const state = paths.step(level.state, name);
    const isAwaited = level.awaitsValue && isNameOfValues(name);
    if (isAwaited || this.#redaction.hidesMember(name, state)) return this.#hide();
    if (isNameOfNames(name)) level.awaitsValue = this.#redaction.hidesName(this.#peekString());
    return this.#open(state, levels);
  }

  /** Passes a scalar, or goes into an object or a list. */
  #open(state: PathState, levels: Level[]): boolean {
    this.#skip(blanks);
    const first = this.#text[this.#at];
    if (first === '{' || first === '[') {
      if (levels.length >= limits.jsonDepth) return false;
      this.#at++;
      levels.push({ isObject: first === '{', state, index: 0, awaitsValue: false });
      return true;
    }
    const from = this.#at;
    if (!this.#skipString()) return this.#skip(scalar);
    const value = this.#text.slice(from, this.#at);
    const shown = value.includes('\\') ? this.#escaped(value) : this.#redaction.text(value);
    if (shown !== value) this.#replace(from, shown);
    return true;
  }

  /** A string with escapes is read before it is searched, and may itself be JSON. */
  #escaped(value: string): string {
    const isWire = isWireString(value);
    const plain = nameOf(isWire ? fromWire(value) : value);
    const isJson = this.#nested < nestedMax && beginsAsJson(plain);
    const shown = isJson
      ? new JsonRedactor(plain, this.#redaction, this.#nested + 1).run()
      : this.#redaction.text(plain);
    if (shown === plain) return value;
    return isWire ? toWire(JSON.stringify(shown)) : JSON.stringify(shown);
  }

  /** The string that comes next; empty where something else does. */
  #peekString(): string {
    const from = this.#at;
    this.#skip(blanks);
    const start = this.#at;
    const name = this.#skipString() ? nameOf(this.#text.slice(start, this.#at)) : '';
    this.#at = from;
    return name;
  }

  /**
   * Passes a whole value, however deep, and puts the mark in its place; what is cut off in it is hidden too.
   */
  #hide(): boolean {
    this.#skip(blanks);
    const from = this.#at;
    let depth = 0;
    while (this.#at < this.#text.length) {
      const first = this.#text[this.#at];
      if (first === '"') {
        if (!this.#skipString()) this.#at = this.#text.length;
      } else if (first === '{' || first === '[') {
        depth++;
        this.#at++;
      } else if (first === '}' || first === ']') {
        if (depth === 0) break;
        depth--;
        this.#at++;
      } else if (first === ',' || first === ':') {
        if (depth === 0) break;
        this.#at++;
      } else if (!this.#skip(scalar)) this.#at++;
      if (depth === 0) break;
    }
    this.#replace(from, hidden);
    return this.#at < this.#text.length;
  }

  #replace(from: number, by: string): void {
    this.#out += this.#text.slice(this.#written, from) + by;
    this.#written = this.#at;
  }

  /** Looks for the end by index: a regular expression fails on a string of some megabytes. */
  #skipString(): boolean {
    if (this.#text[this.#at] !== '"') return false;
    let end = this.#text.indexOf('"', this.#at + 1);
    while (end >= 0 && isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) return false;
    this.#at = end + 1;
    return true;
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }
}

/** The value of a JSON string; one that is not valid is taken as it stands. */
function nameOf(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}

/** A wire string has a character for each byte of UTF-8. */
function isWireString(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0xff) return false;
  return true;
}

/** Returns the text as it is where its bytes are no UTF-8. */
function fromWire(wire: string): string {
  const text = Buffer.from(wire, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? wire : text;
}

function toWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}
