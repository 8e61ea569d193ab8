/** Finds one parameter in the query of a request target. */
import { Char } from '../http/chars.js';
import type { Span } from '../http/span.js';

const AMPERSAND = '&';
const AMPERSAND_CODE = 0x26;

/**
 * `findParameter` sets `span` to the value of the first parameter called `name` and returns true, or false
 * when there is none. The query begins with its question mark at `pathEnd` of `target`. A parameter without
 * an equals sign has the empty value. Name and value are compared as they arrived: percent-encoding and `+`
 * are not decoded. It allocates nothing.
 *
 * It searches for the name in the whole query, which is faster than stepping through the parameters. After a
 * match in a wrong place the search continues behind the next ampersand, so that a query full of such matches
 * costs no more than one with many parameters.
 */
export function findParameter(target: string, pathEnd: number, name: string, span: Span): boolean {
  const length = target.length;
  let start = pathEnd + 1;
  while (start < length) {
    const at = target.indexOf(name, start);
    if (at === -1) return false;
    const nameEnd = at + name.length;
    if (at === start || target.charCodeAt(at - 1) === AMPERSAND_CODE) {
      const behind = nameEnd < length ? target.charCodeAt(nameEnd) : AMPERSAND_CODE;
      if (behind === Char.EQUALS) {
        span.set(target, nameEnd + 1, partEnd(target, nameEnd + 1));
        return true;
      }
      if (behind === AMPERSAND_CODE) {
        span.set(target, nameEnd, nameEnd);
        return true;
      }
    }
    start = partEnd(target, nameEnd) + 1;
  }
  return false;
}

/** `partEnd` returns the end of the parameter that `from` is in. */
function partEnd(target: string, from: number): number {
  const ampersand = target.indexOf(AMPERSAND, from);
  return ampersand === -1 ? target.length : ampersand;
}
