/**
 * Which items of two arrays belong together: by position where nothing was inserted, else by a longest
 * common subsequence of equal items, with the items between them paired by likeness; by a key; or as
 * sets.
 */
import { limits } from '../limits.js';
import { commonSubsequence } from './common-subsequence.js';
import type { Change } from './difference.js';
import { type Json, JsonNumber } from './json.js';
import type { Equality } from './json-equality.js';
import { maximumMatching } from './matching.js';
import { canonicalLeaf } from './path-rules.js';
import type { Place } from './place.js';

/** Indexes of the primary's and the shadow's item; -1: it has none. */
export type ItemPair = readonly [number, number];

export interface Alignment {
  /**
   * `order`: the same items in another order. `length`: too long to be aligned, and of different
   * lengths.
   */
  readonly change: Extract<Change, 'order' | 'length'> | null;
  readonly pairs: readonly ItemPair[];
}

export function alignOrdered(
  a: readonly Json[],
  b: readonly Json[],
  place: Place,
  equality: Equality,
): Alignment {
  const same = (i: number, j: number) => {
    const item = equality.item(place, i);
    return item === null || equality.same(a[i], b[j], item);
  };
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && same(start, start)) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && same(endA - 1, endB - 1)) {
    endA--;
    endB--;
  }
  if (start === endA && start === endB) return { change: null, pairs: [] };
  if (start === endA || start === endB) return { change: null, pairs: onlyOne(start, endA, endB) };
  if (endA === endB && areAlike(a, b, start, endA)) {
    return { change: null, pairs: byPosition(endA - start, endB - start, start) };
  }
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)];
  const item = equality.item(place, start);
  if (item === null) return { change: null, pairs: byPosition(restA.length, restB.length, start) };
  return shifted(alignRest(restA, restB, item, equality), start);
}

/**
 * Whether the items at the ends and in the middle of a span are alike by position. Then nothing was
 * inserted or moved, and the costly alignment would say the same. Items that differ by a time or an id
 * alone are alike.
 */
function areAlike(a: readonly Json[], b: readonly Json[], from: number, to: number): boolean {
  return [from, (from + to) >> 1, to - 1].every((i) => 2 * sharedLeaves(a[i], b[i]) >= leaves(a[i]));
}

/** Equal leaves at equal places. */
function sharedLeaves(a: Json | undefined, b: Json | undefined): number {
  if (a === undefined || b === undefined) return 0;
  let shared = 0;
  if (a instanceof Map) {
    if (b instanceof Map) for (const [name, value] of a) shared += sharedLeaves(value, b.get(name));
  } else if (Array.isArray(a)) {
    if (Array.isArray(b)) for (const [i, value] of a.entries()) shared += sharedLeaves(value, b[i]);
  } else if (a === b || (a instanceof JsonNumber && b instanceof JsonNumber && a.text === b.text)) shared = 1;
  return shared;
}

function leaves(value: Json): number {
  if (value instanceof Map || Array.isArray(value)) {
    let count = 0;
    for (const child of value.values()) count += leaves(child);
    return count;
  }
  return 1;
}

/** Two lists that differ in their first and in their last item. */
function alignRest(a: readonly Json[], b: readonly Json[], item: Place, equality: Equality): Alignment {
  const texts = (items: readonly Json[]) => items.map((value) => equality.canonical(value, item));
  const [left, right] = [texts(a), texts(b)];
  if (left.length === right.length && [...left].sort().join() === [...right].sort().join()) {
    return { change: 'order', pairs: [] };
  }
  const known = new Set(left);
  const common = equality.isTransitive ? right.some((text) => known.has(text)) : true;
  if (!common) return alignGap(a, b, equality, [0, a.length], [0, b.length]);
  if (a.length * b.length > limits.alignedCells) return byLength(a.length, b.length);
  const equal = equality.isTransitive
    ? (i: number, j: number) => left[i] === right[j]
    : (i: number, j: number) => left[i] === right[j] || equality.same(a[i], b[j], item);
  equality.step(a.length * b.length);
  const pairs: ItemPair[] = [];
  let [fromA, fromB] = [0, 0];
  let change: Alignment['change'] = null;
  for (const [i, j] of [...commonSubsequence(a.length, b.length, equal), [a.length, b.length] as const]) {
    const gap = alignGap(a, b, equality, [fromA, i], [fromB, j]);
    pairs.push(...gap.pairs);
    change ??= gap.change;
    [fromA, fromB] = [i + 1, j + 1];
  }
  return { change, pairs };
}

/** Items without an equal: as many on both sides are paired in their order, else the most alike are. */
function alignGap(
  a: readonly Json[],
  b: readonly Json[],
  equality: Equality,
  [fromA, toA]: ItemPair,
  [fromB, toB]: ItemPair,
): Alignment {
  const [m, n] = [toA - fromA, toB - fromB];
  const moved = (pairs: readonly ItemPair[]) =>
    pairs.map(([i, j]): ItemPair => [i < 0 ? -1 : i + fromA, j < 0 ? -1 : j + fromB]);
  if (m === n) return { change: null, pairs: moved(byPosition(m, n, 0)) };
  if (m === 0 || n === 0) return { change: null, pairs: moved(byPosition(m, n, 0)) };
  if (m * n > limits.likenessCells) {
    const { change, pairs } = byLength(m, n);
    return { change, pairs: moved(pairs) };
  }
  equality.step(m * n);
  const [left, right] = [a.slice(fromA, toA).map(featuresOf), b.slice(fromB, toB).map(featuresOf)];
  return { change: null, pairs: moved(mostAlike(left, right)) };
}

/** Objects by the member `key`; those without one, or with one that repeats, follow by position. */
export function alignKeyed(a: readonly Json[], b: readonly Json[], key: string): Alignment {
  const pairs: ItemPair[] = [];
  const indexes = new Map<string, number>();
  const restB: number[] = [];
  for (const [j, value] of b.entries()) {
    const text = keyOf(value, key);
    if (text === null || indexes.has(text)) restB.push(j);
    else indexes.set(text, j);
  }
  const restA: number[] = [];
  for (const [i, value] of a.entries()) {
    const text = keyOf(value, key);
    if (text === null) restA.push(i);
    else {
      pairs.push([i, indexes.get(text) ?? -1]);
      indexes.delete(text);
    }
  }
  for (const j of indexes.values()) pairs.push([-1, j]);
  for (const [x, y] of byPosition(restA.length, restB.length, 0))
    pairs.push([restA[x] ?? -1, restB[y] ?? -1]);
  return { change: null, pairs };
}

/** Items that have an equal on the other side are taken out; what is left is paired by likeness. */
export function alignUnordered(
  a: readonly Json[],
  b: readonly Json[],
  place: Place,
  equality: Equality,
): Alignment {
  const item = equality.item(place, 0);
  if (item === null) return { change: null, pairs: [] };
  const text = (value: Json) => equality.canonical(value, item);
  let [restA, restB] = withoutEquals(a.map(text), b.map(text));
  if (!equality.isTransitive && restA.length > 0 && restB.length > 0) {
    // An equal text may be the only equal of another item: all of them are matched once more.
    if (a.length * b.length > limits.alignedCells) return byLength(a.length, b.length);
    const partners = maximumMatching(a.length, b.length, (i, j) => equality.same(a[i], b[j], item));
    const taken = new Set(partners);
    restA = partners.flatMap((partner, i) => (partner < 0 ? [i] : []));
    restB = b.flatMap((_, j) => (taken.has(j) ? [] : [j]));
  }
  if (restA.length * restB.length > limits.likenessCells) {
    const pairs = byPosition(restA.length, restB.length, 0);
    return { change: null, pairs: pairs.map(([x, y]): ItemPair => [restA[x] ?? -1, restB[y] ?? -1]) };
  }
  const [left, right] = [restA.map((i) => featuresOf(a[i])), restB.map((j) => featuresOf(b[j]))];
  equality.step(left.length * right.length);
  return { change: null, pairs: likest(left, right).map(([x, y]) => [restA[x] ?? -1, restB[y] ?? -1]) };
}

/** Indexes of the items without an equal, in canonical order, so that random orders give the same pairs. */
function withoutEquals(left: readonly string[], right: readonly string[]): [number[], number[]] {
  const free = new Map<string, number[]>();
  for (const [j, text] of right.entries()) {
    const same = free.get(text);
    if (same === undefined) free.set(text, [j]);
    else same.push(j);
  }
  const restA: number[] = [];
  for (const [i, text] of left.entries()) if (free.get(text)?.pop() === undefined) restA.push(i);
  const restB = [...free.values()].flat();
  const by = (texts: readonly string[]) => (x: number, y: number) =>
    texts[x] < texts[y] ? -1 : texts[x] > texts[y] ? 1 : x - y;
  return [restA.sort(by(left)), restB.sort(by(right))];
}

/** Greedy: the most alike first, each item once; what is left over has no partner. */
function likest(left: readonly ReadonlySet<string>[], right: readonly ReadonlySet<string>[]): ItemPair[] {
  const scored: [number, number, number][] = [];
  for (const [i, one] of left.entries()) {
    for (const [j, other] of right.entries()) scored.push([likeness(one, other), i, j]);
  }
  scored.sort((x, y) => y[0] - x[0]);
  const [takenA, takenB] = [new Set<number>(), new Set<number>()];
  const pairs: ItemPair[] = [];
  for (const [, i, j] of scored) {
    if (takenA.has(i) || takenB.has(j)) continue;
    takenA.add(i);
    takenB.add(j);
    pairs.push([i, j]);
  }
  for (let i = 0; i < left.length; i++) if (!takenA.has(i)) pairs.push([i, -1]);
  for (let j = 0; j < right.length; j++) if (!takenB.has(j)) pairs.push([-1, j]);
  return pairs;
}

/** The pairing in order that has the greatest likeness; as many pairs as the shorter list has items. */
function mostAlike(left: readonly ReadonlySet<string>[], right: readonly ReadonlySet<string>[]): ItemPair[] {
  const [m, n] = [left.length, right.length];
  const width = n + 1;
  const best = new Float64Array((m + 1) * width);
  // Even two items with nothing alike are worth pairing: one change says more than one lost and one new item.
  const worth = (i: number, j: number) => likeness(left[i], right[j]) + 1;
  for (let i = m - 1; i >= 0; i--) {
    for (let j = n - 1; j >= 0; j--) {
      const paired = best[(i + 1) * width + j + 1] + worth(i, j);
      best[i * width + j] = Math.max(paired, best[(i + 1) * width + j], best[i * width + j + 1]);
    }
  }
  const pairs: ItemPair[] = [];
  let [i, j] = [0, 0];
  while (i < m && j < n) {
    const here = best[i * width + j];
    if (here === best[(i + 1) * width + j + 1] + worth(i, j)) pairs.push([i++, j++]);
    else if (here === best[(i + 1) * width + j]) pairs.push([i++, -1]);
    else pairs.push([-1, j++]);
  }
  while (i < m) pairs.push([i++, -1]);
  while (j < n) pairs.push([-1, j++]);
  return pairs;
}

/** Features that two values share, of those that both have: from 0 to 1. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const feature of a) if (b.has(feature)) shared++;
  return shared / Math.max(1, a.size, b.size);
}

/** The leaves of a value and of its children, and the names of its members. */
function featuresOf(value: Json): ReadonlySet<string> {
  const features = new Set<string>();
  const add = (name: string, child: Json, depth: number): void => {
    if (features.size >= limits.likenessFeatures) return;
    if (child instanceof Map) {
      features.add(name);
      if (depth > 0) for (const [key, member] of child) add(`${name}.${key}`, member, depth - 1);
    } else if (Array.isArray(child)) {
      features.add(`${name}[]`);
      if (depth > 0) for (const member of child) add(`${name}[]`, member, depth - 1);
    } else {
      features.add(`${name}:${child instanceof JsonNumber ? canonicalLeaf(child) : String(child)}`);
    }
  };
  add('', value, likenessDepth);
  return features;
}

const likenessDepth = 3;

function byPosition(m: number, n: number, from: number): ItemPair[] {
  return Array.from(
    { length: Math.max(m, n) },
    (_, i): ItemPair => [i < m ? i + from : -1, i < n ? i + from : -1],
  );
}

/** Only the items that both have are compared, by position. */
function byLength(m: number, n: number): Alignment {
  return { change: m === n ? null : 'length', pairs: byPosition(Math.min(m, n), Math.min(m, n), 0) };
}

function onlyOne(start: number, endA: number, endB: number): ItemPair[] {
  const pairs: ItemPair[] = [];
  for (let i = start; i < endA; i++) pairs.push([i, -1]);
  for (let j = start; j < endB; j++) pairs.push([-1, j]);
  return pairs;
}

function shifted({ change, pairs }: Alignment, by: number): Alignment {
  return { change, pairs: pairs.map(([i, j]): ItemPair => [i < 0 ? -1 : i + by, j < 0 ? -1 : j + by]) };
}

function keyOf(value: Json, key: string): string | null {
  if (!(value instanceof Map)) return null;
  const found = value.get(key);
  if (found === undefined || found instanceof Map || Array.isArray(found)) return null;
  return canonicalLeaf(found);
}
