import fc from 'fast-check';
import { Endpoints, matchesPattern, otherEndpoints } from '../../../core/compare/endpoints.js';
import { PatternHash, pathPattern } from '../../../core/compare/path-pattern.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';

t.test('numbers, UUIDs and hashes are no part of an endpoint, words are', async (t) => {
  for (const [path, pattern] of [
    ['/users/17/orders', '/users/*/orders'],
    ['/a/0f8fad5b-d9cb-469f-a165-70867728950e', '/a/*'],
    ['/a/d41d8cd98f00b204e9800998ecf8427e/b', '/a/*/b'],
    ['/a/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/a/*'],
    ['/api/v2/deadbeef', '/api/v2/deadbeef'],
    ['/facade/accessed', '/facade/accessed'],
    ['/', '/'],
    ['', ''],
    [`/x/${'y'.repeat(100)}`, '/x/*'],
  ] as const) {
    t.equal(pathPattern(path), pattern);
  }
});

t.test('requests of one pattern have one hash, and those of others have another', async () => {
  const hash = new PatternHash();
  const hashOf = (method: string, target: string): string => {
    hash.of(method, target);
    return `${hash.first} ${hash.second}`;
  };
  const segment = fc.constantFrom('', 'users', 'orders', '17', '18', 'deadbee5', 'x'.repeat(99), 'v2', '*');
  const path = fc.array(segment, { maxLength: 15 }).map((segments) => segments.join('/'));
  const method = fc.constantFrom('GET', 'POST');
  fc.assert(
    fc.property(method, path, method, path, (m, a, n, b) => {
      const isSame = m === n && pathPattern(a) === pathPattern(b);
      return (hashOf(m, `${a}?q=/1`) === hashOf(n, `${b}#/x`)) === isSame;
    }),
    { numRuns: 2000 },
  );
});

t.test('an endpoint is a method and a pattern, without the query', async (t) => {
  const endpoints = new Endpoints([], () => {});
  t.equal(endpoints.nameOf('GET /users/17?x=1#y'), 'GET /users/*');
  t.equal(endpoints.nameOf('POST /users/18'), 'POST /users/*');
});

t.test('a place with very many words becomes one', async (t) => {
  const folds: string[] = [];
  const endpoints = new Endpoints([], (pattern) => folds.push(pattern));
  for (let i = 0; i < limits.endpointWords; i++) {
    const word = [...String(i)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    t.equal(endpoints.nameOf(`GET /users/${word}/orders`), `GET /users/${word}/orders`);
  }
  t.equal(endpoints.nameOf('GET /users/zoe/orders'), 'GET /users/*/orders');
  t.equal(endpoints.nameOf('GET /users/a/orders'), 'GET /users/*/orders');
  t.equal(endpoints.nameOf('GET /other'), 'GET /other');
  t.strictSame(folds, ['/users/*']);
});

t.test('patterns of the configuration come first', async (t) => {
  const endpoints = new Endpoints(['/files/**', '/users/*'], () => {});
  t.equal(endpoints.nameOf('GET /files/a/b/c'), 'GET /files/**');
  t.equal(endpoints.nameOf('GET /users/anna'), 'GET /users/*');
  t.equal(endpoints.nameOf('GET /users/anna/17'), 'GET /users/anna/*');
  t.ok(matchesPattern('/**', '/'));
  t.notOk(matchesPattern('/a/*', '/a'));
});

t.test('endpoints are bounded, and that is seen', async (t) => {
  const endpoints = new Endpoints([], () => {});
  let name = '';
  for (let i = 0; i <= limits.endpoints; i++) {
    const word = (n: number) => [...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('');
    name = endpoints.nameOf(`GET /${word(i % 16)}/${word(Math.floor(i / 16))}`);
  }
  t.equal(name, `GET ${otherEndpoints}`);
  t.ok(endpoints.overflowed);
});
