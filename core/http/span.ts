/** A part of a string that is looked at where it stands: nothing is sliced for a comparison. Reused by its owner. */
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

  /** Without the white space at both ends (OWS: not what `trim` takes, which is also the byte 0xa0). */
  setTrimmed(text: string, from: number, to: number): void {
    let start = from;
    let end = to;
    while (start < end && isBlank(text.charCodeAt(start))) start++;
    while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
    this.set(text, start, end);
  }

  beginsWith(value: string): boolean {
    return this.to - this.from >= value.length && this.text.startsWith(value, this.from);
  }

  /** Allocates. */
  toString(): string {
    return this.text.slice(this.from, this.to);
  }
}
