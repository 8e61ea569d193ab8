/**
 * Hides secrets in text of which nothing is known. One pass by index, with bounded looks ahead and no regular
 * expression: a text that tries to be slow takes as many steps as any other of its length.
 *
 * What is hidden, with `S` for the secret:
 *
 *   password=S  token: "S"  'pwd' => 'S'      what is assigned to a secret name
 *   {\"password\":\"S\"}                         the same in JSON that is cut off, or is a string of JSON
 *   ?token=S&api%5Fkey=S  %26token%3DS        parameters, also in a URL that is a parameter itself
 *   user[password]=S  user.pin=S              the last part of a name that has parts
 *   <password>S</password>                    elements of XML, with their attributes
 *   name="password" value="S"                 pairs that hold a name and a value
 *   https://ada:S@host/                       user information
 *   Bearer S  Basic S  Negotiate S            credentials of HTTP authentication
 *   eyJ….S.S                                  JSON web tokens
 *
 * A name that is not secret hides nothing of what follows it: `login failed: password=S` has two assignments.
 *
 * The file is long because every look ahead works on one text and one position.
 */
import {
  bareEnd,
  Code,
  hexDigit,
  isAuthorityCode,
  isCredentialCode,
  isNameCode,
  isSpace,
  isWordCode,
  lineEnd,
} from './redact-chars.js';

/** What stands in place of a secret. */
export const redacted = '[redacted]';

/** What a text is searched for. */
export interface TextRules {
  /** Whether what is assigned to `name`, anywhere, is secret. */
  hidesName(name: string): boolean;
  /** Whether a parameter of a query or a field of a form called `name` is secret. */
  hidesParameter(name: string): boolean;
  /** Whether credentials that are known by their form alone are hidden. */
  readonly hidesCredentials: boolean;
}

/** Returns the same string where nothing is hidden. `isForm`: the text begins with a parameter. */
export function redactText(text: string, rules: TextRules, isForm: boolean): string {
  return new TextRedactor(text, rules, isForm).run();
}

/** White space between a name, its sign and its value: more of it, and they do not belong together. */
const gapMax = 4;
/** Backslashes before a quote or a `u`: three levels of JSON in JSON have seven. */
const backslashesMax = 8;
/** Characters of a longer name that are looked at: its end. */
const nameCharsMax = 256;
const schemes = ['bearer', 'basic', 'negotiate', 'ntlm'];
const schemeCharsMin = 6;
const tokenStart = 'eyJ';
const tokenPartCharsMin = 9;
/** Names whose value is itself a name, and names whose value belongs to it. */
const namesOfNames = ['name', 'key', 'id', 'field'];
const namesOfValues = ['value', 'content', 'val'];

interface Assignment {
  readonly name: string;
  /** The code of `=` or `:`. */
  readonly sign: number;
  /** It stands in a query or a form. */
  readonly isParameter: boolean;
  /** Its sign is percent-encoded. */
  readonly coded: boolean;
}

/** Whether a pair's member called `name` holds the name of the pair. */
export function isNameOfNames(name: string): boolean {
  return namesOfNames.includes(name.toLowerCase());
}

/** Whether a pair's member called `name` holds its value. */
export function isNameOfValues(name: string): boolean {
  return namesOfValues.includes(name.toLowerCase());
}

class TextRedactor {
  readonly #text: string;
  readonly #rules: TextRules;
  readonly #isForm: boolean;
  #at = 0;
  #out = '';
  /** Up to here the text is in `#out`. */
  #written = 0;
  /** What `#read` found: the decoded character at a place, and how many characters it takes there. */
  #code = 0;
  #width = 1;
  /** A secret name was the value of the last `name`: the next `value` is secret. */
  #awaitsValue = false;

  constructor(text: string, rules: TextRules, isForm: boolean) {
    this.#text = text;
    this.#rules = rules;
    this.#isForm = isForm;
  }

  run(): string {
    const text = this.#text;
    while (this.#at < text.length) {
      const code = text.charCodeAt(this.#at);
      if (code === Code.LESS) this.#element();
      else if (code === Code.COLON && text.startsWith('://', this.#at)) this.#authority();
      else {
        this.#read(this.#at);
        if (isNameCode(this.#code)) this.#word();
        else this.#at += this.#width;
      }
    }
    return this.#written === 0 ? text : this.#out + text.slice(this.#written);
  }

  /** Reads the character at `at`: `%5F` and `\u005f` stand for `_`. */
  #read(at: number): void {
    const text = this.#text;
    this.#code = text.charCodeAt(at);
    this.#width = 1;
    if (this.#code === Code.PERCENT) this.#readHex(text, at + 1, 2, at);
    else if (this.#code === Code.BACKSLASH) {
      const end = this.#backslashesEnd(at);
      if (text.charCodeAt(end) === Code.LETTER_U) this.#readHex(text, end + 1, 4, at);
    }
  }

  #readHex(text: string, from: number, digits: number, start: number): void {
    let value = 0;
    for (let i = from; i < from + digits; i++) {
      const digit = i < text.length ? hexDigit(text.charCodeAt(i)) : -1;
      if (digit < 0) return;
      value = value * 16 + digit;
    }
    this.#code = value;
    this.#width = from + digits - start;
  }

  #backslashesEnd(at: number): number {
    let end = at;
    while (end - at < backslashesMax && this.#text.charCodeAt(end) === Code.BACKSLASH) end++;
    return end;
  }

  /** A run of the characters that names have, which may be a name, a scheme or a token. */
  #word(): void {
    const from = this.#at;
    let end = from;
    /** Up to here the run is decoded in `decoded`. */
    let copied = from;
    let decoded = '';
    while (end < this.#text.length) {
      this.#read(end);
      if (!isNameCode(this.#code)) break;
      if (this.#width > 1) {
        decoded += this.#text.slice(copied, end) + String.fromCharCode(this.#code);
        copied = end + this.#width;
      }
      end += this.#width;
    }
    this.#at = end;
    const name = decoded + this.#text.slice(Math.max(copied, end - nameCharsMax), end);
    if (this.#rules.hidesCredentials && (this.#token(from, end) || this.#scheme(name, end))) return;
    this.#assignment(name.slice(-nameCharsMax), from, end);
  }

  /** Hides a JSON web token in a run: parts divided by dots, the first a JSON object in base64url. */
  #token(from: number, end: number): boolean {
    const text = this.#text;
    let start = -1;
    for (let at = from; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code === Code.DOT) {
        if (start >= 0 && at - start >= tokenPartCharsMin && this.#isTokenRest(at + 1, end)) {
          this.#replace(start, end);
          return true;
        }
        start = -1;
      } else if (start < 0 && code === Code.LETTER_E && text.startsWith(tokenStart, at)) {
        if (at === from || !isWordCode(text.charCodeAt(at - 1))) start = at;
      }
    }
    return false;
  }

  /** Whether the second part of a token follows: a JSON object too, or anything with a third behind it. */
  #isTokenRest(from: number, end: number): boolean {
    if (this.#text.startsWith(tokenStart, from)) return true;
    let at = from;
    while (at < end && this.#text.charCodeAt(at) !== Code.DOT) at++;
    return at > from && at < end;
  }

  /** Hides what follows the name of an authentication scheme. */
  #scheme(name: string, end: number): boolean {
    if (!endsWithScheme(name)) return false;
    const start = this.#blanksEnd(end, Number.POSITIVE_INFINITY);
    if (start === end) return false;
    const credentialEnd = this.#credentialEnd(start);
    if (credentialEnd - start < schemeCharsMin) return false;
    this.#out += `${this.#text.slice(this.#written, end)} `;
    this.#written = start;
    this.#replace(start, credentialEnd);
    return true;
  }

  #credentialEnd(start: number): number {
    let end = start;
    while (end < this.#text.length && isCredentialCode(this.#text.charCodeAt(end))) end++;
    return end;
  }

  /** Where white space, as itself or coded, ends; after at most `max` of it. */
  #blanksEnd(from: number, max: number): number {
    let at = from;
    for (let count = 0; count < max && at < this.#text.length; count++) {
      this.#read(at);
      if (!isSpace(this.#code)) break;
      at += this.#width;
    }
    return at;
  }

  /** `from` to `end` is a run that may be a name: hides what is assigned to it, if it is secret. */
  #assignment(name: string, from: number, end: number): void {
    let at = end;
    this.#read(at);
    if (this.#code === Code.CLOSE_BRACKET) at += this.#width;
    at = this.#quoteEnd(at);
    at = this.#blanksEnd(at, gapMax);
    this.#read(at);
    const sign = this.#code;
    if (at >= this.#text.length || (sign !== Code.EQUALS && sign !== Code.COLON)) return;
    const coded = this.#width > 1;
    at += this.#width;
    this.#at = at;
    // `://` is no assignment, and `=>` and `:=` are.
    if (!coded && sign === Code.COLON && this.#text.startsWith('//', at)) {
      this.#at = at - 1;
      return;
    }
    const next = this.#text.charCodeAt(at);
    if ((sign === Code.EQUALS && next === Code.GREATER) || (sign === Code.COLON && next === Code.EQUALS))
      at++;
    const start = this.#blanksEnd(at, gapMax);
    const isParameter = sign === Code.EQUALS && this.#beginsParameter(from);
    if (this.#isSecret(name, isParameter)) {
      this.#replace(start, this.#valueEnd({ name, sign, isParameter, coded }, start));
    } else if (isNameOfNames(name)) this.#noteName(start);
  }

  #isSecret(name: string, isParameter: boolean): boolean {
    if (this.#awaitsValue && isNameOfValues(name)) {
      this.#awaitsValue = false;
      return true;
    }
    return isParameter ? this.#rules.hidesParameter(name) : this.#rules.hidesName(name);
  }

  /** The value at `start` is a name, if it is in quotes: whether that name is secret. */
  #noteName(start: number): void {
    const from = this.#quoteEnd(start);
    if (from === start) return;
    let end = from;
    while (end - from < nameCharsMax && isNameCode(this.#text.charCodeAt(end))) end++;
    this.#awaitsValue = this.#rules.hidesName(this.#text.slice(from, end));
  }

  /** Behind one quote, with the backslashes before it; `at` where there is none. */
  #quoteEnd(at: number): number {
    const quote = this.#backslashesEnd(at);
    const code = this.#text.charCodeAt(quote);
    if (code === Code.QUOTE || code === Code.APOSTROPHE) return quote + 1;
    return this.#isCoded(at, Code.QUOTE) ? at + this.#width : at;
  }

  #isCoded(at: number, code: number): boolean {
    if (at >= this.#text.length) return false;
    this.#read(at);
    return this.#code === code && this.#width > 1;
  }

  /** Whether a parameter of a query or a form may begin at `at`. */
  #beginsParameter(at: number): boolean {
    if (at === 0) return this.#isForm;
    const before = this.#text.charCodeAt(at - 1);
    if (before === Code.QUESTION || before === Code.AMPERSAND || before === Code.SEMICOLON) return true;
    if (before === Code.OPEN_BRACKET) return this.#isForm;
    const coded = this.#text.slice(Math.max(0, at - 3), at).toLowerCase();
    return coded === '%3f' || coded === '%26';
  }

  #valueEnd({ name, sign, isParameter, coded }: Assignment, start: number): number {
    const text = this.#text;
    const quote = this.#backslashesEnd(start);
    const first = text.charCodeAt(quote);
    if (!isParameter && (first === Code.QUOTE || first === Code.APOSTROPHE))
      return this.#quotedEnd(quote, quote - start, first);
    if (!isParameter && (first === Code.OPEN_BRACE || first === Code.OPEN_BRACKET))
      return this.#nestedEnd(start);
    if (sign === Code.COLON && isFieldOfParts(name)) return lineEnd(text, start);
    const end = isParameter ? this.#parameterEnd(start, coded) : bareEnd(text, start);
    // A scheme, and what it is a scheme of.
    if (!isParameter && endsWithScheme(text.slice(Math.max(start, end - nameCharsMax), end))) {
      return this.#credentialEnd(this.#blanksEnd(end, gapMax));
    }
    return end;
  }

  #parameterEnd(start: number, coded: boolean): number {
    let at = start;
    while (at < this.#text.length) {
      const code = this.#text.charCodeAt(at);
      if (code === Code.AMPERSAND || code === Code.HASH || code === Code.QUOTE) break;
      if (isSpace(code) || code === Code.LESS || code === Code.GREATER) break;
      if (coded && this.#isCoded(at, Code.AMPERSAND)) break;
      at++;
    }
    return at;
  }

  /**
   * Returns the place behind the quote that closes the one at `open`, before which stand `backslashes`. A
   * string in a string of JSON has 1, 3, 7 of them, and each of its own escapes doubles what stands before
   * it.
   */
  #quotedEnd(open: number, backslashes: number, quote: number): number {
    const text = this.#text;
    let before = 0;
    for (let at = open + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === Code.BACKSLASH) before++;
      else if (code === quote && before % (2 * (backslashes + 1)) <= backslashes) {
        if (before % (2 * (backslashes + 1)) === backslashes) return at + 1;
        before = 0;
      } else before = 0;
    }
    return text.length;
  }

  /** Behind the object or list that begins at `start`; what is cut off in it is a part of it. */
  #nestedEnd(start: number): number {
    const text = this.#text;
    let depth = 0;
    let inString = false;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (inString) {
        if (code === Code.BACKSLASH) at++;
        else if (code === Code.QUOTE) inString = false;
      } else if (code === Code.QUOTE) inString = true;
      else if (code === Code.OPEN_BRACE || code === Code.OPEN_BRACKET) depth++;
      else if (code === Code.CLOSE_BRACE || code === Code.CLOSE_BRACKET) {
        depth--;
        if (depth === 0) return at + 1;
      }
    }
    return text.length;
  }

  /** Hides what an element of XML with a secret name holds, and its attributes. */
  #element(): void {
    const text = this.#text;
    const from = ++this.#at;
    this.#awaitsValue = false;
    let end = from;
    while (end < text.length && (isNameCode(text.charCodeAt(end)) || text.charCodeAt(end) === Code.COLON))
      end++;
    const name = text.slice(from, end);
    const short = name.slice(Math.max(name.lastIndexOf(':') + 1, name.length - nameCharsMax));
    if (name === '' || !this.#rules.hidesName(short)) return;
    const behind = text.charCodeAt(end);
    if (behind !== Code.GREATER && behind !== Code.SLASH && !isSpace(behind)) return;
    const tagEnd = text.indexOf('>', end);
    if (tagEnd < 0) {
      this.#replace(end, text.length);
      return;
    }
    const isEmpty = text.charCodeAt(tagEnd - 1) === Code.SLASH;
    const attributesEnd = isEmpty ? tagEnd - 1 : tagEnd;
    const attributes = this.#blanksEnd(end, Number.POSITIVE_INFINITY);
    if (attributes < attributesEnd) this.#replace(attributes, attributesEnd);
    this.#at = tagEnd + 1;
    if (isEmpty) return;
    const close = text.indexOf(`</${name}`, tagEnd);
    this.#replace(tagEnd + 1, close < 0 ? text.length : close);
  }

  /** Hides user information behind `://`. */
  #authority(): void {
    const text = this.#text;
    const start = this.#at + '://'.length;
    let at = -1;
    let end = start;
    while (end < text.length && isAuthorityCode(text.charCodeAt(end))) {
      if (text.charCodeAt(end) === Code.AT) at = end;
      end++;
    }
    this.#at = start;
    if (at < 0 || !this.#rules.hidesCredentials) return;
    this.#replace(start, at);
  }

  /** Puts the mark in place of `start` to `end`, if there is anything. */
  #replace(start: number, end: number): void {
    this.#at = Math.max(this.#at, end);
    if (start >= end) return;
    this.#out += this.#text.slice(this.#written, start) + redacted;
    this.#written = end;
  }
}

/** Fields whose values have blanks and semicolons in them: all of the line is theirs. */
function isFieldOfParts(name: string): boolean {
  const lower = name.toLowerCase();
  return lower.endsWith('cookie') || lower.endsWith('authorization');
}

function endsWithScheme(name: string): boolean {
  const lower = name.slice(-16).toLowerCase();
  for (const scheme of schemes) {
    if (!lower.endsWith(scheme)) continue;
    const before = lower.charCodeAt(lower.length - scheme.length - 1);
    if (Number.isNaN(before) || !isWordCode(before)) return true;
  }
  return false;
}
