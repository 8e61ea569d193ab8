import t from 'tap';
import { compileRewrite } from '../../../core/mirror/path-rewrite.js';

function prefix(matched: string, value: string): (target: string) => string {
  return compileRewrite({ kind: 'prefix', matched, value })!;
}

t.test('without a rewrite there is none', async (t) => {
  t.equal(compileRewrite(null), null);
});

t.test('a prefix is replaced, and the query stays', async (t) => {
  const rewrite = prefix('/reviews', '/v2/reviews');
  t.equal(rewrite('/reviews'), '/v2/reviews');
  t.equal(rewrite('/reviews/7?page=/reviews'), '/v2/reviews/7?page=/reviews');
  t.equal(rewrite('/reviews-old?'), '/v2/reviews-old?');
  t.equal(rewrite('*'), '*', 'the asterisk is no path');
});

t.test('a slash where the two meet is neither doubled nor lost', async (t) => {
  for (const matched of ['/a', '/a/']) {
    for (const value of ['/b', '/b/'])
      t.equal(prefix(matched, value)('/a/x'), '/b/x', `${matched} to ${value}`);
    t.equal(prefix(matched, '/')('/a/x'), '/x');
  }
  t.equal(prefix('/', '/b')('/x'), '/b/x');
  t.equal(prefix('/', '/b/')('/'), '/b/');
  t.equal(prefix('', '/b')('/x'), '/b/x', 'a route without a path');
  t.equal(prefix('/a', '/')('/a'), '/');
  t.equal(prefix('/a', '/')('/ab'), '/b', 'what is left still begins with a slash');
});

t.test('an expression that matches the whole path gives another, and any other path stays', async (t) => {
  const rewrite = compileRewrite({
    kind: 'regex',
    pattern: '/([a-z]+)/([0-9]+)',
    substitution: '/$02-$$/$01',
  })!;
  t.equal(rewrite('/reviews/17?x=/a/1'), '/17-$/reviews?x=/a/1');
  t.equal(rewrite('/reviews/17/x'), '/reviews/17/x');
});
