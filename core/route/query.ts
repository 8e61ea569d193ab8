/** Looks one parameter up in the query of a request target. */

const AMPERSAND = '&';
const EQUALS = 0x3d;

/**
 * The value of the first parameter called `name` in the query of `target`, which begins at `pathEnd` with its question
 * mark; null when there is none. A parameter without an equals sign has the empty value. Name and value are as they
 * arrived, like a route's path: percent-encoding and `+` are not decoded. Allocates only the result.
 */
export function queryValue(target: string, pathEnd: number, name: string): string | null {
  let start = pathEnd + 1;
  while (start < target.length) {
    const ampersand = target.indexOf(AMPERSAND, start);
    const end = ampersand === -1 ? target.length : ampersand;
    const nameEnd = start + name.length;
    // A name that runs over the ampersand can't match: it has none in it.
    if (nameEnd <= end && target.startsWith(name, start)) {
      if (nameEnd === end) return '';
      if (target.charCodeAt(nameEnd) === EQUALS) return target.slice(nameEnd + 1, end);
    }
    start = end + 1;
  }
  return null;
}
