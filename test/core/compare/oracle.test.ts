/**
 * Comparing against an oracle of another make: permutations and doubles in place of canonical texts and
 * decimals.
 */

import { parseJson } from '../../../core/compare/json.js';
import { diffJson } from '../../../core/compare/json-diff.js';
import { PathRules } from '../../../core/compare/path-rules.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';
import { type Random, seeded } from './simulated.js';

const redaction = new Redaction(redactNothingMore);

interface Mode {
  readonly unordered: boolean;
  /** Absolute; values are whole numbers, so that doubles are exact. */
  readonly tolerance: number;
}

function equal(a: unknown, b: unknown, mode: Mode): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= mode.tolerance;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    if (!mode.unordered) return a.every((item, i) => equal(item, b[i], mode));
    return permuted(a, b, mode);
  }
  if (isObject(a) && isObject(b)) {
    const [x, y] = [Object.keys(a).sort(), Object.keys(b).sort()];
    return x.join() === y.join() && x.every((name) => equal(a[name], b[name], mode));
  }
  return a === b;
}

function permuted(a: readonly unknown[], b: readonly unknown[], mode: Mode): boolean {
  if (a.length === 0) return true;
  const [first, ...rest] = a;
  return b.some((item, i) => equal(first, item, mode) && permuted(rest, b.toSpliced(i, 1), mode));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function document(random: Random, depth: number): unknown {
  const kind = Math.floor(random() * (depth > 2 ? 4 : 7));
  if (kind === 0) return Math.floor(random() * 8);
  if (kind === 1) return random() < 0.5;
  if (kind === 2) return 'ab'.slice(0, Math.floor(random() * 3));
  if (kind === 3) return null;
  const count = Math.floor(random() * 5);
  if (kind < 6) return Array.from({ length: count }, () => document(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => ['abcde'[i], document(random, depth + 1)]),
  );
}

/** Shuffles, nudges numbers, and at times changes, adds or removes something. */
function mutated(value: unknown, random: Random): unknown {
  if (random() < 0.04) return document(random, 2);
  if (typeof value === 'number' && random() < 0.3) return value + (random() < 0.5 ? 1 : -1);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, random));
    if (random() < 0.3) items.sort(() => random() - 0.5);
    if (random() < 0.05) items.splice(Math.floor(random() * (items.length + 1)), 0, document(random, 2));
    if (random() < 0.05) items.pop();
    return items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, mutated(member, random)] as const);
  if (random() < 0.3) entries.reverse();
  if (random() < 0.03) entries.pop();
  return Object.fromEntries(entries);
}

for (const mode of [
  { unordered: false, tolerance: 0 },
  { unordered: false, tolerance: 1 },
  { unordered: true, tolerance: 0 },
  { unordered: true, tolerance: 1 },
]) {
  const name = `${mode.unordered ? 'unordered' : 'ordered'}, tolerance ${mode.tolerance}`;
  t.test(
    `1000 pairs of documents that were mutated are equal where the oracle says so: ${name}`,
    async (t) => {
      const random = seeded(7);
      let equals = 0;
      for (let i = 0; i < 1000; i++) {
        const a = document(random, 0);
        const b = mutated(a, random);
        let differences = 0;
        const rules = {
          paths: new PathRules([]),
          tolerance: { relative: false, value: String(mode.tolerance) },
          arrays: mode.unordered ? ('unordered' as const) : ('ordered' as const),
          redaction,
        };
        diffJson(parseJson(JSON.stringify(a)), parseJson(JSON.stringify(b)), rules, () => differences++);
        const expected = equal(a, b, mode);
        if (expected) equals++;
        if ((differences === 0) !== expected)
          t.fail(`${JSON.stringify(a)} | ${JSON.stringify(b)}: ${differences}`);
      }
      t.ok(equals > 100 && equals < 950, `${equals} of them are equal`);
    },
  );
}
