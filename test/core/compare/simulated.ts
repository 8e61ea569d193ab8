/**
 * Simulated versions behind the real `DiffBook`: what each answers, and what the book makes of many
 * runs.
 */
import { type ComparedPair, DiffBook, type Diffs, noBookRules } from '../../../core/compare/diff-book.js';
import type { Change, Comparison, Difference } from '../../../core/compare/difference.js';

export type Random = () => number;

/** A field's value; `undefined` where it is missing. */
export type Field = (random: Random, request: number) => string | number | boolean | null | undefined;
export type Version = Readonly<Record<string, Field>>;

export function seeded(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Values = Record<string, ReturnType<Field>>;

function answer(version: Version, random: Random, request: number): Values {
  const values: Values = {};
  for (const name of Object.keys(version)) {
    const value = version[name](random, request);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function hash(value: unknown): number {
  let h = 0x811c9dc5;
  const text = String(value);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** `compared` does what the comparer does with two flat documents. */
function compared(primary: Values, other: Values): Comparison {
  const differences: Difference[] = [];
  for (const name of new Set([...Object.keys(primary), ...Object.keys(other)])) {
    const [a, b] = [primary[name], other[name]];
    if (a === b) continue;
    let change: Change = 'value';
    if (a === undefined) change = 'extra';
    else if (b === undefined) change = 'missing';
    else if (typeof a !== typeof b || a === null || b === null) change = 'type';
    const prints = change === 'value' ? { prints: [hash(a), hash(b)] as const } : {};
    differences.push({ kind: 'json', path: `$.${name}`, at: '', change, ...prints });
  }
  return { differences, more: 0 };
}

export interface Scene {
  readonly v1: Version;
  readonly v2: Version;
  readonly pairs: number;
  readonly request?: (i: number) => string;
  /** Requests without a baseline pair; the default is none. */
  readonly unmated?: (i: number) => boolean;
}

export function simulate({ v1, v2, pairs, request = () => 'GET /', unmated }: Scene, random: Random): Diffs {
  const book = new DiffBook();
  const about = { route: 'r', version: 'v2', baseline: 'v1', rules: noBookRules, atMs: 0 };
  for (let i = 0; i < pairs; i++) {
    const pair: ComparedPair = {
      ...about,
      isBaseline: false,
      isError: false,
      id: String(i),
      request: request(i),
    };
    const primary = answer(v1, random, i);
    book.record(pair, compared(primary, answer(v2, random, i)));
    const isRead = pair.request.startsWith('GET');
    if (!isRead || unmated?.(i) === true) continue;
    book.record({ ...pair, isBaseline: true }, compared(primary, answer(v1, random, i)));
  }
  return book.read();
}

/** `count` fields by one rule. */
export function fields(count: number, field: Field, prefix = 'f'): Version {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, field]));
}

/** The share of `runs` runs that have a pair which differs beyond noise. */
export function shareBeyondNoise(scene: Scene, runs: number, seed: number): number {
  const random = seeded(seed);
  let found = 0;
  for (let run = 0; run < runs; run++) {
    if (simulate(scene, random).mirrors[0].differentBeyondNoise > 0) found++;
  }
  return found / runs;
}
