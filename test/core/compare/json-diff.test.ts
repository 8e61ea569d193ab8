import fc from 'fast-check';
import { exact } from '../../../core/compare/decimal.js';
import type { Difference } from '../../../core/compare/difference.js';
import { parseJson } from '../../../core/compare/json.js';
import { diffJson } from '../../../core/compare/json-diff.js';
import type { JsonRules } from '../../../core/compare/json-rules.js';
import { PathRules } from '../../../core/compare/path-rules.js';
import { limits } from '../../../core/limits.js';
import type { PathRulePlan } from '../../../core/plan.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';
import t from '../../support/tap.js';

interface Options {
  ignore?: string[];
  tolerance?: JsonRules['tolerance'];
  arrays?: JsonRules['arrays'];
  json?: string[];
  rules?: (Partial<PathRulePlan> & { path: string })[];
}

const noRule = {
  ignore: false,
  tolerance: null,
  unordered: false,
  key: null,
  matches: null,
  equivalent: null,
};

function diff(primary: string, shadow: string, options: Options = {}): Difference[] {
  const found: Difference[] = [];
  const rules: JsonRules = {
    paths: new PathRules([
      ...(options.ignore ?? []).map((path) => ({ ...noRule, path, ignore: true })),
      ...(options.rules ?? []).map((rule) => ({ ...noRule, ...rule })),
    ]),
    tolerance: options.tolerance ?? exact,
    arrays: options.arrays ?? 'ordered',
    redaction: new Redaction({ ...redactNothingMore, json: options.json ?? [] }),
  };
  diffJson(parseJson(primary), parseJson(shadow), rules, (difference) => found.push(difference));
  return found;
}

const paths = (primary: string, shadow: string, options?: Options) =>
  diff(primary, shadow, options).map(({ at }) => at);

t.test('a value that changes, comes, goes or is of another type is named by its place', async (t) => {
  t.match(diff('{"a":{"b":[1,2]}}', '{"a":{"b":[1,3]}}'), [
    { kind: 'json', path: '$.a.b[*]', change: 'value', at: '$.a.b[1]', primary: 2, shadow: 3 },
  ]);
  t.match(diff('{"a":1}', '{}'), [{ change: 'missing', at: '$.a', primary: 1, shadow: undefined }]);
  t.match(diff('{}', '{"a":null}'), [{ change: 'extra', at: '$.a', primary: undefined, shadow: null }]);
  t.match(diff('{"a":"1"}', '{"a":1}'), [{ change: 'type', at: '$.a', primary: '1', shadow: 1 }]);
  t.match(diff('[1]', '{"a":1}'), [{ at: '$', primary: '[1]', shadow: '{"a":1}' }]);
  t.strictSame(paths('[1,2,3]', '[1]'), ['$[1]'], 'one for each identity');
  t.strictSame(paths('{"a b":1}', '{"a b":2}'), ["$['a b']"]);
});

t.test('numbers that are one double are two numbers, and shown as they were written', async (t) => {
  t.match(diff('12345678901234567890', '12345678901234567891'), [
    { primary: '12345678901234567890', shadow: '12345678901234567891' },
  ]);
  t.strictSame(diff('1.0', '1'), []);
  t.strictSame(diff('{"a":1}', '{"a":1.0005}', { tolerance: { relative: false, value: '0.001' } }), []);
});

t.test('what is ignored may be anything, also missing', async (t) => {
  t.strictSame(paths('{"id":1,"a":{"id":2}}', '{"id":3,"a":{}}', { ignore: ['$..id'] }), []);
  t.strictSame(paths('[{"ts":1,"v":1}]', '[{"ts":2,"v":2}]', { ignore: ['$[*].ts'] }), ['$[0].v']);
  t.strictSame(paths('{"a":{"b":1}}', '{}', { ignore: ['$.a'] }), []);
});

t.test('where the order does not count, items are matched with their equals', async (t) => {
  const unordered = { arrays: 'unordered' } as const;
  t.strictSame(paths('[1,2,{"a":[3,4]}]', '[{"a":[4,3]},2,1.0]', unordered), []);
  t.match(diff('[1,2,3]', '[3,9,1]', unordered), [{ path: '$[*]', primary: 2, shadow: 9 }]);
  t.strictSame(paths('[1,2]', '[2]', unordered), ['$[0]']);
  t.match(diff('[1,1,2]', '[1,2,2]', unordered), [{ primary: 1, shadow: 2 }], 'as often as they are there');
  t.strictSame(
    paths('[{"id":1,"v":1},{"id":2,"v":2}]', '[{"id":3,"v":2},{"id":4,"v":1}]', {
      ...unordered,
      ignore: ['$[*].id'],
    }),
    [],
  );
});

t.test('one item that was inserted, taken out or moved is one difference', async (t) => {
  const kinds = (a: string, b: string, options?: Options) =>
    diff(a, b, options).map(({ change, at }) => `${change} ${at}`);
  t.strictSame(kinds('[1,2,3,4]', '[1,9,2,3,4]'), ['extra $[1]']);
  t.strictSame(kinds('[1,2,3,4]', '[1,3,4]'), ['missing $[1]']);
  t.strictSame(kinds('[1,2,3]', '[3,1,2]'), ['order $']);
  t.strictSame(kinds('{"a":[1,2,3,4,5]}', '{"a":[1,3,4,6,5]}'), ['missing $.a[1]', 'extra $.a[3]']);
  let clock = 0;
  const noisy = () => Array.from({ length: 5 }, (_, i) => ({ id: i, name: `n${i}`, ts: clock++ }));
  const [a, b] = [noisy(), noisy()];
  b.splice(2, 0, { id: 77, name: 'new', ts: 1 });
  const found = diff(JSON.stringify(a), JSON.stringify(b));
  t.strictSame([...new Set(found.map(({ change, path }) => `${change} ${path}`))].sort(), [
    'extra $[*]',
    'value $[*].ts',
  ]);
});

t.test('objects are aligned by their key, in any order', async (t) => {
  const rules = [{ path: '$.items', key: 'id' }];
  const doc = (...items: [number, number][]) =>
    JSON.stringify({ items: items.map(([id, v]) => ({ id, v })) });
  t.strictSame(paths(doc([1, 1], [2, 2]), doc([2, 2], [1, 1]), { rules }), []);
  t.match(diff(doc([1, 1], [2, 2]), doc([3, 3], [2, 9]), { rules }), [
    { change: 'missing', path: '$.items[*]' },
    { change: 'value', path: '$.items[*].v', primary: 2, shadow: 9 },
    { change: 'extra', path: '$.items[*]' },
  ]);
});

t.test('rules hold at their places alone', async (t) => {
  const tenth = { relative: true, value: '0.1' };
  const rules = [{ path: '$.total', tolerance: tenth }];
  t.strictSame(paths('{"id":1000001,"total":1000}', '{"id":1000002,"total":1000.5}', { rules }), ['$.id']);
  const uuid = [{ path: '$.id', matches: '^[0-9a-f]{4}$' }];
  t.strictSame(paths('{"id":"12ab"}', '{"id":"34cd"}', { rules: uuid }), []);
  t.strictSame(paths('{"id":"12ab"}', '{"id":"oops!"}', { rules: uuid }), ['$.id']);
  const same = [{ path: '$.state', equivalent: ['none', null, 0] }];
  t.strictSame(paths('{"state":"none"}', '{"state":null}', { rules: same }), []);
  t.strictSame(paths('{"state":"none"}', '{"state":0.0}', { rules: same }), []);
  t.strictSame(paths('{"state":"none"}', '{"state":"open"}', { rules: same }), ['$.state']);
  const set = [{ path: '$.tags', unordered: true }];
  t.strictSame(paths('{"tags":[1,2],"list":[1,2]}', '{"tags":[2,1],"list":[2,1]}', { rules: set }), [
    '$.list',
  ]);
});

t.test(
  'with a tolerance, items without order are matched so that as many as can be have an equal',
  async (t) => {
    const near = { arrays: 'unordered', tolerance: { relative: false, value: '1' } } as const;
    t.strictSame(paths('[1,2,3]', '[4,2,3]', near), []);
    t.strictSame(paths('[[1,2],[3]]', '[[4],[2,3]]', near), []);
    t.equal(paths('[1,2,3]', '[4,5,3]', near).length, 1);
  },
);

t.test('arrays that are too long to be aligned are compared by position, and their lengths', async (t) => {
  const side = Math.ceil(Math.sqrt(limits.alignedCells)) + 1;
  const list = (n: number, from: number) =>
    JSON.stringify(Array.from({ length: n }, (_, i) => (i + from) % 7));
  const [first] = diff(list(side, 0), list(side + 1, 3));
  t.match(first, { change: 'length', path: '$', primary: side, shadow: side + 1 });
});

t.test('a secret is hidden by its name and by its place, in what is shown of objects too', async (t) => {
  const shown = JSON.stringify([
    diff('{"password":"p1"}', '{"password":"p2"}'),
    diff('{"a":{"apiKey":"p1","b":[{"session_id":"p2"}]}}', '{}'),
    diff('{"user":{"mail":"p1"}}', '{"user":{"mail":"p2"}}', { json: ['$.user.mail'] }),
    diff('{"user":{"mail":"p1"}}', '{}', { json: ['$..mail'] }),
    diff('{"token":{"deep":["p1"]}}', '{"token":{"deep":["p2"]}}'),
    diff('{"note":"Bearer p1p1p1p1"}', '{"note":"password=p2"}'),
  ]);
  t.notMatch(shown, /p1|p2/);
  t.match(shown, /\[redacted\]/);
});

t.test('what is shown is cut short', async (t) => {
  const [{ primary, path }] = diff(`{"${'n'.repeat(5000)}":"${'x'.repeat(5000)}"}`, '{}');
  t.equal(String(primary).length, limits.diffValueChars);
  t.equal(path.length, limits.diffValueChars);
});

t.test('any document equals itself, in whatever order its members stand', async () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([name, member]) => [name, reversed(member)]),
    );
  };
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('ordered' as const, 'unordered' as const),
      (value, arrays) => {
        return diff(JSON.stringify(value), JSON.stringify(reversed(value)), { arrays }).length === 0;
      },
    ),
  );
});

t.test('one leaf that changes is one difference, at its place', async () => {
  interface Leaf {
    at: string;
    set(value: string): void;
  }
  const leaves = (value: unknown, at: string, out: Leaf[]): Leaf[] => {
    const children: [string | number, unknown][] = Array.isArray(value)
      ? [...value.entries()]
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
        : [];
    for (const [key, child] of children) {
      const below = typeof key === 'number' ? `${at}[${key}]` : `${at}.${key}`;
      const isLeaf = typeof child !== 'object' || child === null;
      if (isLeaf)
        out.push({ at: below, set: (changed) => Object.assign(value as object, { [key]: changed }) });
      else leaves(child, below, out);
    }
    return out;
  };
  const names = fc.constantFrom('a', 'b', 'cd', 'e_1');
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.boolean(),
      fc.array(tie('tree'), { minLength: 1, maxLength: 4 }),
      fc.dictionary(names, tie('tree'), { minKeys: 1 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.nat(), (document, choice) => {
      const changed = JSON.parse(JSON.stringify(document));
      const all = leaves(changed, '$', []);
      fc.pre(all.length > 0);
      const leaf = all[choice % all.length];
      leaf.set('changed');
      const found = paths(JSON.stringify(document), JSON.stringify(changed));
      return found.length === 1 && found[0] === leaf.at;
    }),
  );
});
