/**
 * Hides secret members of a JSON text and leaves every other character as it is: a recording must not change numbers, order
 * or blanks. The text may be cut off or not be JSON at all: what was read by then is treated, and the rest as text of which
 * nothing is known.
 */
import type { PathState } from '../compare/json-path.js';
import { limits } from '../limits.js';
import { type Redaction, redacted } from '../redact.js';

const hidden = JSON.stringify(redacted);
const blanks = /[ \t\n\r]*/y;
const scalar = /[^\s,:[\]{}"]+/y;

/** The same object where nothing is hidden. */
export function redactJson(text: string, redaction: Redaction): string {
  return new JsonRedactor(text, redaction).run();
}

interface Level {
  readonly isObject: boolean;
  readonly state: PathState;
  index: number;
}

class JsonRedactor {
  readonly #text: string;
  readonly #redaction: Redaction;
  #at = 0;
  /** Up to here the text is in `#out`. */
  #written = 0;
  #out = '';

  constructor(text: string, redaction: Redaction) {
    this.#text = text;
    this.#redaction = redaction;
  }

  run(): string {
    const { paths } = this.#redaction;
    const levels: Level[] = [];
    let whole = this.#open(paths.root, levels);
    while (whole && levels.length > 0) whole = this.#next(levels);
    const rest = this.#text.slice(this.#at);
    const shown = this.#redaction.text(rest);
    if (this.#written === 0 && shown === rest) return this.#text;
    return this.#out + this.#text.slice(this.#written, this.#at) + shown;
  }

  /** The next member, item or end of the innermost level; false: this is no JSON, or it is cut off. */
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
    return this.#redaction.hidesMember(name, state) ? this.#hide() : this.#open(state, levels);
  }

  /** Passes a scalar, or goes into an object or a list. */
  #open(state: PathState, levels: Level[]): boolean {
    this.#skip(blanks);
    const first = this.#text[this.#at];
    if (first === '{' || first === '[') {
      if (levels.length >= limits.jsonDepth) return false;
      this.#at++;
      levels.push({ isObject: first === '{', state, index: 0 });
      return true;
    }
    const from = this.#at;
    if (!this.#skipString()) return this.#skip(scalar);
    const value = this.#text.slice(from, this.#at);
    const shown = this.#redaction.text(value);
    if (shown !== value) this.#replace(from, JSON.stringify(this.#redaction.text(nameOf(value))));
    return true;
  }

  /** Passes a whole value, however deep, and puts the mark in its place; what is cut off in it is hidden too. */
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

  /** Not by a pattern: a string of some megabytes would be too much for one. */
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

/** What a JSON string says; one that is not valid is taken as it stands. */
function nameOf(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}
