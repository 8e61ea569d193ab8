import t from 'tap';
import { type ComparedPair, DiffBook } from '../../../core/compare/diff-book.js';
import type { Difference } from '../../../core/compare/difference.js';
import { limits } from '../../../core/limits.js';

const pair: ComparedPair = {
  route: 'reviews',
  version: 'v2',
  baseline: null,
  id: 'id',
  request: 'GET /',
  atMs: 1,
};
const again: ComparedPair = { ...pair, baseline: 'v1' };

function json(path: string, shadow: unknown = 1): Difference {
  return { kind: 'json', path, at: path.replaceAll('[*]', '[0]'), primary: 0, shadow: shadow as number };
}

function comparison(...differences: Difference[]) {
  return { differences, more: 0 };
}

t.test('differences of one place are one group, with the newest samples', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < 10; i++) book.record({ ...pair, id: `r${i}` }, comparison(json('$.a[*]', i)));
  book.record(pair, comparison());
  const { groups, mirrors } = book.read();
  t.match(groups, [{ kind: 'json', path: '$.a[*]', count: 10, compared: 11, baseline: null, noise: false }]);
  t.strictSame(
    groups[0].samples.map(({ id }) => id),
    ['r6', 'r7', 'r8', 'r9'],
  );
  t.strictSame(groups[0].samples[0], {
    id: 'r6',
    request: 'GET /',
    atMs: 1,
    at: '$.a[0]',
    primary: 0,
    shadow: 6,
  });
  t.match(mirrors, [
    { compared: 11, different: 10, differentBeyondNoise: 10, notComparable: 0, baseline: null },
  ]);
});

t.test('noise that is found is taken out of the count of pairs, those before included', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < 30; i++) book.record(pair, comparison(json('$.ts')));
  book.record(pair, comparison(json('$.ts'), json('$.price')));
  t.match(book.read().mirrors, [{ different: 31, differentBeyondNoise: 31 }]);
  for (let i = 0; i < 30; i++) book.record(again, comparison(json('$.ts')));
  t.match(book.read().mirrors, [
    { different: 31, differentBeyondNoise: 1, baseline: { version: 'v1', compared: 30, different: 30 } },
  ]);
  t.match(book.read().groups, [
    { path: '$.price', noise: false, baseline: { count: 0, compared: 30 } },
    { path: '$.ts', noise: true, baseline: { count: 30, compared: 30 } },
  ]);
});

t.test('a difference that the baseline alone has is told of no version', async (t) => {
  const book = new DiffBook();
  book.record(again, comparison(json('$.ts')));
  t.match(book.read(), { groups: [], mirrors: [{ compared: 0, different: 0 }] });
});

t.test('groups are bounded, and what finds no room is counted', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < limits.diffGroups + 50; i++) book.record(pair, comparison(json(`$.k${i}`)));
  const { groups, ungrouped, mirrors } = book.read();
  t.equal(groups.length, limits.diffGroups);
  t.equal(ungrouped, 50);
  t.match(mirrors, [{ different: limits.diffGroups + 50, overflow: ['diffGroups'] }]);
});

t.test('a million differences of one shape are held in less than 20 MB', async (t) => {
  const book = new DiffBook();
  const value = 'x'.repeat(limits.diffValueChars);
  for (let i = 0; i < 1_000_000; i++) book.record(pair, comparison(json('$.items[*].price', value)));
  t.ok(JSON.stringify(book.read()).length < 4096, 'all that it holds is one group');
  t.match(book.read().groups, [{ count: 1_000_000 }]);
});

t.test('as many groups as there may be, full of samples, are held in less than 20 MB', async (t) => {
  const book = new DiffBook();
  const value = 'x'.repeat(limits.diffValueChars);
  for (let round = 0; round < limits.diffSamples; round++) {
    for (let i = 0; i < limits.diffGroups; i++) {
      book.record(
        { ...pair, id: value, request: value },
        comparison(json(`$.k${i}`.padEnd(limits.diffValueChars, 'x'), value)),
      );
    }
  }
  t.ok(JSON.stringify(book.read()).length < 20e6, `${JSON.stringify(book.read()).length} characters`);
});
