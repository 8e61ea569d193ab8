import fc from 'fast-check';
import type { RequestHead } from '../../../core/http/message.js';
import type { MatchPlan, PathMatch, RoutePlan } from '../../../core/plan.js';
import { NO_ROUTE, RouteTable } from '../../../core/route/table.js';
import t from '../../support/tap.js';
import { naiveFind } from './naive.js';
import { field, request, route, tableOf } from './support.js';

/** Whether a table of one route finds it. */
function matches(match: Partial<MatchPlan>, head: Partial<RequestHead>): boolean {
  return tableOf([route(match)]).find(request(head)) === 0;
}

t.test('a table without routes, or without a match, finds none', async (t) => {
  t.equal(tableOf([]).find(request({})), NO_ROUTE);
  t.equal(tableOf([route({ host: 'a' })]).find(request({ host: 'b' })), NO_ROUTE);
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
  const table = tableOf([{ ...route({}), matches: [...one, ...other] }, route({})]);
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
      t.throws(() => tableOf([route({ path: { kind: 'regex', value } })]), SyntaxError, value);
      t.throws(() => tableOf([route({ headers: [field('regex', 'x', value)] })]), SyntaxError, value);
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

t.test('no byte beyond ASCII passes for an ASCII letter in another case', async (t) => {
  const path = (value: string): { path: PathMatch } => ({ path: { kind: 'exact', value, ignoreCase: true } });
  for (const kelvin of ['\u212a', '\xe2\x84\xaa']) {
    t.notOk(matches({ host: 'k.test' }, { host: `${kelvin}.test` }));
    t.notOk(matches({ host: '*.k.test' }, { host: `a.${kelvin}.test` }));
    t.notOk(matches(path('/k'), { target: `/${kelvin}` }));
  }
  t.notOk(matches(path('/\u212a'), { target: '/k' }), 'nor the other way round');
  t.ok(matches(path('/\xc3\x89K'), { target: '/\xc3\x89k' }), 'bytes of UTF-8 have no case');
  t.notOk(matches(path('/\xc3\x89'), { target: '/\xe3\x89' }));
  t.notOk(matches({ host: '\xc3.test' }, { host: '\xe3.test' }));
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
  const table = tableOf([
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

t.test("a port is the listener's, and a scheme what the client sees", async (t) => {
  t.ok(matches({ port: 80 }, { localPort: 80, host: 'a:81' }));
  t.notOk(matches({ port: 80 }, { localPort: 81, host: 'a:80' }));
  t.ok(matches({ scheme: 'https' }, { secure: true }));
  t.ok(matches({ scheme: 'https' }, { fields: 'X-Forwarded-Proto: https\r\n' }));
  t.notOk(matches({ scheme: 'https' }, {}));
});

t.test('each of many routes by path on one host is found', async (t) => {
  const paths = Array.from({ length: 500 }, (_, i) => `/api/service-${i}/`);
  const host = 'a';
  const table = tableOf([
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
const pathMatch = fc.oneof(
  fc.constant(null),
  fc.record({
    kind: fc.constantFrom('exact' as const, 'prefix' as const),
    value: literal,
    ignoreCase: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('/a*', '/(a|b)/.*', '/b.?') }),
);
const anyMatch = fc.record({
  cookies: fc.constant([]),
  host: fc.constantFrom(null, 'x.test', 'y.test', '*.test', '*.x.test'),
  port: fc.constantFrom(null, null, 80, 81),
  scheme: fc.constant(null),
  path: pathMatch,
  methods: fc.constantFrom(null, ['GET'], ['POST', 'PUT']),
  headers: fc.constantFrom([], [field('exact', 'x', '1')]),
  queries: fc.constantFrom([], [], [field('present', 'a')]),
  without: fc.constantFrom(nothing, nothing, { ...nothing, headers: [field('exact', 'x', '1')] }),
});
const anyHead = fc
  .record({
    localPort: fc.constantFrom(80, 81),
    host: fc.constantFrom('x.test', 'X.test:80', 'y.test', 'z.test', 'a.x.test', 'other'),
    port: fc.constantFrom(null, null, 80, 81),
    scheme: fc.constant(null),
    target: path,
    method: fc.constantFrom('GET', 'POST'),
    fields: fc.constantFrom('', 'x: 1\r\n'),
  })
  .map(request);

// Values of one letter, so that a good part of the routes wants what a request has, and many routes want the
// same.
const letter = fc.constantFrom('a', 'b', 'c', 'd', '');
const condition = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('exact' as const), value: letter }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('prefix' as const, 'present' as const, 'absent' as const),
      value: letter,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('a|b', '.*', 'c+') }),
  },
);
const conditions = (...names: string[]) =>
  fc.array(
    fc.tuple(fc.constantFrom(...names), condition).map(([name, one]) => field(one.kind, name, one.value)),
    { maxLength: 2 },
  );
const askingMatch = fc.record({
  host: fc.constantFrom(null, null, 'x.test', '*.test'),
  port: fc.constantFrom(null, null, 80, 81),
  scheme: fc.constant(null),
  path: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: pathMatch }),
  methods: fc.constant(null),
  headers: conditions('x', 'X-a', 'host'),
  cookies: conditions('k', 'kk'),
  queries: conditions('q', 'qq'),
  without: fc.constantFrom(nothing, nothing, { ...nothing, cookies: [field('exact', 'k', 'a')] }),
});
const askingHead = fc
  .record({
    localPort: fc.constantFrom(80, 81),
    host: fc.constantFrom('x.test', 'x.test:80', 'y.test', 'a'),
    port: fc.constantFrom(null, null, 80, 81),
    scheme: fc.constant(null),
    target: fc
      .tuple(path, fc.array(fc.tuple(fc.constantFrom('q', 'qq', 'Q'), fc.constantFrom('', '='), letter)))
      .map(([before, pairs]) => `${before}?${pairs.map((pair) => pair.join('')).join('&')}`),
    fields: fc
      .tuple(
        fc.array(fc.tuple(fc.constantFrom('x', 'X', 'x-A', 'y'), fc.constantFrom(':', ': ', ':\t'), letter)),
        fc.array(fc.tuple(fc.constantFrom('k', 'kk', ' k', '\tkk ', 'K'), fc.constantFrom('', '='), letter)),
      )
      .map(([lines, cookies]) =>
        [...lines.map((line) => line.join('')), `Cookie: ${cookies.map((pair) => pair.join('')).join(';')}`]
          .map((line) => `${line}\r\n`)
          .join(''),
      ),
  })
  .map(request);

/** How many different answers a table gave; each was the one of the routes tried one by one. */
function differentAnswers(match: fc.Arbitrary<MatchPlan>, head: fc.Arbitrary<RequestHead>): number {
  const found = new Set<number>();
  const anyRoute = fc
    .array(match, { minLength: 1, maxLength: 3 })
    .map((matches): RoutePlan => ({ ...route({}), matches }));
  fc.assert(
    fc.property(
      fc.array(anyRoute, { maxLength: 40, size: 'max' }),
      fc.array(head, { minLength: 10, maxLength: 10, size: 'max' }),
      (routes, heads) => {
        const table = tableOf(routes);
        return heads.every((one) => {
          const index = table.find(one);
          found.add(index);
          return index === naiveFind(routes, one);
        });
      },
    ),
    { numRuns: 400 },
  );
  return found.size;
}

t.test('a table finds what trying its routes one by one finds', async (t) => {
  const answers = differentAnswers(anyMatch, anyHead);
  t.ok(answers > 15, `${answers} different answers`);
});

t.test('the same where routes differ in headers, cookies and parameters', async (t) => {
  const answers = differentAnswers(askingMatch, askingHead);
  t.ok(answers > 15, `${answers} different answers`);
});

t.test('each of many routes of one path is found by the exact values that it wants', async (t) => {
  const wanted = Array.from({ length: 200 }, (_, i) => ({ user: `user-${i >> 1}`, page: `${i & 1}` }));
  const table = tableOf([
    ...wanted.map(({ user, page }) =>
      route({ headers: [field('exact', 'x-user', user)], queries: [field('exact', 'page', page)] }),
    ),
    route({ cookies: [field('exact', 'canary', 'yes')] }),
    route({ headers: [field('present', 'x-user')] }),
  ]);
  const find = (fields: string, target: string) => table.find(request({ fields, target }));
  t.ok(wanted.every(({ user, page }, i) => find(`X-User: ${user}\r\n`, `/?page=${page}`) === i));
  t.equal(find('x-user: user-7\r\ncookie: canary=yes\r\n', '/?page=2'), 200);
  t.equal(find('x-user: nobody\r\n', '/?page=1'), 201);
  t.equal(find('', '/?page=1'), NO_ROUTE);
});

t.test("a host with a port in a plan is no request's, because it is compared without", async (t) => {
  const table = tableOf([route({ host: 'a:8080' }), route({ host: 'a' })]);
  t.equal(table.find(request({ host: 'a:8080' })), 1);
  t.equal(table.find(request({ host: 'a' })), 1);
});

t.test('the table of a large plan is built in many short steps', async (t) => {
  const size = 300;
  const hosts = Array.from({ length: size }, (_, i) => route({ host: `host-${i}` }));
  const paths = Array.from({ length: size }, (_, i) =>
    route({ path: { kind: 'prefix', value: `/service-${i}/`, ignoreCase: false } }),
  );
  const values = Array.from({ length: size }, (_, i) => route({ cookies: [field('exact', 'k', `${i}`)] }));
  for (const routes of [hosts, paths, values]) {
    const steps = RouteTable.of(routes);
    let count = 0;
    while (!steps.next().done) count++;
    t.ok(count >= 2 * size, `${count} steps: one to read each route, and one for each child at least`);
  }
});
