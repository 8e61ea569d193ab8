/** Looks one parameter up in the query of a request target. */
import type { Span } from '../http/span.js';

const AMPERSAND = '&';
const EQUALS = 0x3d;

/**
 * Sets `span` to the value of the first parameter called `name` in the query of `target`, which begins at `pathEnd` with its
 * question mark; false when there is none. A parameter without an equals sign has the empty value. Name and value are as they
 * arrived, like a route's path: percent-encoding and `+` are not decoded. Allocates nothing.
 */
export function findParameter(target: string, pathEnd: number, name: string, span: Span): boolean {
  let start = pathEnd + 1;
  while (start < target.length) {
    const ampersand = target.indexOf(AMPERSAND, start);
    const end = ampersand === -1 ? target.length : ampersand;
    const nameEnd = start + name.length;
    // A name that runs over the ampersand can't match: it has none in it.
    if (nameEnd <= end && (nameEnd === end || target.charCodeAt(nameEnd) === EQUALS)) {
      if (target.startsWith(name, start)) {
        span.set(target, Math.min(nameEnd + 1, end), end);
        return true;
      }
    }
    start = end + 1;
  }
  return false;
}
