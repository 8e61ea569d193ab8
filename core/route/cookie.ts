/** Looks one cookie up in a request's field lines (RFC 6265, sections 4.2.1 and 5.4). */
import { fieldValue, isBlank } from '../http/fields.js';
import { Span } from '../http/span.js';

const SEMICOLON = ';';
const SEMICOLON_CODE = 0x3b;
const EQUALS = 0x3d;

const cookies = new Span();
const found = new Span();

/**
 * The value of the first cookie called `name` in the first Cookie field, as sent (quotes are part of it);
 * null when there is none. Cookie names keep their case. A user agent sends one Cookie field in HTTP/1.1.
 */
export function cookieValue(fields: string, name: string): string | null {
  const value = fieldValue(fields, 'cookie');
  if (value === null) return null;
  cookies.set(value, 0, value.length);
  return findCookie(cookies, name, found) ? found.toString() : null;
}

/**
 * The same within the value of a Cookie field; sets `value`. False: there is none. Allocates nothing.
 *
 * Found as a parameter is (core/route/query): the name is searched for, and where it stands in a wrong place
 * the search goes on behind the next semicolon.
 */
export function findCookie({ text, from, to }: Span, name: string, value: Span): boolean {
  let start = from;
  while (start < to) {
    const at = text.indexOf(name, start);
    const nameEnd = at + name.length;
    // A name has neither a semicolon nor an equals sign in it, so it and the equals sign behind it are one
    // cookie's.
    if (at === -1 || nameEnd >= to) return false;
    const isRight = text.charCodeAt(nameEnd) === EQUALS && beginsCookie(text, start, at);
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
 * Whether only white space stands between `at` and the semicolon before it, or `from`, where a cookie begins.
 */
function beginsCookie(text: string, from: number, at: number): boolean {
  let before = at - 1;
  while (before >= from && isBlank(text.charCodeAt(before))) before--;
  return before < from || text.charCodeAt(before) === SEMICOLON_CODE;
}
