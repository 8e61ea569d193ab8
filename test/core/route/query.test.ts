import fc from 'fast-check';
import { Span } from '../../../core/http/span.js';
import { findParameter } from '../../../core/route/query.js';
import t from '../../support/tap.js';

function value(target: string, name: string): string | null {
  const at = target.indexOf('?');
  const span = new Span();
  return findParameter(target, at < 0 ? target.length : at, name, span) ? span.toString() : null;
}

t.test('a parameter is found wherever it stands, and the first of two wins', async (t) => {
  for (const target of [
    '/?page=2',
    '/a?x=1&page=2',
    '/?page=2&x=page=3',
    '/?&&page=2&',
    '/?apage=1&page=2&page=3',
  ])
    t.equal(value(target, 'page'), '2', target);
});

t.test('a parameter without an equals sign, or with nothing behind it, is empty', async (t) => {
  for (const target of ['/?page', '/?page=', '/?x=1&page', '/?page&page=2'])
    t.equal(value(target, 'page'), '', target);
});

t.test('names are compared whole, with case, and nothing is decoded', async (t) => {
  for (const target of [
    '/',
    '/?',
    '/page=2',
    '/?Page=2',
    '/?pages=2',
    '/?page%3D2',
    '/?pag=e=2',
    '/?x=?page=2',
    '*',
  ])
    t.equal(value(target, 'page'), null, target);
  t.equal(value('/?q=a%20b+c', 'q'), 'a%20b+c');
  t.equal(value('/?a?b=1', 'a?b'), '1', 'a question mark in a query is a character like any other');
});

t.test('it finds what splitting the query finds', async (t) => {
  const query = fc.string({ unit: fc.constantFrom('a', 'b', '&', '=', '?'), maxLength: 12 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
  let found = 0;
  fc.assert(
    fc.property(query, name, (text, wanted) => {
      const pairs = text.split('&').filter((part) => part !== '');
      const pair = pairs.find((part) => part.split('=', 1)[0] === wanted);
      const expected = pair === undefined ? null : pair.slice(wanted.length + 1);
      if (expected !== null) found++;
      return value(`/p?${text}`, wanted) === expected;
    }),
    { numRuns: 2000 },
  );
  t.ok(found > 50);
});
