/**
 * Which lines of two texts belong together. Equal lines at the start and the end are taken off; then
 * lines that are in both texts once are anchors (patience), and between them a longest common
 * subsequence decides.
 *
 * Source of the anchors: B. Cohen, "Patience diff advantages" (2010); their longest increasing
 * subsequence by M. L. Fredman (1975).
 */
import { limits } from '../limits.js';
import { commonSubsequence } from './common-subsequence.js';

/**
 * Indexes of lines that differ; -1: the other side has no such line. Pairs of two indexes are lines that
 * changed.
 */
export type LinePair = readonly [number, number];

export function alignLines(a: readonly string[], b: readonly string[]): LinePair[] {
  const pairs: LinePair[] = [];
  alignSpan(a, b, [0, a.length], [0, b.length], pairs, true);
  return pairs;
}

function alignSpan(
  a: readonly string[],
  b: readonly string[],
  [startA, stopA]: LinePair,
  [startB, stopB]: LinePair,
  pairs: LinePair[],
  byAnchors: boolean,
): void {
  let [fromA, fromB, toA, toB] = [startA, startB, stopA, stopB];
  while (fromA < toA && fromB < toB && a[fromA] === b[fromB]) {
    fromA++;
    fromB++;
  }
  while (toA > fromA && toB > fromB && a[toA - 1] === b[toB - 1]) {
    toA--;
    toB--;
  }
  const [m, n] = [toA - fromA, toB - fromB];
  if (m === n && isByPosition(a, b, [fromA, toA], fromB)) {
    for (let i = 0; i < m; i++) if (a[fromA + i] !== b[fromB + i]) pairs.push([fromA + i, fromB + i]);
    return;
  }
  if (m === 0 || n === 0 || m * n > limits.alignedCells) {
    const anchors = m === 0 || n === 0 || !byAnchors ? [] : uniqueAnchors(a, b, [fromA, toA], [fromB, toB]);
    if (anchors.length === 0) {
      paired([fromA, toA], [fromB, toB], pairs);
      return;
    }
    let [lastA, lastB] = [fromA, fromB];
    for (const [i, j] of [...anchors, [toA, toB] as const]) {
      alignSpan(a, b, [lastA, i], [lastB, j], pairs, false);
      [lastA, lastB] = [i + 1, j + 1];
    }
    return;
  }
  const same = commonSubsequence(m, n, (i, j) => a[fromA + i] === b[fromB + j]);
  let [lastA, lastB] = [fromA, fromB];
  for (const [i, j] of [...same, [m, n] as const]) {
    paired([lastA, fromA + i], [lastB, fromB + j], pairs);
    [lastA, lastB] = [fromA + i + 1, fromB + j + 1];
  }
}

/**
 * Whether no line that differs from the other side's line at its position is anywhere on the other side. Then
 * no alignment has more lines in common than that by position, and no table is needed: noise in a text that
 * is otherwise the same is the usual case.
 */
function isByPosition(
  a: readonly string[],
  b: readonly string[],
  [fromA, toA]: LinePair,
  fromB: number,
): boolean {
  const ofA = new Set<string>();
  const ofB = new Set<string>();
  for (let i = fromA, j = fromB; i < toA; i++, j++) {
    if (a[i] === b[j]) continue;
    ofA.add(a[i]);
    ofB.add(b[j]);
  }
  for (let i = fromA, j = fromB; i < toA; i++, j++) if (ofB.has(a[i]) || ofA.has(b[j])) return false;
  return true;
}

/** Lines between two that are equal belong together in their order. */
function paired([fromA, toA]: LinePair, [fromB, toB]: LinePair, pairs: LinePair[]): void {
  const count = Math.max(toA - fromA, toB - fromB);
  for (let i = 0; i < count; i++) {
    pairs.push([fromA + i < toA ? fromA + i : -1, fromB + i < toB ? fromB + i : -1]);
  }
}

/** Lines that stand once on each side, as many of them as are in the same order. */
function uniqueAnchors(
  a: readonly string[],
  b: readonly string[],
  [fromA, toA]: LinePair,
  [fromB, toB]: LinePair,
): LinePair[] {
  const once = (lines: readonly string[], from: number, to: number): Map<string, number> => {
    const found = new Map<string, number>();
    for (let i = from; i < to; i++) found.set(lines[i], found.has(lines[i]) ? -1 : i);
    return found;
  };
  const inB = once(b, fromB, toB);
  const common: LinePair[] = [];
  for (const [line, i] of once(a, fromA, toA)) {
    const j = inB.get(line);
    if (i >= 0 && j !== undefined && j >= 0) common.push([i, j]);
  }
  return increasing(common);
}

/** The longest part of `pairs`, in the order of their first index, whose second index increases. */
function increasing(pairs: readonly LinePair[]): LinePair[] {
  const tails: number[] = [];
  const before = new Int32Array(pairs.length).fill(-1);
  for (const [at, [, j]] of pairs.entries()) {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[tails[middle]][1] < j) low = middle + 1;
      else high = middle;
    }
    before[at] = low > 0 ? tails[low - 1] : -1;
    tails[low] = at;
  }
  const longest: LinePair[] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = before[at]) longest.push(pairs[at]);
  return longest.reverse();
}
