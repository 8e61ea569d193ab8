/**
 * Finds the fields of a few names in one pass over a request's field lines. The cost of a pass is that of
 * stepping over each line. It hardly depends on the number of names, because the first letter of most lines
 * rules out all of them.
 */
import { Char } from './chars.js';
import { Span } from './span.js';

/** Names are tokens (RFC 9110, section 5.1): ASCII. */
const CODES = 128;

/** Belongs to one owner, which adds names first and then reads one request after the other. */
export class NamedFields {
  /**
   * The names that begin with a code, linked by `NamedField.next`. Those that begin with a letter are listed
   * at both of its cases.
   */
  readonly #byFirstCode = new Array<NamedField | null>(CODES).fill(null);
  #count = 0;
  #pass = 0;

  /** `add` returns the same object for the same name. */
  add(lowerName: string): NamedField {
    const code = lowerName.charCodeAt(0);
    let last: NamedField | null = null;
    for (let field = this.#byFirstCode[code] ?? null; field !== null; field = field.next) {
      if (field.name === lowerName) return field;
      last = field;
    }
    const added = new NamedField(lowerName);
    if (last !== null) last.next = added;
    else if (code < CODES) {
      this.#byFirstCode[code] = added;
      if (code >= Char.LOWER_A && code <= Char.LOWER_Z) this.#byFirstCode[code - Char.CASE_BIT] = added;
    }
    this.#count++;
    return added;
  }

  /**
   * `read` finds the fields in `fields`, a wire string of field lines as in `fieldValue`, and discards the
   * previous results. It allocates nothing.
   */
  read(fields: string): void {
    const pass = (this.#pass + 1) & 0x3fffffff;
    this.#pass = pass;
    const byFirstCode = this.#byFirstCode;
    const length = fields.length;
    let left = this.#count;
    let line = 0;
    while (line < length && left > 0) {
      const lf = fields.indexOf('\n', line);
      const end = lf === -1 ? length : lf;
      const code = fields.charCodeAt(line);
      let field = code < CODES ? byFirstCode[code] : null;
      while (field !== null && !field.take(fields, line, end, pass)) field = field.next;
      if (field !== null) left--;
      line = end + 1;
    }
  }

  /**
   * `has` returns true when the last `read` found a field of `add`. `field.span` is then the first one of its
   * name.
   */
  has(field: NamedField): boolean {
    return field.foundIn === this.#pass;
  }
}

/** One name, and where it was found last. */
export class NamedField {
  readonly name: string;
  /**
   * The value with the white space around it. Trimming takes as long as finding the field, and not every
   * owner needs it.
   */
  readonly span = new Span();
  /**
   * The pass in which the name was found last; -1 for none, so that a name is not found when passes restart
   * from 0.
   */
  foundIn = -1;
  /** Another name with the same first letter. */
  next: NamedField | null = null;
  /** The char codes of the name, which are faster to read than those of a string. */
  readonly #codes: Uint8Array;

  constructor(lowerName: string) {
    this.name = lowerName;
    this.#codes = Buffer.from(lowerName, 'latin1');
  }

  /**
   * `take` returns true when the line `fields[line, end)`, whose first letter matches, is the first one of
   * this name in this pass.
   */
  take(fields: string, line: number, end: number, pass: number): boolean {
    const codes = this.#codes;
    const length = codes.length;
    const colon = line + length;
    // A name contains no colon, so this one byte rules out most lines with the same first letter.
    if (colon >= end || fields.charCodeAt(colon) !== Char.COLON || this.foundIn === pass) return false;
    for (let i = 1; i < length; i++) {
      let code = fields.charCodeAt(line + i);
      if (code >= Char.UPPER_A && code <= Char.UPPER_Z) code |= Char.CASE_BIT;
      if (code !== codes[i]) return false;
    }
    this.foundIn = pass;
    this.span.set(fields, colon + 1, end);
    return true;
  }
}
