import fc from 'fast-check';
import { compilePathChange } from '../../../core/route/path-change.js';
import t from '../../support/tap.js';

const prefixed = (prefix: string, value: string, ignoreCase = false) =>
  compilePathChange({ kind: 'prefix', prefix, value, ignoreCase });

t.test(
  'a prefix is replaced by the letters, and slashes where the two meet are neither doubled nor lost',
  async (t) => {
    // [prefix, to, target, expected]
    const cases: [string, string, string, string][] = [
      ['/foo', '/xyz', '/foo/bar', '/xyz/bar'],
      ['/foo', '/xyz/', '/foo/bar', '/xyz/bar'],
      ['/foo/', '/xyz', '/foo/bar', '/xyz/bar'],
      ['/foo/', '/xyz/', '/foo/bar', '/xyz/bar'],
      ['/foo', '/xyz', '/foo', '/xyz'],
      ['/foo', '/xyz', '/foo/', '/xyz/'],
      ['/foo', '/', '/foo', '/'],
      ['/foo', '/', '/foo/', '/'],
      ['/foo', '/', '/foo/bar', '/bar'],
      ['/', '/xyz', '/bar', '/xyz/bar'],
      ['/foo', '/xyz', '/food', '/xyzd'],
      ['/foo', '/', '/food', '/d'],
      ['/foo', '/xyz', '/bar/foo', '/bar/foo'],
      ['/foo', '/xyz', '/FOO', '/FOO'],
      ['/foo', '/xyz', '/foo?a=/foo', '/xyz?a=/foo'],
      ['/foo', '/xyz', '/bar?/foo', '/bar?/foo'],
      ['/foo', '/xyz', '*', '*'],
    ];
    for (const [prefix, to, target, expected] of cases)
      t.equal(prefixed(prefix, to)(target), expected, `${prefix} to ${to}: ${target}`);
    t.equal(prefixed('/Foo', '/xyz', true)('/fOO/Bar'), '/xyz/Bar');
  },
);

t.test('every part that a regular expression matches is replaced, and the result is a path', async (t) => {
  const change = (pattern: string, substitution: string) =>
    compilePathChange({ kind: 'regex', pattern, substitution, whole: false });
  t.equal(
    change('^/service/([^/]+)(/.*)$', '$02/instance/$01')('/service/foo/v1/api?q=1'),
    '/v1/api/instance/foo?q=1',
  );
  t.equal(change('one', 'two')('/xxx/one/yyy/one/zzz'), '/xxx/two/yyy/two/zzz');
  t.equal(change('^/', '')('/a/b'), '/a/b');
  t.equal(change('.*', '')('/a/b?c'), '/?c');
});

t.test('an expression that must match the whole path leaves any other path as it is', async (t) => {
  const change = compilePathChange({
    kind: 'regex',
    pattern: '/([a-z]+)/([0-9]+)',
    substitution: '/$02-$$/$01',
    whole: true,
  });
  t.equal(change('/reviews/17?x=/a/1'), '/17-$/reviews?x=/a/1');
  t.equal(change('/reviews/17/x'), '/reviews/17/x');
});

t.test('an empty prefix stands before every path', async (t) => {
  t.equal(prefixed('', '/b')('/x'), '/b/x');
});

t.test('the whole path can be set, and the query stays', async (t) => {
  t.equal(compilePathChange({ kind: 'set', value: '/home' })('/a/b?c=d'), '/home?c=d');
});

t.test('what a change makes of a path is a path', async () => {
  const path = fc
    .string({ unit: fc.constantFrom('/', 'a', 'B', '?'), maxLength: 8 })
    .map((rest) => `/${rest}`);
  const literal = fc.string({ unit: fc.constantFrom('/', 'a', 'b'), maxLength: 4 }).map((rest) => `/${rest}`);
  fc.assert(
    fc.property(literal, literal, path, fc.boolean(), (prefix, to, target, ignoreCase) =>
      prefixed(prefix, to, ignoreCase)(target).startsWith('/'),
    ),
  );
});
