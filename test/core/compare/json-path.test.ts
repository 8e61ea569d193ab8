import {
  jsonPaths,
  PathMatcher,
  PathRefusal,
  parseJsonPath,
  pathStep,
} from '../../../core/compare/json-path.js';
import t from '../../support/tap.js';

function meets(path: string, ...keys: (string | number)[]): boolean {
  const matcher = new PathMatcher(jsonPaths([path]));
  let state = matcher.root;
  for (const key of keys) {
    state = matcher.step(state, key);
    if (matcher.hits(state)) return true;
  }
  return false;
}

t.test('a path meets what RFC 9535 says, and all below it', async (t) => {
  t.ok(meets('$.a', 'a'));
  t.ok(meets('$.a', 'a', 'b'));
  t.notOk(meets('$.a', 'b', 'a'));
  t.ok(meets("$['a b'].c", 'a b', 'c'));
  t.ok(meets('$["it\'s \\"x\\""]', 'it\'s "x"'));
  t.ok(meets('$.items[3].ts', 'items', 3, 'ts'));
  t.notOk(meets('$.items[3].ts', 'items', 4, 'ts'));
  t.ok(meets('$.items[*].ts', 'items', 4, 'ts'));
  t.ok(meets('$.*', 'anything'));
  t.ok(meets('$..id', 'id'));
  t.ok(meets('$..id', 'a', 0, 'id'));
  t.ok(meets('$..a.b', 'a', 'a', 'b'));
  t.notOk(meets('$..a.b', 'a', 'c', 'b'));
  t.ok(meets('$..[0]', 'a', 0));
  t.ok(meets('$..*', 'a'));
  t.notOk(meets('$[0]', '0'), 'an index is no name');
});

t.test('what is not understood is refused with its place', async (t) => {
  for (const path of [
    '',
    'a',
    '$',
    '$.',
    '$..',
    '$.a[',
    '$[?(@.a)]',
    '$[1:2]',
    '$[-1]',
    "$['a','b']",
    '$.a b',
    '$a',
    '$[01]',
  ]) {
    t.ok(parseJsonPath(path) instanceof PathRefusal, path);
  }
  t.match(parseJsonPath('$.a[-1]'), { reason: /character 4/ });
});

t.test('a step is written so that it can be read again', async (t) => {
  for (const name of ['a', '_b1', 'a b', "it's", 'back\\slash', 'é', '1a', '', 'new\nline']) {
    const path = parseJsonPath(`$${pathStep(name)}`);
    t.match(path, [{ key: name, deep: false }], JSON.stringify(name));
  }
  t.equal(pathStep(3), '[3]');
});
