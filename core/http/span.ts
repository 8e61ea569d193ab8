/**
 * A part of a string that is read in place, so that comparisons need no slice. Its owner reuses it.
 */
import { isBlank } from './fields.js';

export class Span {
  text = '';
  from = 0;
  to = 0;

  set(text: string, from: number, to: number): void {
    this.text = text;
    this.from = from;
    this.to = to;
  }

  /**
   * `setTrimmed` sets the span without the white space at both ends; `trim` would also remove the byte 0xa0.
   */
  setTrimmed(text: string, from: number, to: number): void {
    let start = from;
    let end = to;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    this.set(text, start, end);
  }

  is(value: string): boolean {
    return this.to - this.from === value.length && standsAt(this.text, this.from, value);
  }

  beginsWith(value: string): boolean {
    return this.to - this.from >= value.length && standsAt(this.text, this.from, value);
  }

  /** `toString` allocates. */
  toString(): string {
    return this.text.slice(this.from, this.to);
  }
}

/** A call of `startsWith` takes as long as comparing this many char codes. */
const COMPARED_BY_CODE = 8;

/**
 * `standsAt` returns true when `value` is in `text` at `at`. `text` has at least `at + value.length`
 * characters.
 */
function standsAt(text: string, at: number, value: string): boolean {
  const length = value.length;
  if (length > COMPARED_BY_CODE) {
    // The last char code rules out most long texts.
    return text.charCodeAt(at + length - 1) === value.charCodeAt(length - 1) && text.startsWith(value, at);
  }
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(at + i) !== value.charCodeAt(i)) return false;
  }
  return true;
}
