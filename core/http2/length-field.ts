import { Char } from '../http/chars.js';
import { ANY_LENGTH } from './stream.js';

/** Numbers of this many digits are exact. */
const DIGITS_MAX = 15;

/** The Content-Length of one message: digits, possibly in several equal fields (RFC 9110, section 8.6). */
export class LengthField {
  /** `ANY_LENGTH` if the message has none. */
  bytes: number = ANY_LENGTH;
  #text = '';

  begin(): void {
    this.bytes = ANY_LENGTH;
    this.#text = '';
  }

  /** Takes one field's value. False: malformed. */
  take(value: string): boolean {
    if (this.bytes !== ANY_LENGTH) return value === this.#text;
    if (value === '' || value.length > DIGITS_MAX) return false;
    let bytes = 0;
    for (let at = 0; at < value.length; at++) {
      const digit = value.charCodeAt(at) - Char.ZERO;
      if (digit < 0 || digit > 9) return false;
      bytes = bytes * 10 + digit;
    }
    this.bytes = bytes;
    this.#text = value;
    return true;
  }
}
