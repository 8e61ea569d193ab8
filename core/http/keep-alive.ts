import { Char, equalsIgnoringCase } from './chars.js';
import type { ResponseHead } from './response-head.js';

const TIMEOUT = 'timeout';
/** A longer number is ignored: a year of seconds has eight digits. */
const DIGITS_MAX = 8;

/**
 * `keepAliveSeconds` returns the seconds of `Keep-Alive: timeout=N` (RFC 2068, section 19.7.1), for which the
 * server keeps the idle connection. It returns -1 when the response has no such value. It allocates nothing.
 */
export function keepAliveSeconds(head: ResponseHead): number {
  const row = head.keepAliveRow;
  if (row < 0) return -1;
  const { bytes } = head;
  const end = head.valueEnd(row);
  for (let at = head.valueStart(row); at < end; at = nextParameter(bytes, at, end)) {
    const nameEnd = at + TIMEOUT.length;
    if (nameEnd >= end || !equalsIgnoringCase(bytes, at, nameEnd, TIMEOUT)) continue;
    const equals = skipBlanks(bytes, nameEnd, end);
    if (bytes[equals] === Char.EQUALS) return numberAt(bytes, skipBlanks(bytes, equals + 1, end), end);
  }
  return -1;
}

function nextParameter(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== Char.COMMA) at++;
  return skipBlanks(bytes, at + 1, end);
}

function skipBlanks(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === Char.SP || bytes[at] === Char.HTAB)) at++;
  return at;
}

/** `numberAt` returns the number that begins at `start`, or -1 when there is none or it is too long. */
function numberAt(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let at = start;
  for (; at < end; at++) {
    const digit = bytes[at]! - Char.ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  const count = at - start;
  return count === 0 || count > DIGITS_MAX ? -1 : value;
}
