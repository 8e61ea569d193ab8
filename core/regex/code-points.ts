/** Sets of code points as sorted, disjoint ranges: `[from, to, from, to, …]`, both ends included. */
export type CodePoints = readonly number[];

export const codePointMax = 0x10ffff;
/** The last code point that UTF-8 encodes in one byte, which is the last one of ASCII. */
const oneByteMax = 0x7f;

const digit = [0x30, 0x39];
const word = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
const space = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20];

/** `\d`, `\s` and `\w` of RE2: ASCII only, and `\s` without the vertical tab. */
export const perlClasses: ReadonlyMap<string, CodePoints> = new Map([
  ['d', digit],
  ['s', space],
  ['w', word],
]);

/** The names in `[[:name:]]`. */
export const posixClasses: ReadonlyMap<string, CodePoints> = new Map([
  ['alnum', [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a]],
  ['alpha', [0x41, 0x5a, 0x61, 0x7a]],
  ['ascii', [0, 0x7f]],
  ['blank', [0x09, 0x09, 0x20, 0x20]],
  ['cntrl', [0, 0x1f, 0x7f, 0x7f]],
  ['digit', digit],
  ['graph', [0x21, 0x7e]],
  ['lower', [0x61, 0x7a]],
  ['print', [0x20, 0x7e]],
  ['punct', [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e]],
  ['space', [0x09, 0x0d, 0x20, 0x20]],
  ['upper', [0x41, 0x5a]],
  ['word', word],
  ['xdigit', [0x30, 0x39, 0x41, 0x46, 0x61, 0x66]],
]);

/** `union` returns the ranges sorted and merged. */
export function union(ranges: readonly number[]): CodePoints {
  const pairs: [number, number][] = [];
  for (let at = 0; at < ranges.length; at += 2) pairs.push([ranges[at], ranges[at + 1]]);
  pairs.sort(([a], [b]) => a - b);
  const merged: number[] = [];
  for (const [from, to] of pairs) {
    const last = merged.length - 1;
    if (last > 0 && from <= merged[last] + 1) merged[last] = Math.max(merged[last], to);
    else merged.push(from, to);
  }
  return merged;
}

export function complement(ranges: CodePoints): CodePoints {
  const rest: number[] = [];
  let next = 0;
  for (let at = 0; at < ranges.length; at += 2) {
    if (ranges[at] > next) rest.push(next, ranges[at] - 1);
    next = ranges[at + 1] + 1;
  }
  if (next <= codePointMax) rest.push(next, codePointMax);
  return rest;
}

/** Code points of a range that are folded: a range over several scripts has no case of its own. */
const foldedRangeMax = 512;

/**
 * `folded` returns `ranges` with the other cases of their letters. ASCII letters fold to ASCII letters only.
 * RE2 also folds `k` to U+212A and `s` to U+017F, and a client could send these where a version reads them as
 * other bytes.
 */
export function folded(ranges: CodePoints): CodePoints {
  const all = [...ranges];
  for (let at = 0; at < ranges.length; at += 2) {
    const to = Math.min(ranges[at + 1], ranges[at] + foldedRangeMax);
    for (let point = ranges[at]; point <= to; point++) {
      const text = String.fromCodePoint(point);
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const folded = other.codePointAt(0)!;
        const staysAscii = folded <= oneByteMax === point <= oneByteMax;
        if (staysAscii && String.fromCodePoint(folded) === other) all.push(folded, folded);
      }
    }
  }
  return union(all);
}

/** The first and last value of one byte of a UTF-8 sequence. */
export type ByteRange = readonly [from: number, to: number];

/** The last code points of one, two, three and four bytes, and the ends of the surrogates. */
const lengthEnds = [oneByteMax, 0x7ff, 0xd7ff, 0xdfff, 0xffff, codePointMax];
const continuation: ByteRange = [0x80, 0xbf];
/** Every sequence of two to four bytes. As in RE2, it includes overlong forms, which keeps programs small. */
const beyondAscii: readonly (readonly ByteRange[])[] = [
  [[0xc2, 0xdf], continuation],
  [[0xe0, 0xef], continuation, continuation],
  [[0xf0, 0xf4], continuation, continuation, continuation],
];

/** `utf8Sequences` returns the UTF-8 sequences of the code points of two bytes and more. */
export function utf8Sequences(ranges: CodePoints): (readonly ByteRange[])[] {
  const sequences: (readonly ByteRange[])[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    const [from, to] = [Math.max(ranges[at], oneByteMax + 1), ranges[at + 1]];
    if (from > to) continue;
    if (from === oneByteMax + 1 && to === codePointMax) sequences.push(...beyondAscii);
    else addSequences(from, to, sequences);
  }
  return sequences;
}

function addSequences(from: number, to: number, sequences: (readonly ByteRange[])[]): void {
  for (const end of lengthEnds) {
    if (from <= end && to > end) {
      addSequences(from, end, sequences);
      addSequences(end + 1, to, sequences);
      return;
    }
  }
  // Surrogates have no encoding.
  if (from >= 0xd800 && to <= 0xdfff) return;
  for (let bits = 6; bits < 24; bits += 6) {
    const mask = 2 ** bits - 1;
    if (Math.floor(from / 2 ** bits) === Math.floor(to / 2 ** bits)) continue;
    if ((from & mask) !== 0) {
      addSequences(from, from | mask, sequences);
      addSequences((from | mask) + 1, to, sequences);
      return;
    }
    if ((to & mask) !== mask) {
      addSequences(from, (to & ~mask) - 1, sequences);
      addSequences(to & ~mask, to, sequences);
      return;
    }
  }
  const [first, last] = [Buffer.from(String.fromCodePoint(from)), Buffer.from(String.fromCodePoint(to))];
  sequences.push([...first].map((byte, at): ByteRange => [byte, last[at]]));
}
