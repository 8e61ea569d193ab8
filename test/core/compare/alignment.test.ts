import fc from 'fast-check';
import { commonSubsequence } from '../../../core/compare/common-subsequence.js';
import { alignLines } from '../../../core/compare/line-alignment.js';
import t from '../../support/tap.js';

const lists = fc.array(fc.nat(4), { maxLength: 12 });

/** The length of a longest common subsequence, straight from its definition. */
function longest(
  a: readonly number[],
  b: readonly number[],
  isEqual: (x: number, y: number) => boolean,
): number {
  const from = (i: number, j: number): number => {
    if (i === a.length || j === b.length) return 0;
    const both = isEqual(a[i], b[j]) ? 1 + from(i + 1, j + 1) : 0;
    return Math.max(both, from(i + 1, j), from(i, j + 1));
  };
  return from(0, 0);
}

t.test('no common subsequence is longer, of equal items and of items that are near each other', async () => {
  const short = fc.array(fc.nat(4), { maxLength: 7 });
  fc.assert(
    fc.property(short, short, fc.nat(1), (a, b, near) => {
      const isEqual = (x: number, y: number): boolean => Math.abs(x - y) <= near;
      const pairs = commonSubsequence(a.length, b.length, (i, j) => isEqual(a[i], b[j]));
      const ascends = pairs.every(([i, j], k) => k === 0 || (i > pairs[k - 1][0] && j > pairs[k - 1][1]));
      return (
        ascends && pairs.every(([i, j]) => isEqual(a[i], b[j])) && pairs.length === longest(a, b, isEqual)
      );
    }),
    { numRuns: 500 },
  );
});

t.test('aligned lines leave as many equal ones as there can be', async () => {
  fc.assert(
    fc.property(lists, lists, (a, b) => {
      const [left, right] = [a.map(String), b.map(String)];
      const differing = alignLines(left, right);
      const ofA = new Set(differing.flatMap(([i]) => (i < 0 ? [] : [i])));
      const ofB = new Set(differing.flatMap(([, j]) => (j < 0 ? [] : [j])));
      const [keptA, keptB] = [left.filter((_, i) => !ofA.has(i)), right.filter((_, j) => !ofB.has(j))];
      const most = commonSubsequence(a.length, b.length, (i, j) => a[i] === b[j]).length;
      return keptA.join() === keptB.join() && keptA.length === most;
    }),
    { numRuns: 1000 },
  );
});

t.test('a line that differs alone is paired with the one at its place', async (t) => {
  t.strictSame(alignLines(['a', 'x1', 'b', 'y1', 'c'], ['a', 'x2', 'b', 'y2', 'c']), [
    [1, 1],
    [3, 3],
  ]);
});
