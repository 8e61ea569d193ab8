/** How two lines that belong together differ, by their words. */
import { limits } from '../limits.js';
import { commonSubsequence } from './common-subsequence.js';

export interface WordDiff {
  /** What both lines have, with `…` for what differs. */
  readonly template: string;
  /** What differs, of either line. */
  readonly differing: readonly [string, string];
  /** Where the first line begins to differ, from 1. */
  readonly column: number;
}

/** A word has what numbers, dates, hashes and paths are made of, so that each of these is one. */
const words = /[\p{L}\p{N}_.:+/%-]+|\s+|./gsu;
const gap = '…';

/** Null: the lines have so little in common that one is no other form of the other. */
export function diffWords(a: string, b: string): WordDiff | null {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const same = commonSubsequence(left.length, right.length, (i, j) => left[i] === right[j]);
  const common = same.reduce((chars, [i]) => chars + (left[i].trim() === '' ? 0 : left[i].length), 0);
  let template = '';
  const differing: [string, string] = ['', ''];
  let column = -1;
  let [fromA, fromB] = [0, 0];
  let before = 0;
  for (const [i, j] of [...same, [left.length, right.length] as const]) {
    if (i > fromA || j > fromB) {
      if (column < 0) column = before + 1;
      template += gap;
      differing[0] += `${left.slice(fromA, i).join('')}\n`;
      differing[1] += `${right.slice(fromB, j).join('')}\n`;
    }
    for (let at = fromA; at <= i && at < left.length; at++) before += left[at].length;
    if (i < left.length) template += left[i];
    [fromA, fromB] = [i + 1, j + 1];
  }
  // A line that is one word in all, or nearly: a value that stands alone.
  const isAlone = left.length === 1 && right.length === 1;
  if (!isAlone && common * commonShareMin < Math.min(a.trim().length, b.trim().length) - common) return null;
  return { template, differing, column };
}

/** At least a fifth of the shorter line must be in both. */
const commonShareMin = 4;

/** The words of a line; behind the bound the rest is one. */
function wordsOf(line: string): string[] {
  const found: string[] = [];
  let at = 0;
  for (const [word] of line.matchAll(words)) {
    if (found.length === limits.lineWords) break;
    found.push(word);
    at += word.length;
  }
  if (at < line.length) found.push(line.slice(at));
  return found;
}
