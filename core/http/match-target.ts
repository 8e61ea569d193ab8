/**
 * The path that routes match. Most servers treat `/x/../admin`, `/./admin` and `/%61dmin` as `/admin`, so
 * routes must too. Versions get the path as it arrived.
 */
import { Char, hexValueOf, NOT_HEX } from './chars.js';

/**
 * `normalizedTarget` returns `target` (a wire string) with its path normalized as in RFC 3986, section 6.2.2:
 * percent signs of unreserved characters are decoded and dot segments removed. A backslash counts as a slash,
 * as in Envoy. With `mergesSlashes` several slashes in a row become one. The query is kept. It returns the
 * same string when nothing changes.
 */
export function normalizedTarget(target: string, mergesSlashes: boolean): string {
  if (target.charCodeAt(0) !== Char.SLASH) return target;
  const query = target.indexOf('?');
  const pathEnd = query < 0 ? target.length : query;
  if (!mayChange(target, pathEnd)) return target;
  const path = withoutDots(decoded(target.slice(0, pathEnd)), mergesSlashes);
  return path + target.slice(pathEnd);
}

/**
 * `mayChange` is a fast pre-filter: most paths have no percent sign, no backslash, and neither a dot nor a
 * slash after a slash.
 */
function mayChange(target: string, end: number): boolean {
  let before = 0;
  for (let at = 0; at < end; at++) {
    const code = target.charCodeAt(at);
    if (code === Char.PERCENT || code === Char.BACKSLASH) return true;
    if (before === Char.SLASH && (code === Char.DOT || code === Char.SLASH)) return true;
    before = code;
  }
  return false;
}

function decoded(path: string): string {
  let result = '';
  let kept = 0;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === Char.BACKSLASH) {
      result += `${path.slice(kept, at)}/`;
      kept = at + 1;
    } else if (code === Char.PERCENT && at + 2 < path.length) {
      const high = hexValueOf[path.charCodeAt(at + 1)] ?? NOT_HEX;
      const low = hexValueOf[path.charCodeAt(at + 2)] ?? NOT_HEX;
      if (high === NOT_HEX || low === NOT_HEX || !isUnreserved(high * 16 + low)) continue;
      result += path.slice(kept, at) + String.fromCharCode(high * 16 + low);
      kept = at + 3;
      at += 2;
    }
  }
  return result + path.slice(kept);
}

/** `withoutDots` follows RFC 3986, section 5.2.4. */
function withoutDots(path: string, mergesSlashes: boolean): string {
  const kept: string[] = [];
  const segments = path.split('/');
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i]!;
    const isDots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    // A path that ends in dots names a directory, so it keeps the slash before them.
    if (isDots && i === last) kept.push('');
    if (isDots || (mergesSlashes && segment === '' && i < last)) continue;
    kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

function isUnreserved(code: number): boolean {
  const lower = code | 0x20;
  if (lower >= 0x61 && lower <= 0x7a && code < 0x80) return true;
  return (
    (code >= 0x30 && code <= 0x39) || code === 0x2d || code === Char.DOT || code === 0x5f || code === 0x7e
  );
}
