/** What a route can say beside its mirrors: to the plan, back again, and refused where it makes no sense. */

import { compilePlan } from '../../config/compile.js';
import { effectiveConfig } from '../../config/effective.js';
import { MirrorSlots } from '../../config/slots.js';
import type { Plan } from '../../core/plan.js';
import t from '../support/tap.js';
import { loaded, told } from './told.js';

const versions = 'versions: { v1: "http://a:1", v2: "http://a:2", v3: "http://a:3" }\n';

function planOf(routes: string): Plan {
  return compilePlan(loaded(`${versions}routes:\n${routes}`), 1, new MirrorSlots(), 1);
}

/** Problems of a route in the third line, which begins in the fourth column. */
function toldOf(route: string): string[] {
  return told(`${versions}routes:\n- { ${route} }\n`);
}

const full = `
- name: everything
  match:
    - { host: a.example.com, path: { prefix: /Shop, ignoreCase: true } }
    - { path: { exact: /x, ignoreCase: false }, without: { header: { X-Bot: { present: true } }, query: { a: { exact: "1" } } } }
  primary: { v1: 99.9, v2: 0.1, v3: 0 }
  split: cookie:Session
  rewrite: { path: { prefix: /shop, to: /store }, host: store.internal }
  headers: { request: { set: { X-One: a }, remove: [ x-two ] }, response: { add: { x-three: b } } }
  versionHeaders: { v2: { request: { set: { x-version: "2" } }, response: { remove: [ server ] } } }
  retries: { attempts: 3, perTryTimeout: 250ms, on: [ connect-failure, reset, 5xx, gateway-error, retriable-4xx, 429, 503, 503 ] }
  fault: { delay: { percent: 10, for: 5s }, abort: { percent: 0.5, status: 503 } }
  mirrors: [ { to: v2 } ]
- name: moved
  match: { path: { prefix: /old } }
  redirect: { status: 308, scheme: https, host: new.example.com, port: 8443, path: { regex: "^/old/(.*)", to: "/new/\\\\1" } }
  fault: { abort: { status: 418 } }
- name: whole
  match: { path: { exact: /home } }
  redirect: { path: / }
- name: said
  respond: { status: 404, body: "nothing\\n", headers: { content-type: text/css, X-A: b } }
  headers: { response: { set: { x-b: c } } }
`.slice(1);

t.test('what a route does with its requests becomes the plan', async (t) => {
  const [everything, moved, whole, said] = planOf(full).routes;
  t.match(everything, {
    matches: [
      { host: 'a.example.com', path: { kind: 'prefix', value: '/Shop', ignoreCase: true } },
      {
        path: { kind: 'exact', value: '/x', ignoreCase: false },
        without: {
          headers: [{ name: 'x-bot', kind: 'present', value: '' }],
          queries: [{ name: 'a', kind: 'exact', value: '1' }],
          cookies: [],
        },
      },
    ],
    answer: null,
    split: { by: 'cookie', name: 'Session' },
    rewrite: {
      path: { kind: 'prefix', prefix: '/shop', value: '/store', ignoreCase: true },
      host: 'store.internal',
    },
    headers: {
      request: { set: [['x-one', 'a']], add: [], remove: ['x-two'] },
      response: { add: [['x-three', 'b']] },
    },
    retries: {
      attempts: 3,
      perTryTimeoutMs: 250,
      on: ['connect', 'reset', '5xx', 'gateway-error', 'retriable-4xx', 429, 503],
    },
    fault: {
      delay: { shareMillionths: 100_000, delayMs: 5000 },
      abort: { shareMillionths: 5000, status: 503, grpcStatus: -1 },
    },
  });
  t.same(
    everything.primaries.map(({ version, weight }) => [version, weight]),
    [
      [0, 99.9],
      [1, 0.1],
      [2, 0],
    ],
  );
  t.match(everything.primaries[1].headers, {
    request: { set: [['x-version', '2']] },
    response: { remove: ['server'] },
  });
  t.same(moved.answer, {
    kind: 'redirect',
    status: 308,
    scheme: 'https',
    host: 'new.example.com',
    port: 8443,
    path: { kind: 'regex', pattern: '^/old/(.*)', substitution: '/new/$01', whole: false },
  });
  t.match(moved, {
    primaries: [],
    fault: { delay: null, abort: { shareMillionths: 1_000_000, status: 418, grpcStatus: -1 } },
  });
  t.match(whole.answer, { status: 301, scheme: null, path: { kind: 'set', value: '/' } });
  t.match(said, {
    primaries: [],
    answer: {
      kind: 'respond',
      status: 404,
      body: 'nothing\n',
      headers: [
        ['content-type', 'text/css'],
        ['x-a', 'b'],
      ],
    },
  });
});

t.test('a route in its effective words compiles to the same plan', async (t) => {
  const plan = planOf(full);
  const again = compilePlan(loaded(JSON.stringify(effectiveConfig(plan))), 1, new MirrorSlots(), 1);
  t.same(again.routes, plan.routes);
});

t.test('what changes nothing is not in the plan', async (t) => {
  const [route] = planOf(
    '- { primary: { v1: 5 }, rewrite: {}, headers: { request: {} }, versionHeaders: { v1: { response: {} } }, fault: {} }\n',
  ).routes;
  t.match(route, { rewrite: null, headers: null, fault: null, primaries: [{ weight: 5, headers: null }] });
});

t.test('the effective words of headers hide secrets', async (t) => {
  const text = JSON.stringify(
    effectiveConfig(
      planOf(
        '- { primary: v1, headers: { request: { set: { authorization: s3cret } } }, match: { host: a, without: { cookie: { a: { exact: s3cret } } } } }\n- { respond: { headers: { set-cookie: s3cret } } }\n',
      ),
    ),
  );
  t.notMatch(text, 's3cret');
});

t.test('a route that makes no sense is refused with its position', async (t) => {
  const cases: Record<string, string> = {
    'primary: v1, respond: {}': '3:3: routes[0]: has primary and respond: one of them answers',
    'name: a': '3:3: routes[0]: `primary` is missing',
    'primary: {}': '3:14: routes[0].primary: expected a weight above 0, found an empty mapping',
    'primary: { v1: 0 }': '3:14: routes[0].primary: expected a weight above 0, found a mapping',
    'primary: { v1: -1 }':
      '3:20: routes[0].primary.v1: expected a weight from 0 to 1000000 in steps of 0.0001, found `-1`',
    'primary: { v1: 0.00001 }':
      '3:20: routes[0].primary.v1: expected a weight from 0 to 1000000 in steps of 0.0001, found `0.00001`',
    'primary: { v1: 1, v9: 1 }': '3:23: unknown version `v9` (did you mean `v1`?)',
    'primary: v1, versionHeaders: { v2: {} }': '3:36: `v2` is not a primary of this route: v1',
    'primary: { v1: 1, v2: 0 }, mirrors: [ { to: v1 } ]':
      '3:49: warning: `v1` answers every request of this route, so nothing is copied to it',
    'primary: { v1: 1 }, mirrors: [ { to: v1 } ]':
      '3:42: mirrors `v1` to itself: it is the primary of this route',
    'respond: {}, mirrors: [ { to: v1 } ]':
      '3:18: `mirrors` is for requests that are forwarded to a version, and `respond` answers these',
    'redirect: {}, headers: { request: { remove: [ a ] } }':
      '3:30: `headers.request` is for requests that are forwarded to a version, and `redirect` answers these',
    'redirect: { status: 200 }':
      '3:25: routes[0].redirect.status: expected 301, 302, 303, 307 or 308, found `200`',
    'redirect: { host: "a:80" }':
      '3:23: routes[0].redirect.host: expected a host name without a port; set it with `port`, found `"a:80"`',
    'redirect: { path: a }':
      '3:23: routes[0].redirect.path: expected a path that begins with / and has no query, found `a`',
    'respond: { status: 204, body: a }': '3:35: routes[0].respond.body: a 204 has no body',
    'respond: { headers: { content-length: "1" } }':
      "3:27: routes[0].respond.headers.content-length: `content-length` can't be edited here: it delimits the body and umbra sets it itself (RFC 9112, section 6)",
    'primary: v1, headers: { response: { set: { date: a } } }':
      "3:48: routes[0].headers.response.set.date: `date` can't be edited here: it is kept as the primary sent it, or umbra's own",
    'primary: v1, headers: { request: { set: { a: "s3\\u0001" } } }':
      '3:50: routes[0].headers.request.set.a: has a character that is not allowed in a header value: use visible ASCII, spaces and tabs',
    'primary: v1, headers: { request: { remove: [ x-umbra-mirror ] } }':
      "3:50: routes[0].headers.request.remove[0]: `x-umbra-mirror` can't be removed: it keeps a mirror from mirroring a mirror",
    'primary: v1, rewrite: { path: { prefix: /a } }':
      '3:35: routes[0].rewrite.path: expected { prefix: PATH, to: PATH }, { regex: PATTERN, to: PATH } or { set: PATH }, found a mapping',
    'primary: v1, rewrite: { path: { prefix: /a, to: b } }':
      '3:53: routes[0].rewrite.path.to: expected a path that begins with / and has no query, found `b`',
    'primary: v1, rewrite: { path: { regex: a, to: $1 } }':
      '3:51: routes[0].rewrite.path.to: names group 1, and the regular expression has 0 groups',
    'primary: v1, retries: { on: [ maybe ] }':
      '3:35: routes[0].retries.on[0]: expected connect, reset, 5xx, gateway-error, retriable-4xx, a gRPC status such as unavailable, or 400 to 599, found `maybe`',
    'primary: v1, retries: { attempts: 0 }':
      '3:39: routes[0].retries.attempts: expected a whole number from 1 to 16, found `0`',
    'primary: v1, fault: { abort: {} }':
      '3:34: routes[0].fault.abort: expected `status` or `grpcStatus`, and not both, found an empty mapping',
    'primary: v1, match: []':
      '3:25: routes[0].match: expected a mapping, or a list of at least one, found an empty list',
    'primary: v1, match: { path: { regex: a, ignoreCase: true } }':
      '3:33: routes[0].match.path: `ignoreCase` belongs to exact and prefix; in a regular expression write [aA]',
    'primary: v1, match: [ { path: { exact: /a } }, { path: { exact: /b } } ], mirrors: [ { to: v2, rewrite: { prefix: /c } } ]':
      '3:119: rewrite: `prefix` replaces the path that the route matches, and this route has several matches; use { regex, substitution }',
  };
  for (const [route, expected] of Object.entries(cases)) t.equal(toldOf(route)[0], expected, route);
});

t.test(
  'a route behind one that takes all of its requests is a warning, with lists, cases and exceptions too',
  async (t) => {
    const warned = (earlier: string, later: string) =>
      told(
        `${versions}routes:\n- { primary: v1, match: ${earlier} }\n- { primary: v1, match: ${later} }\n`,
      ).some((line) => line.includes('can never match'));
    t.ok(warned('[ { host: a }, { host: b } ]', '{ host: b }'));
    t.ok(warned('[ { host: a }, { host: b } ]', '[ { host: b }, { host: a } ]'));
    t.notOk(warned('{ host: b }', '[ { host: b }, { host: a } ]'));
    t.ok(warned('{ path: { prefix: /A, ignoreCase: true } }', '{ path: { prefix: /ab } }'));
    t.notOk(warned('{ path: { prefix: /a } }', '{ path: { prefix: /ab, ignoreCase: true } }'));
    t.ok(warned('{ path: { exact: /A, ignoreCase: true } }', '{ path: { exact: /a, ignoreCase: true } }'));
    t.notOk(warned('{ host: a, without: { query: { q: { present: true } } } }', '{ host: a }'));
  },
);
