import fc from 'fast-check';
import t from 'tap';
import { exact } from '../../../core/compare/decimal.js';
import type { Difference } from '../../../core/compare/difference.js';
import { parseJson } from '../../../core/compare/json.js';
import { diffJson, type JsonRules } from '../../../core/compare/json-diff.js';
import { jsonPaths, PathMatcher } from '../../../core/compare/json-path.js';
import { limits } from '../../../core/limits.js';
import { Redaction, redactNothingMore } from '../../../core/redact.js';

interface Options {
  ignore?: string[];
  tolerance?: JsonRules['tolerance'];
  arrays?: JsonRules['arrays'];
  json?: string[];
}

function diff(primary: string, shadow: string, options: Options = {}): Difference[] {
  const found: Difference[] = [];
  const rules: JsonRules = {
    ignore: new PathMatcher(jsonPaths(options.ignore ?? [])),
    tolerance: options.tolerance ?? exact,
    arrays: options.arrays ?? 'ordered',
    redaction: new Redaction({ ...redactNothingMore, json: options.json ?? [] }),
  };
  diffJson(parseJson(primary), parseJson(shadow), rules, (difference) => found.push(difference));
  return found;
}

const paths = (primary: string, shadow: string, options?: Options) =>
  diff(primary, shadow, options).map(({ at }) => at);

t.test('a value that changes, comes, goes or is of another type is told by its place', async (t) => {
  t.match(diff('{"a":{"b":[1,2]}}', '{"a":{"b":[1,3]}}'), [
    { kind: 'json', path: '$.a.b[*]', change: 'value', at: '$.a.b[1]', primary: 2, shadow: 3 },
  ]);
  t.match(diff('{"a":1}', '{}'), [{ change: 'missing', at: '$.a', primary: 1, shadow: undefined }]);
  t.match(diff('{}', '{"a":null}'), [{ change: 'extra', at: '$.a', primary: undefined, shadow: null }]);
  t.match(diff('{"a":"1"}', '{"a":1}'), [{ change: 'type', at: '$.a', primary: '1', shadow: 1 }]);
  t.match(diff('[1]', '{"a":1}'), [{ at: '$', primary: '[1]', shadow: '{"a":1}' }]);
  t.strictSame(paths('[1,2,3]', '[1]'), ['$[1]', '$[2]']);
  t.strictSame(paths('{"a b":1}', '{"a b":2}'), ["$['a b']"]);
});

t.test('numbers that no double can tell apart are told apart, and shown as they were written', async (t) => {
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
  t.match(diff('[1,1,2]', '[1,2,2]', unordered), [{ primary: 1, shadow: 2 }], 'as often as they are there');
  t.strictSame(
    paths('[{"id":1,"v":1},{"id":2,"v":2}]', '[{"id":3,"v":2},{"id":4,"v":1}]', {
      ...unordered,
      ignore: ['$[*].id'],
    }),
    [],
  );
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
