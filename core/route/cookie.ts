/** Looks one cookie up in a request's field lines (RFC 6265, sections 4.2.1 and 5.4). */
import { fieldValue, trimmedSlice } from '../http/fields.js';

const SEMICOLON = ';';
const EQUALS = '=';

/**
 * The value of the first cookie called `name` in the first Cookie field, as sent (quotes are part of it); null when
 * there is none. Cookie names keep their case. A user agent sends one Cookie field in HTTP/1.1.
 */
export function cookieValue(fields: string, name: string): string | null {
  const cookies = fieldValue(fields, 'cookie');
  if (cookies === null) return null;
  let start = 0;
  while (start < cookies.length) {
    const semicolon = cookies.indexOf(SEMICOLON, start);
    const end = semicolon === -1 ? cookies.length : semicolon;
    const nameStart = afterBlanks(cookies, start, end);
    if (cookies.startsWith(name, nameStart) && cookies.startsWith(EQUALS, nameStart + name.length)) {
      // A name that runs over the semicolon can't match: neither has one, and the `=` would lie behind it.
      return trimmedSlice(cookies, nameStart + name.length + 1, end);
    }
    start = end + 1;
  }
  return null;
}

function afterBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && (text[at] === ' ' || text[at] === '\t')) at++;
  return at;
}
