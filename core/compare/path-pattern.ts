/**
 * A path as a pattern, by what its segments look like alone: `/users/17` is `/users/*`. A segment is a star
 * where it is a number, hexadecimal with a digit in it, a ULID, a long word with a digit in it (a UUID, a
 * hash, a token), or longer than `limits.endpointSegmentChars`. Segments past the bound are left out. Any
 * thread.
 */
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { limits } from '../limits.js';

const slash = 0x2f;
const star = 0x2a;
const hexChars = 8;
const ulidChars = 26;
const tokenChars = 20;

/** What a character of a segment may be part of; bits. */
const Is = { DIGIT: 1, HEX: 2, ULID: 4, WORD: 8 } as const;
const isOf = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code).toLowerCase();
  const isDigit = char >= '0' && char <= '9';
  const isLetter = char >= 'a' && char <= 'z';
  return (
    (isDigit ? Is.DIGIT : 0) |
    (isDigit || (char >= 'a' && char <= 'f') ? Is.HEX : 0) |
    (isDigit || (isLetter && !'ilou'.includes(char)) ? Is.ULID : 0) |
    (isDigit || isLetter || char === '_' || char === '-' ? Is.WORD : 0)
  );
});

/** The segments of gRPC's paths are names, however they look. */
export function patternOf(method: string, path: string): string {
  return method === GRPC_METHOD ? path : pathPattern(path);
}

export function pathPattern(path: string): string {
  return path
    .split('/', limits.endpointSegments + 1)
    .map((segment) => (isGenerated(segment, 0, segment.length) ? '*' : segment))
    .join('/');
}

/** Whether a client's request made the segment from `start` to `end`, and not the service's routes. */
function isGenerated(text: string, start: number, end: number): boolean {
  const chars = end - start;
  if (chars > limits.endpointSegmentChars) return true;
  let [all, any] = [chars === 0 ? 0 : 0xff, 0];
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    const bits = code < isOf.length ? isOf[code] : 0;
    all &= bits;
    any |= bits;
  }
  const hasDigit = (any & Is.DIGIT) !== 0;
  return (
    (all & Is.DIGIT) !== 0 ||
    ((all & Is.HEX) !== 0 && hasDigit && chars >= hexChars) ||
    ((all & Is.ULID) !== 0 && chars === ulidChars) ||
    ((all & Is.WORD) !== 0 && hasDigit && chars >= tokenChars)
  );
}

const firstOffset = 0x811c9dc5 | 0;
const secondOffset = 0x9747b28c | 0;
const firstPrime = 0x01000193;
const secondPrime = 0x5bd1e995;

/**
 * The pattern of a target as 64 bits, without making a text of it: two FNV-1a hashes. Different patterns have
 * different bits but for one chance in 2^64, which would add the counts of two endpoints up.
 */
export class PatternHash {
  first = 0;
  second = 0;

  /** `path` ends where `target` has a query or a fragment. */
  of(method: string, target: string): void {
    this.first = firstOffset;
    this.second = secondOffset;
    for (let at = 0; at < method.length; at++) this.#add(method.charCodeAt(at));
    const areNames = method === GRPC_METHOD;
    const pathEnd = endOfPath(target);
    for (let start = 0, count = 0; start <= pathEnd && count <= limits.endpointSegments; count++) {
      let end = start;
      while (end < pathEnd && target.charCodeAt(end) !== slash) end++;
      this.#add(slash);
      if (!areNames && isGenerated(target, start, end)) this.#add(star);
      else for (let at = start; at < end; at++) this.#add(target.charCodeAt(at));
      start = end + 1;
    }
  }

  #add(code: number): void {
    this.first = Math.imul(this.first ^ code, firstPrime);
    this.second = Math.imul(this.second ^ code, secondPrime);
  }
}

/** Where the path of a target ends: at its query, its fragment or its own end. */
export function endOfPath(target: string): number {
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === 0x3f || code === 0x23) return at;
  }
  return target.length;
}
