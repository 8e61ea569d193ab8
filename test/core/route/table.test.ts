import fc from 'fast-check';
import t from 'tap';
import type { RequestHead } from '../../../core/http/message.js';
import type { MatchPlan, PathMatch, RoutePlan } from '../../../core/plan.js';
import { NO_ROUTE, RouteTable } from '../../../core/route/table.js';
import { field, request, route } from './support.js';

/** Whether a table of one route finds it. */
function matches(match: Partial<MatchPlan>, head: Partial<RequestHead>): boolean {
  return new RouteTable([route(match)]).find(request(head)) === 0;
}

t.test('a table without routes, or without a match, finds none', async (t) => {
  t.equal(new RouteTable([]).find(request({})), NO_ROUTE);
  t.equal(new RouteTable([route({ host: 'a' })]).find(request({ host: 'b' })), NO_ROUTE);
});

t.test('a route without conditions takes everything', async (t) => {
  t.ok(matches({}, { host: '', target: '*', method: 'OPTIONS' }));
  t.ok(matches({ methods: [] }, { method: 'BREW' }), 'an empty list of methods is no condition');
});

t.test('a host is compared without case and port', async (t) => {
  const host = 'reviews.example.com';
  for (const said of [host, 'REVIEWS.Example.com', `${host}:8080`, `${host}:`])
    t.ok(matches({ host }, { host: said }), said);
  for (const said of ['', 'example.com', `x${host}`, `${host}.`, `${host}.evil`, 'reviews']) {
    t.notOk(matches({ host }, { host: said }), said);
  }
  t.ok(matches({ host: 'Reviews.example.com' }, { host }), 'also when the plan has capitals');
});

t.test('an IPv6 host keeps its colons and loses its port', async (t) => {
  t.ok(matches({ host: '[::1]' }, { host: '[::1]' }));
  t.ok(matches({ host: '[::1]' }, { host: '[::1]:8080' }));
  t.notOk(matches({ host: '[::1]' }, { host: '[::2]:8080' }));
});

t.test('a wildcard takes one or more labels in front', async (t) => {
  const host = '*.example.com';
  for (const said of ['a.example.com', 'a.b.example.com', 'A.EXAMPLE.COM:80'])
    t.ok(matches({ host }, { host: said }), said);
  for (const said of ['example.com', '.example.com', 'aexample.com', 'a.example.org', 'a.example.com.evil']) {
    t.notOk(matches({ host }, { host: said }), said);
  }
});

t.test('an exact path is the whole path, without the query', async (t) => {
  const path: PathMatch = { kind: 'exact', value: '/reviews', ignoreCase: false };
  for (const target of ['/reviews', '/reviews?', '/reviews?page=2', '/reviews?/x'])
    t.ok(matches({ path }, { target }), target);
  for (const target of [
    '/',
    '/review',
    '/reviews/',
    '/reviews/7',
    '/REVIEWS',
    '/x?/reviews',
    '/reviews%2f',
  ]) {
    t.notOk(matches({ path }, { target }), target);
  }
});

t.test('a path that ignores case takes letters in either, and nothing else', async (t) => {
  const exact: PathMatch = { kind: 'exact', value: '/Reviews@[', ignoreCase: true };
  for (const target of ['/reviews@[', '/REVIEWS@[?a']) t.ok(matches({ path: exact }, { target }), target);
  for (const target of ['/reviews`[', '/reviews@{', '/review@[', '/reviews@[x'])
    t.notOk(matches({ path: exact }, { target }), target);
  const prefix: PathMatch = { kind: 'prefix', value: '/a', ignoreCase: true };
  for (const target of ['/a', '/A/b', '/aBc?x']) t.ok(matches({ path: prefix }, { target }), target);
  for (const target of ['/', '/b/a', '/?/a']) t.notOk(matches({ path: prefix }, { target }), target);
});

t.test('a route with a list of matches takes what one of them takes', async (t) => {
  const { matches: one } = route({ host: 'a', path: { kind: 'prefix', value: '/x', ignoreCase: false } });
  const { matches: other } = route({ methods: ['POST'] });
  const table = new RouteTable([{ ...route({}), matches: [...one, ...other] }, route({})]);
  const find = (parts: Partial<RequestHead>) => table.find(request(parts));
  t.equal(find({ host: 'a', target: '/x' }), 0);
  t.equal(find({ host: 'b', target: '/x' }), 1);
  t.equal(find({ host: 'b', target: '/x', method: 'POST' }), 0);
  t.equal(find({ host: 'a', target: '/y' }), 1);
});

t.test(
  'a request that meets a condition of `without` is not taken, and one that has no such field is',
  async (t) => {
    const without = {
      headers: [field('exact', 'x-kind', 'bot')],
      cookies: [field('present', 'beta')],
      queries: [field('prefix', 'page', '9')],
    };
    const takes = (fields: string, target = '/') => matches({ without }, { fields, target });
    t.ok(takes(''));
    t.ok(takes('x-kind: person\r\n'));
    t.ok(takes('', '/?page=1'));
    t.notOk(takes('x-kind: bot\r\n'));
    t.notOk(takes('cookie: beta=\r\n'));
    t.notOk(takes('', '/?page=99'));
  },
);

t.test('a prefix is a prefix of the string, and does not reach into the query', async (t) => {
  const path: PathMatch = { kind: 'prefix', value: '/reviews', ignoreCase: false };
  for (const target of ['/reviews', '/reviews/', '/reviews/7', '/reviews-old', '/reviews?x'])
    t.ok(matches({ path }, { target }), target);
  for (const target of ['/', '/review', '/Reviews', '/x/reviews', '/x?/reviews'])
    t.notOk(matches({ path }, { target }), target);
  t.notOk(matches({ path: { kind: 'prefix', value: '/a?b', ignoreCase: false } }, { target: '/a?b' }));
  t.ok(
    matches({ path: { kind: 'prefix', value: '', ignoreCase: false } }, { target: '/' }),
    'an empty prefix takes everything',
  );
});

t.test('a regular expression must match the whole path, without the query', async (t) => {
  const path: PathMatch = { kind: 'regex', value: '/a|/b/[0-9]+' };
  for (const target of ['/a', '/b/17', '/a?x=1', '/b/1?/c']) t.ok(matches({ path }, { target }), target);
  for (const target of ['/ab', '/x/a', '/b/', '/b/1x', '/a/b/1', '/A'])
    t.notOk(matches({ path }, { target }), target);
});

t.test(
  'a regular expression that can not be compiled is a SyntaxError, also one that parentheses would mend',
  async (t) => {
    for (const value of ['(', 'a)|(b', '[']) {
      t.throws(() => new RouteTable([route({ path: { kind: 'regex', value } })]), SyntaxError, value);
      t.throws(() => new RouteTable([route({ headers: [field('regex', 'x', value)] })]), SyntaxError, value);
    }
  },
);

t.test('methods are compared with case', async (t) => {
  const methods = ['GET', 'POST'];
  t.ok(matches({ methods }, { method: 'GET' }));
  t.ok(matches({ methods }, { method: 'POST' }));
  t.notOk(matches({ methods }, { method: 'get' }));
  t.notOk(matches({ methods }, { method: 'PUT' }));
});

t.test('a header is found by name in any case, and its value compared as it is', async (t) => {
  const head = { fields: 'Accept: */*\r\nX-Canary:  yes-1 \r\nX-Canary: second\r\nX-Empty:\r\n' };
  t.ok(matches({ headers: [field('exact', 'x-canary', 'yes-1')] }, head));
  t.ok(matches({ headers: [field('exact', 'X-CANARY', 'yes-1')] }, head));
  t.notOk(matches({ headers: [field('exact', 'x-canary', 'YES-1')] }, head));
  t.notOk(matches({ headers: [field('exact', 'x-canary', 'second')] }, head), 'the first field decides');
  t.ok(matches({ headers: [field('prefix', 'x-canary', 'yes')] }, head));
  t.notOk(matches({ headers: [field('prefix', 'x-canary', 'es')] }, head));
  t.ok(matches({ headers: [field('regex', 'x-canary', 'yes-[0-9]')] }, head));
  t.notOk(matches({ headers: [field('regex', 'x-canary', 'yes')] }, head), 'the whole value');
  t.ok(matches({ headers: [field('present', 'x-empty')] }, head));
  t.notOk(matches({ headers: [field('present', 'x-missing')] }, head));
  t.notOk(matches({ headers: [field('prefix', 'x-missing', '')] }, head), 'a missing header has no prefix');
});

t.test('a query parameter is compared as it arrived, and a cookie with the case of its name', async (t) => {
  const head = { target: '/a?page=2&q=a%20b&flag', fields: 'Cookie: theme=dark; Session=ab=c\r\n' };
  const query = (...queries: MatchPlan['queries']) => matches({ queries }, head);
  const cookie = (...cookies: MatchPlan['cookies']) => matches({ cookies }, head);
  t.ok(query(field('exact', 'page', '2'), field('exact', 'q', 'a%20b'), field('present', 'flag')));
  t.ok(query(field('prefix', 'q', 'a%'), field('regex', 'page', '[0-9]'), field('exact', 'flag', '')));
  t.notOk(query(field('exact', 'q', 'a b')));
  t.notOk(query(field('exact', 'page', '2'), field('present', 'Page')), 'all of them must hold');
  t.ok(cookie(field('exact', 'Session', 'ab=c'), field('prefix', 'theme', 'da')));
  t.notOk(cookie(field('present', 'session')));
});

t.test('what must be absent is a condition too, for headers, parameters and cookies', async (t) => {
  const head = { target: '/a?b=1', fields: 'x: 1\r\ncookie: c=1\r\n' };
  const absent = (name: string) => [field('absent', name)];
  t.notOk(matches({ headers: absent('X') }, head));
  t.ok(matches({ headers: absent('y') }, head));
  t.notOk(matches({ queries: absent('b') }, head));
  t.ok(matches({ queries: absent('c') }, head));
  t.notOk(matches({ cookies: absent('c') }, head));
  t.ok(matches({ cookies: absent('b') }, head));
});

t.test('the Host header can be asked for like any other', async (t) => {
  t.ok(matches({ headers: [field('exact', 'host', 'a:8080')] }, { host: 'a:8080' }));
});

t.test('all conditions must hold', async (t) => {
  const match: Partial<MatchPlan> = {
    host: 'a',
    path: { kind: 'prefix', value: '/p', ignoreCase: false },
    methods: ['GET'],
    headers: [field('present', 'x'), field('exact', 'y', '1')],
  };
  const head = { host: 'a', target: '/p/1', method: 'GET', fields: 'x: 1\r\ny: 1\r\n' };
  t.ok(matches(match, head));
  t.notOk(matches(match, { ...head, host: 'b' }));
  t.notOk(matches(match, { ...head, target: '/q' }));
  t.notOk(matches(match, { ...head, method: 'POST' }));
  t.notOk(matches(match, { ...head, fields: 'x: 1\r\ny: 2\r\n' }));
  t.notOk(matches(match, { ...head, fields: 'y: 1\r\n' }));
});

t.test('the first match wins between exact hosts, wildcards and any host', async (t) => {
  const table = new RouteTable([
    route({ host: 'a.example.com', path: { kind: 'exact', value: '/first', ignoreCase: false } }),
    route({ path: { kind: 'prefix', value: '/any', ignoreCase: false } }),
    route({ host: '*.example.com', methods: ['POST'] }),
    route({ host: 'a.example.com' }),
    route({ host: 'b.example.com' }),
    route({}),
  ]);
  const find = (host: string, target: string, method = 'GET') =>
    table.find(request({ host, target, method }));
  t.equal(find('a.example.com', '/first'), 0);
  t.equal(find('a.example.com', '/any'), 1);
  t.equal(find('a.example.com', '/', 'POST'), 2);
  t.equal(find('a.example.com', '/'), 3);
  t.equal(find('b.example.com', '/first'), 4);
  t.equal(find('c.example.com', '/first', 'POST'), 2);
  t.equal(find('elsewhere', '/first'), 5);
});

t.test('each of many routes by path on one host is found', async (t) => {
  const paths = Array.from({ length: 500 }, (_, i) => `/api/service-${i}/`);
  const host = 'a';
  const table = new RouteTable([
    ...paths.map((value) => route({ host, path: { kind: 'prefix', value, ignoreCase: false } })),
    route({ host, path: { kind: 'prefix', value: '/api/', ignoreCase: false } }),
  ]);
  t.ok(paths.every((path, i) => table.find(request({ host, target: `${path}x?y=/` })) === i));
  t.equal(table.find(request({ host, target: '/api/service-500/' })), 500);
  t.equal(table.find(request({ host, target: '/api/' })), 500);
  t.equal(table.find(request({ host, target: '/api' })), NO_ROUTE);
});

const nothing: MatchPlan['without'] = { headers: [], cookies: [], queries: [] };
// Few letters, so that routes overlap often.
const path = fc
  .string({ unit: fc.constantFrom('/', 'a', 'A', 'b', '?'), maxLength: 6 })
  .map((rest) => `/${rest}`);
const literal = fc
  .string({ unit: fc.constantFrom('/', 'a', 'A', 'b'), maxLength: 5 })
  .map((rest) => `/${rest}`);
const anyMatch = fc.record({
  cookies: fc.constant([]),
  host: fc.constantFrom(null, 'x.test', 'y.test', '*.test', '*.x.test'),
  path: fc.oneof(
    fc.constant(null),
    fc.record({
      kind: fc.constantFrom('exact' as const, 'prefix' as const),
      value: literal,
      ignoreCase: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('/a*', '/(a|b)/.*', '/b.?') }),
  ),
  methods: fc.constantFrom(null, ['GET'], ['POST', 'PUT']),
  headers: fc.constantFrom([], [field('exact', 'x', '1')]),
  queries: fc.constantFrom([], [], [field('present', 'a')]),
  without: fc.constantFrom(nothing, nothing, { ...nothing, headers: [field('exact', 'x', '1')] }),
});
const anyRoute = fc
  .array(anyMatch, { minLength: 1, maxLength: 3 })
  .map((matches): RoutePlan => ({ ...route({}), matches }));
const anyHead = fc
  .record({
    host: fc.constantFrom('x.test', 'X.test:80', 'y.test', 'z.test', 'a.x.test', 'other'),
    target: path,
    method: fc.constantFrom('GET', 'POST'),
    fields: fc.constantFrom('', 'x: 1\r\n'),
  })
  .map(request);

t.test('a table finds what trying its routes one by one finds', async (t) => {
  const found = new Set<number>();
  fc.assert(
    fc.property(
      fc.array(anyRoute, { maxLength: 40, size: 'max' }),
      fc.array(anyHead, { minLength: 10, maxLength: 10, size: 'max' }),
      (routes, heads) => {
        const table = new RouteTable(routes);
        const tables = routes.map((one) => new RouteTable([one]));
        return heads.every((head) => {
          const index = table.find(head);
          found.add(index);
          return index === tables.findIndex((one) => one.find(head) === 0);
        });
      },
    ),
    { numRuns: 400 },
  );
  t.ok(found.size > 15, `${found.size} different answers`);
});
