/** Looks one cookie up in a request's field lines (RFC 6265, sections 4.2.1 and 5.4). */
import { fieldValue, isBlank } from '../http/fields.js';
import { Span } from '../http/span.js';

const SEMICOLON = ';';
const EQUALS = 0x3d;

const found = new Span();

/**
 * The value of the first cookie called `name` in the first Cookie field, as sent (quotes are part of it); null when
 * there is none. Cookie names keep their case. A user agent sends one Cookie field in HTTP/1.1.
 */
export function cookieValue(fields: string, name: string): string | null {
  const cookies = fieldValue(fields, 'cookie');
  if (cookies === null || !findCookie(cookies, 0, cookies.length, name, found)) return null;
  return found.toString();
}

/** The same within `text[from, to)`, the value of a Cookie field; sets `span`. False: there is none. Allocates nothing. */
export function findCookie(text: string, from: number, to: number, name: string, span: Span): boolean {
  let start = from;
  while (start < to) {
    while (start < to && isBlank(text.charCodeAt(start))) start++;
    const semicolon = text.indexOf(SEMICOLON, start);
    const end = semicolon === -1 || semicolon > to ? to : semicolon;
    const nameEnd = start + name.length;
    // A name has neither a semicolon nor an equals sign in it, so what is longer than this cookie is not its name.
    if (nameEnd < end && text.charCodeAt(nameEnd) === EQUALS && text.startsWith(name, start)) {
      span.setTrimmed(text, nameEnd + 1, end);
      return true;
    }
    start = end + 1;
  }
  return false;
}
