import { type ComparedPair, DiffBook, noBookRules } from '../../../core/compare/diff-book.js';
import type { Difference } from '../../../core/compare/difference.js';
import { limits } from '../../../core/limits.js';
import { subtractDiffs } from '../../../core/report/diffs.js';
import { parseDiffs } from '../../../core/report/parse-diffs.js';
import t from '../../support/tap.js';

const pair: ComparedPair = {
  route: 'reviews',
  version: 'v2',
  baseline: null,
  isBaseline: false,
  isError: false,
  rules: noBookRules,
  id: 'id',
  request: 'GET /',
  atMs: 1,
};
const measured: ComparedPair = { ...pair, baseline: 'v1' };
const again: ComparedPair = { ...measured, isBaseline: true };

function json(path: string, shadow: unknown = 1): Difference {
  const at = path.replaceAll('[*]', '[0]');
  return { kind: 'json', path, change: 'value', at, primary: 0, shadow: shadow as number };
}

function comparison(...differences: Difference[]) {
  return { differences, more: 0 };
}

/** A place whose name is a word, so that it is not data. */
function word(n: number): string {
  return [...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
}

t.test('a mirror is listed before its first pair, and a window names a restart of its counts', async (t) => {
  const book = new DiffBook();
  const read = () => parseDiffs(book.read());
  book.follow('reviews', 'v2', noBookRules);
  const before = read();
  t.match(before.mirrors, [{ route: 'reviews', version: 'v2', compared: 0, baseline: null, overflow: [] }]);
  book.record(pair, comparison(json('$.a')));
  book.follow('reviews', 'v2', noBookRules);
  t.match(subtractDiffs(read(), before).mirrors, [{ compared: 1, overflow: [] }], 'the same rules');
  t.match(subtractDiffs(before, before), { groups: [], mirrors: [{ compared: 0, overflow: [] }] });
  // A window that begins with a pair, and ends before one is compared by other rules.
  const within = read();
  book.follow('reviews', 'v2', { ...noBookRules, key: 'others' });
  t.match(subtractDiffs(read(), within), { groups: [], mirrors: [{ compared: 0, overflow: ['restart'] }] });
  book.record(pair, comparison());
  t.equal(read().mirrors[0]!.compared, 0, 'a pair by the rules of before');
});

t.test('differences of one place are one group, with the newest samples', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < 10; i++) book.record({ ...pair, id: `r${i}` }, comparison(json('$.a[*]', i)));
  book.record(pair, comparison());
  const { groups, mirrors } = book.read();
  t.match(groups, [
    {
      endpoint: 'GET /',
      kind: 'json',
      path: '$.a[*]',
      change: 'value',
      count: 10,
      compared: 11,
      baseline: null,
    },
  ]);
  t.match(groups, [{ class: 'different', noise: false, isWrite: false, id: /^[0-9a-f]{8}$/ }]);
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

t.test('the same place with another change, or of another endpoint, is another group', async (t) => {
  const book = new DiffBook();
  book.record(pair, comparison(json('$.a'), { ...json('$.a'), change: 'type' }));
  book.record({ ...pair, request: 'GET /b/1' }, comparison(json('$.a')));
  book.record({ ...pair, request: 'GET /b/2' }, comparison(json('$.a')));
  t.same(
    book.read().groups.map(({ endpoint, change, count, compared }) => [endpoint, change, count, compared]),
    [
      ['GET /b/*', 'value', 2, 2],
      ['GET /', 'value', 1, 1],
      ['GET /', 'type', 1, 1],
    ],
  );
});

t.test('noise that is found is taken out of the count of pairs, those before included', async (t) => {
  const book = new DiffBook();
  const request = (i: number) => ({ id: `r${i}` });
  for (let i = 0; i < 30; i++) book.record({ ...measured, ...request(i) }, comparison(json('$.ts')));
  t.match(book.read().mirrors, [{ different: 30, differentBeyondNoise: 0, undecided: 30 }]);
  for (let i = 0; i < 30; i++) book.record({ ...again, ...request(i) }, comparison(json('$.ts')));
  t.match(book.read().mirrors, [
    {
      different: 30,
      differentBeyondNoise: 0,
      undecided: 0,
      baseline: { version: 'v1', compared: 30, different: 30 },
    },
  ]);
  for (let i = 30; i < 50; i++) {
    book.record({ ...measured, ...request(i) }, comparison(json('$.ts'), json('$.price')));
    book.record({ ...again, ...request(i) }, comparison(json('$.ts')));
  }
  t.match(book.read().mirrors, [{ different: 50, differentBeyondNoise: 20, undecided: 0 }]);
  t.match(book.read().groups, [
    { path: '$.price', class: 'different', baseline: { count: 0, compared: 50 }, triples: { pairs: 50 } },
    { path: '$.ts', class: 'noise', noise: true, baseline: { count: 50, compared: 50 } },
  ]);
});

t.test('pairs with an error are shown, and are in no count of pairs that differ', async (t) => {
  const book = new DiffBook();
  const status: Difference = { kind: 'status', path: '200 503', change: 'value', at: '200 503' };
  for (let i = 0; i < 20; i++) {
    book.record({ ...measured, id: `e${i}`, isError: true }, comparison(status));
    book.record({ ...again, id: `e${i}` }, comparison());
    book.record({ ...measured, id: `p${i}`, isError: true }, comparison(json('$.message')));
  }
  for (let i = 0; i < 20; i++) book.record({ ...measured, id: `ok${i}` }, comparison());
  t.match(book.read().mirrors, [
    { compared: 20, different: 0, differentBeyondNoise: 0, undecided: 0, errors: 40, overflow: [] },
  ]);
  t.match(book.read().groups, [{ kind: 'status', path: '200 503', count: 20, class: 'different' }]);
  t.equal(book.read().groups[0].samples.length, limits.diffSamples);
});

t.test('what was read stays the same object until something is recorded', async (t) => {
  const book = new DiffBook();
  book.record(pair, comparison());
  const before = book.read();
  t.equal(book.read(), before);
  book.record(pair, comparison(json('$.a')));
  t.match(book.read().mirrors, [{ compared: 2 }]);
});

t.test('a pair and its counterpart make a triple, whichever comes first', async (t) => {
  const book = new DiffBook();
  book.record({ ...again, id: 'a' }, comparison());
  book.record({ ...measured, id: 'a' }, comparison(json('$.x')));
  book.record({ ...measured, id: 'b' }, comparison(json('$.x')));
  book.record({ ...again, id: 'b' }, comparison(json('$.x')));
  book.record({ ...measured, id: 'c', request: 'POST /' }, comparison(json('$.x')));
  t.match(book.read().groups, [
    { endpoint: 'GET /', triples: { pairs: 2, shadowOnly: 1, baselineOnly: 0 } },
    { endpoint: 'POST /', triples: { pairs: 0 }, baseline: null, isWrite: true },
  ]);
});

t.test('pairs whose counterpart does not come are bounded, and still count', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < limits.diffWaiting + 10; i++)
    book.record({ ...measured, id: `r${i}` }, comparison(json('$.x')));
  book.record({ ...again, id: 'r0' }, comparison());
  book.record({ ...again, id: `r${limits.diffWaiting}` }, comparison());
  const [group] = book.read().groups;
  t.match(group, { count: limits.diffWaiting + 10, triples: { pairs: 1 }, baseline: { compared: 2 } });
});

t.test('a difference that the baseline alone has is reported of no version', async (t) => {
  const book = new DiffBook();
  book.record(again, comparison(json('$.ts')));
  t.match(book.read(), { groups: [], mirrors: [{ compared: 0, different: 0 }] });
});

t.test('endpoints with many words in one place become one, with their groups and counts', async (t) => {
  const book = new DiffBook();
  const total = limits.endpointWords + 10;
  for (let i = 0; i < total; i++) {
    const about = { id: `r${i}`, request: `GET /users/${word(i)}` };
    book.record({ ...measured, ...about }, comparison(json('$.a')));
    book.record({ ...again, ...about }, comparison(json('$.a')));
  }
  const { groups, mirrors } = book.read();
  t.match(groups, [
    { endpoint: 'GET /users/*', count: total, compared: total, triples: { pairs: total }, class: 'noise' },
  ]);
  t.match(mirrors, [
    { endpoints: [{ endpoint: 'GET /users/*', compared: total, baselineCompared: total }], overflow: [] },
  ]);
});

t.test('groups are bounded, and what finds no room is counted and undecided', async (t) => {
  const book = new DiffBook();
  const all = limits.diffGroups + 50;
  // Met in most pairs of an endpoint of their own: names of fields, not data.
  for (let i = 0; i < all; i++)
    book.record(
      { ...pair, request: `GET /${word(i % 20)}` },
      comparison(json(`$.${word(i)}.${word(i * 7)}`)),
    );
  const { groups, ungrouped, mirrors } = book.read();
  t.ok(groups.length <= limits.diffGroups);
  if (groups.length === limits.diffGroups) t.ok(ungrouped > 0);
  t.equal(mirrors[0].differentBeyondNoise + mirrors[0].undecided, all);
});

t.test('an overflow makes the pair undecided and names the bound', async (t) => {
  const book = new DiffBook();
  for (let i = 0; i < 10; i++) book.record(pair, { differences: [], more: 0 });
  book.record({ ...measured, id: 'big' }, { differences: [json('$.a')], more: 5 });
  t.match(book.read().mirrors, [{ differentBeyondNoise: 0, overflow: ['pairDifferences'] }]);
  t.ok(book.read().mirrors[0].undecided >= 1);
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
    const all = Array.from({ length: limits.diffGroups }, (_, i) =>
      json(`$.${word(i)}`.padEnd(limits.diffValueChars, 'x'), value),
    );
    book.record({ ...pair, id: value, request: value }, comparison(...all));
  }
  t.equal(book.read().groups.length, limits.diffGroups);
  t.ok(JSON.stringify(book.read()).length < 20e6, `${JSON.stringify(book.read()).length} characters`);
});
