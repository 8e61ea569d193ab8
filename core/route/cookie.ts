/** Finds one cookie in a request's field lines (RFC 6265, sections 4.2.1 and 5.4). */
import { Char } from '../http/chars.js';
import { fieldValue, isBlank } from '../http/fields.js';
import { Span } from '../http/span.js';

const SEMICOLON = ';';
const SEMICOLON_CODE = 0x3b;

const cookies = new Span();
const found = new Span();

/**
 * `cookieValue` returns the value of the first cookie called `name` in the first Cookie field, as sent
 * (quotes included), or null when there is none. Cookie names are case-sensitive. A user agent sends one
 * Cookie field in HTTP/1.1.
 */
export function cookieValue(fields: string, name: string): string | null {
  const value = fieldValue(fields, 'cookie');
  if (value === null) return null;
  cookies.set(value, 0, value.length);
  return findCookie(cookies, name, found) ? found.toString() : null;
}

/**
 * `findCookie` sets `value` to the value of the cookie called `name` within the value of a Cookie field. It
 * returns false when there is none. It allocates nothing.
 *
 * It works as `findParameter` does (core/route/query): it searches for the name and, after a match in a wrong
 * place, continues behind the next semicolon.
 */
export function findCookie({ text, from, to }: Span, name: string, value: Span): boolean {
  let start = from;
  while (start < to) {
    const at = text.indexOf(name, start);
    const nameEnd = at + name.length;
    // A name contains neither a semicolon nor an equals sign, so the name and the equals sign behind it
    // belong to one cookie.
    if (at === -1 || nameEnd >= to) return false;
    const isRight = text.charCodeAt(nameEnd) === Char.EQUALS && beginsCookie(text, start, at);
    const semicolon = text.indexOf(SEMICOLON, nameEnd);
    const end = semicolon === -1 || semicolon > to ? to : semicolon;
    if (isRight) {
      value.setTrimmed(text, nameEnd + 1, end);
      return true;
    }
    start = end + 1;
  }
  return false;
}

/**
 * `beginsCookie` returns true when only white space is between `at` and the previous semicolon, or between
 * `at` and `from`, where a cookie begins.
 */
function beginsCookie(text: string, from: number, at: number): boolean {
  let before = at - 1;
  while (before >= from && isBlank(text.charCodeAt(before))) before--;
  return before < from || text.charCodeAt(before) === SEMICOLON_CODE;
}
