/**
 * Finds a field in a wire string of field lines, `name: value CRLF` each (RFC 9112, section 5). The lines are
 * scanned in place, because a map of all fields would be built for every request to look up one or two of
 * them.
 */
import { Char } from './chars.js';

/**
 * `fieldValue` returns the value of the first field named `lowerName` (lower case) without the white space
 * around it, or null when there is none. Names are compared in any case of ASCII, because a name is a token.
 * Any thread; only the result is allocated.
 */
export function fieldValue(fields: string, lowerName: string): string | null {
  const nameLength = lowerName.length;
  const end = fields.length;
  let line = 0;
  while (line < end) {
    const colon = line + nameLength;
    // A name contains no colon, so this one byte rules out most lines.
    if (fields.charCodeAt(colon) === Char.COLON && nameIs(fields, line, lowerName)) {
      return trimmedSlice(fields, colon + 1, lineEnd(fields, colon));
    }
    line = lineEnd(fields, line) + 1;
  }
  return null;
}

/**
 * `fieldValues` returns the values of all fields named `lowerName`, joined by `, ` in their order (RFC 9110,
 * section 5.3). Empty ones are left out.
 */
export function fieldValues(fields: string, lowerName: string): string {
  let joined = '';
  for (let line = 0; line < fields.length; line = lineEnd(fields, line) + 1) {
    const colon = line + lowerName.length;
    if (fields.charCodeAt(colon) !== Char.COLON || !nameIs(fields, line, lowerName)) continue;
    const value = trimmedSlice(fields, colon + 1, lineEnd(fields, colon));
    if (value !== '') joined += joined === '' ? value : `, ${value}`;
  }
  return joined;
}

/**
 * `trimmedSlice` returns `text` from `from` to `to` without the white space at both ends. `trim` would also
 * remove the byte 0xa0.
 */
export function trimmedSlice(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** `lineEnd` returns the position of the line's LF, or the end of the string. */
export function lineEnd(fields: string, from: number): number {
  const lf = fields.indexOf('\n', from);
  return lf === -1 ? fields.length : lf;
}

/** `nameIs` returns true when `lowerName` is at `start`, in any case. It ignores what follows. */
export function nameIs(fields: string, start: number, lowerName: string): boolean {
  for (let i = 0; i < lowerName.length; i++) {
    let code = fields.charCodeAt(start + i);
    if (code >= Char.UPPER_A && code <= Char.UPPER_Z) code |= Char.CASE_BIT;
    if (code !== lowerName.charCodeAt(i)) return false;
  }
  return true;
}

/** `isBlank` is true for OWS (RFC 9110, section 5.6.3) and for the characters of the line's end. */
export function isBlank(code: number): boolean {
  return code <= Char.SP && (code === Char.SP || code === Char.HTAB || code === Char.CR || code === Char.LF);
}
