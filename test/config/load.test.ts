import { formatProblem, loadConfig } from '../../config/load.js';
import { clientPem, serverKey, serverPem } from '../support/authority.js';
import t from '../support/tap.js';
import { loaded, loadedFrom, minimal, mirrored, told } from './told.js';

/** The whole problems of a text; positions count from 1. */
const refusals: Record<string, readonly [name: string, text: string, ...problems: string[]][]> = {
  'text that is not YAML': [
    ['an empty file', '', '1:1: is empty: a configuration has at least `versions` and `routes`'],
    ['only comments', '# nothing\n', '1:1: is empty: a configuration has at least `versions` and `routes`'],
    ['a list', '- a\n', '1:1: expected a mapping with `versions` and `routes`'],
    ['a scalar', '\n  text\n', '2:3: expected a mapping with `versions` and `routes`'],
    ['a tab', minimal('admin:\n\ttoken: x\n'), '2:1: YAML: Tabs are not allowed as indentation'],
    [
      'two documents',
      `${minimal()}---\na: 1\n`,
      '3:1: a second YAML document starts here: one file is one document',
    ],
    [
      'an unknown tag',
      minimal('drain: !!js/function x\n'),
      '1:8: YAML: Unresolved tag: tag:yaml.org,2002:js/function',
    ],
    [
      'an alias to nothing',
      minimal('drain: *d\n'),
      '1:8: alias `*d`: `&d` is not an anchor before this place',
    ],
    ['a key that is a list', minimal('? [a]\n: 1\n'), '1:3: a key must be plain text'],
  ],
  keys: [
    ['an unknown key', minimal('drian: 5s\n'), '1:1: unknown key `drian` (did you mean `drain`?)'],
    ['an unknown key that is near to nothing', minimal('colour: red\n'), '1:1: unknown key `colour`'],
    [
      'an unknown key inside',
      mirrored('percnt: 1'),
      '4:24: unknown key `percnt` in routes[0].mirrors[0] (did you mean `percent`?)',
    ],
    [
      'an unknown key inside one form of several',
      'versions: { v1: { endpoint: "http://127.0.0.1:1" } }\nroutes: [ { primary: v1 } ]\n',
      '1:17: versions.v1: `endpoints` is missing',
      '1:19: unknown key `endpoint` in versions.v1 (did you mean `endpoints`?)',
    ],
    [
      'a key given twice',
      minimal('drain: 1s\ndrain: 2s\n'),
      '2:1: `drain` is given twice; the first is at line 1',
    ],
    [
      'a version given twice',
      'versions:\n  v1: "http://a:1"\n  v1: "http://a:2"\nroutes: [ { primary: v1 } ]\n',
      '3:3: `v1` is given twice; the first is at line 2',
    ],
    ['__proto__', minimal('__proto__: { drain: 1s }\n'), '1:1: `__proto__` can not be a key'],
    [
      'a merge key',
      minimal('<<: { drain: 1s }\n'),
      '1:1: unknown key `<<` (merge keys are not part of YAML 1.2; write the keys out)',
    ],
    ['no versions', 'routes: [ { primary: v1 } ]\n', '1:1: the configuration: `versions` is missing'],
    ['no routes', 'versions: { v1: "http://a:1" }\n', '1:1: the configuration: `routes` is missing'],
    [
      'empty versions',
      'versions: {}\nroutes: [ { primary: v1 } ]\n',
      '1:11: versions: expected at least one version, found an empty mapping',
      '2:22: unknown version `v1`',
    ],
    [
      'empty routes',
      'versions: { v1: "http://a:1" }\nroutes: []\n',
      '2:9: routes: expected a list of at least one route, found an empty list',
    ],
    [
      'no primary',
      'versions: { v1: "http://a:1" }\nroutes:\n- name: a\n',
      '3:3: routes[0]: `primary` is missing',
    ],
  ],
  'types and units': [
    ['a list for a mapping', minimal('threads: [1]\n'), '1:10: threads: expected a mapping, found a list'],
    [
      'nothing for a value',
      minimal('drain:\n'),
      '1:7: drain: expected a duration such as 250ms, 15s, 5m or 1h, found nothing',
    ],
    [
      'a bare number',
      minimal('drain: 30\n'),
      '1:8: drain: expected a duration such as 250ms, 15s, 5m or 1h, found `30`',
    ],
    [
      'a long duration',
      minimal('drain: 600h\n'),
      '1:8: drain: is too long: the longest duration is 24 days (596h)',
    ],
    [
      'a timeout without a unit',
      mirrored('timeouts: { idle: 5 }'),
      '4:42: routes[0].mirrors[0].timeouts.idle: expected a duration such as 250ms, 15s, 5m or 1h, or off, found `5`',
    ],
    [
      'a decimal size',
      mirrored('body: { max: 1MB }'),
      '4:37: routes[0].mirrors[0].body.max: expected a size such as 500B, 64KiB, 1MiB or 1GiB (units are powers of 1024: KiB, MiB, GiB), found `1MB`',
    ],
    [
      'a rate without time',
      mirrored('rate: 5000'),
      '4:30: routes[0].mirrors[0].rate: expected a rate such as 5000/s, found `5000`',
    ],
    [
      'a percentage above 100',
      mirrored('percent: 100.5'),
      '4:33: routes[0].mirrors[0].percent: expected a percentage from 0 to 100 in steps of 0.0001, such as 25, 0.5 or 1%, found `100.5`',
    ],
    [
      'too fine a percentage',
      mirrored('percent: 0.00001%'),
      '4:33: routes[0].mirrors[0].percent: expected a percentage from 0 to 100 in steps of 0.0001, such as 25, 0.5 or 1%, found `0.00001%`',
    ],
    [
      'text for a boolean',
      mirrored('enabled: "yes"'),
      '4:33: routes[0].mirrors[0].enabled: expected true or false, found `"yes"`',
    ],
    [
      'a number for a name',
      'versions: { "1": "http://a:1" }\nroutes: [ { primary: 1 } ]\n',
      '2:22: routes[0].primary: expected a name, or a mapping of versions and their weights, found `1`; put it in quotes',
    ],
    [
      'too few connections',
      'versions: { v1: { endpoints: "http://a:1", connections: { max: 0 } } }\nroutes: [ { primary: v1 } ]\n',
      '1:64: versions.v1.connections.max: expected a whole number from 1 to 65535, found `0`',
    ],
    [
      'too many threads',
      minimal('threads: { proxy: 65 }\n'),
      '1:19: threads.proxy: expected auto or a whole number from 1 to 64, found `65`',
    ],
    [
      'a mistyped auto',
      minimal('threads: { shadow: atuo }\n'),
      '1:20: threads.shadow: expected auto or a whole number from 1 to 64, found `atuo` (did you mean `auto`?)',
    ],
    [
      'a ring that is not a power of two',
      minimal('threads: { ring: 3MiB }\n'),
      '1:18: threads.ring: expected a power of two from 64KiB to 1GiB, found `3MiB`',
    ],
    [
      'a small ring',
      minimal('threads: { ring: 32KiB }\n'),
      '1:18: threads.ring: expected a power of two from 64KiB to 1GiB, found `32KiB`',
    ],
    [
      'a mistyped word',
      mirrored('host: shadw'),
      '4:30: routes[0].mirrors[0].host: expected shadow, preserve, endpoint or { set: name }, found `shadw` (did you mean `shadow`?)',
    ],
    [
      'mistyped methods',
      mirrored('methods: sfae'),
      '4:33: routes[0].mirrors[0].methods: expected all, safe or a list of methods such as [GET, POST], found `sfae` (did you mean `safe`?)',
    ],
    [
      'an unknown sample',
      mirrored('sample: ip'),
      '4:32: routes[0].mirrors[0].sample: expected random, client, header:NAME or cookie:NAME, found `ip`',
    ],
    [
      'two kinds of path',
      'versions: { v1: "http://a:1" }\nroutes:\n- primary: v1\n  match: { path: { exact: /a, prefix: /b } }\n',
      '4:18: routes[0].match.path: expected exactly one of exact, prefix, regex, found a mapping',
    ],
    [
      'a relative path',
      'versions: { v1: "http://a:1" }\nroutes:\n- primary: v1\n  match: { path: { prefix: a } }\n',
      '4:28: routes[0].match.path.prefix: expected a path that begins with / and has no query; write other characters in percent-encoding, found `a`',
    ],
    [
      'a host with a port',
      'versions: { v1: "http://a:1" }\nroutes:\n- primary: v1\n  match: { host: "a:80" }\n',
      '4:18: routes[0].match.host: expected a host name such as reviews.example.com, *.example.com or 127.0.0.1, without a port, found `"a:80"`',
    ],
    [
      'a route name with a slash',
      'versions: { v1: "http://a:1" }\nroutes: [ { primary: v1, name: a/b } ]\n',
      '2:32: routes[0].name: expected a name of letters, digits and ._- (at most 128), found `a/b`',
    ],
    [
      'a version name with a blank',
      'versions: { "v 1": "http://a:1" }\nroutes: [ { primary: "v 1" } ]\n',
      '1:13: versions.v 1: expected a name of letters, digits and ._- (at most 128)',
      '2:22: routes[0].primary: expected a name of letters, digits and ._- (at most 128), found `"v 1"`',
    ],
  ],
  addresses: [
    [
      'an address without a port',
      minimal('listen: [127.0.0.1]\n'),
      '1:10: listen[0]: expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/umbra.sock, found `127.0.0.1`',
    ],
    [
      'an address without a host',
      minimal('listen: [":8080"]\n'),
      '1:10: listen[0]: expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/umbra.sock (0.0.0.0 or [::] for every interface), found `":8080"`',
    ],
    [
      'a port out of range',
      minimal('listen:\n- address: 127.0.0.1:65536\n'),
      '2:12: listen[0].address: port `65536` is not a number from 0 to 65535',
    ],
    [
      'a relative socket',
      minimal('listen: ["unix:a.sock"]\n'),
      '1:10: listen[0]: expected an absolute path after unix:, such as unix:/run/umbra.sock, found `"unix:a.sock"`',
    ],
    [
      'a listener twice',
      minimal('listen: [127.0.0.1:80, "[::1]:80", 127.0.0.1:80]\n'),
      '1:36: listen: 127.0.0.1:80 is already used by listen (127.0.0.1:80)',
    ],
    [
      'a wildcard over a listener',
      minimal('listen: [127.0.0.1:80, 0.0.0.0:80]\n'),
      '1:24: listen: 0.0.0.0:80 is already used by listen (127.0.0.1:80)',
    ],
    [
      'two spellings of one address',
      minimal('listen: ["[::1]:80", "[0:0::1]:80"]\n'),
      '1:22: listen: [::1]:80 is already used by listen ([::1]:80)',
    ],
    [
      'a socket twice',
      minimal('listen: [unix:/run/a, unix:/run/a]\n'),
      '1:23: listen: unix:/run/a is already used by listen (unix:/run/a)',
    ],
    [
      'the admin server on the listener',
      minimal('admin: { address: 127.0.0.1:8080 }\n'),
      '1:19: admin: 127.0.0.1:8080 is already used by listen (by default) (127.0.0.1:8080)',
    ],
    [
      'a listener on the default admin port',
      minimal('listen: [ 127.0.0.1:9901 ]\n'),
      '1:11: listen: 127.0.0.1:9901 is already used by admin (by default) (127.0.0.1:9901)',
    ],
    [
      'an open admin server',
      minimal('admin:\n  address: 0.0.0.0:9901\n'),
      '2:12: admin: `token` is required, because 0.0.0.0:9901 can be reached from other machines',
    ],
    [
      'a token with blanks',
      minimal('admin: { token: "a b c" }\n'),
      '1:17: admin.token: is not a token: 1 to 1024 visible ASCII characters without spaces',
    ],
    [
      'admin: true',
      minimal('admin: true\n'),
      '1:8: admin: expected a mapping with `address`, or off, found `true`',
    ],
  ],
  endpoints: [
    [
      'no scheme',
      version('127.0.0.1:9080'),
      '1:17: versions.v1: expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock, found `"127.0.0.1:9080"`',
    ],
    [
      'a user',
      version('http://me@a:1'),
      '1:17: versions.v1: an endpoint has no user or password: expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock',
    ],
    [
      'a path',
      version('http://a:1/x'),
      "1:17: versions.v1: an endpoint has no path, query or fragment: requests keep the client's target",
    ],
    [
      'a query',
      version('http://a:1?x'),
      "1:17: versions.v1: an endpoint has no path, query or fragment: requests keep the client's target",
    ],
    ['port 0', version('http://a:0'), '1:17: versions.v1: port `0` is not a number from 1 to 65535'],
    [
      'an impossible address',
      version('http://300.1.1.1:1'),
      '1:17: versions.v1: expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock, found `"http://300.1.1.1:1"`',
    ],
    [
      'an abbreviated address',
      version('http://127.1:1'),
      '1:17: versions.v1: expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock, found `"http://127.1:1"`',
    ],
    [
      'another scheme',
      version('ftp://a:1'),
      '1:17: versions.v1: expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock, found `"ftp://a:1"`',
    ],
    [
      'none',
      'versions: { v1: { endpoints: [] } }\nroutes: [ { primary: v1 } ]\n',
      '1:30: versions.v1.endpoints: expected an endpoint or a list of them, found an empty list',
    ],
  ],
  'names that belong together': [
    [
      'an unknown primary',
      'versions: { v1: "http://a:1" }\nroutes:\n- primary: v2\n',
      '3:12: unknown version `v2` (did you mean `v1`?)',
    ],
    [
      'an unknown shadow',
      'versions: { v1: "http://a:1" }\nroutes:\n- { primary: v1, mirrors: [ { to: reviews } ] }\n',
      '3:35: unknown version `reviews`',
    ],
    [
      'a version that every object inherits',
      'versions: { v1: "http://a:1" }\nroutes:\n- primary: constructor\n',
      '3:12: unknown version `constructor`',
    ],
    [
      'a route twice',
      'versions: { v1: "http://a:1" }\nroutes:\n- { name: a, primary: v1, match: { host: a } }\n- { name: a, primary: v1 }\n',
      '4:11: route `a` is defined twice; the first is at line 3',
    ],
    [
      'a route named as an unnamed one',
      'versions: { v1: "http://a:1" }\nroutes:\n- { name: route-2, primary: v1, match: { host: a } }\n- { primary: v1 }\n',
      '4:3: route `route-2` is defined twice; the first is at line 3',
    ],
    [
      'a mirror to the primary',
      'versions: { v1: "http://a:1" }\nroutes:\n- { primary: v1, mirrors: [ { to: v1 } ] }\n',
      '3:35: mirrors `v1` to itself: it is the primary of this route',
    ],
    [
      'two mirrors to one version',
      mirrored('percent: 1 }, { to: v2'),
      '4:44: this route is mirrored to `v2` twice; the first is at line 4',
    ],
    [
      'a header in two spellings',
      mirrored('headers: { set: { X-A: b, x-a: c } }'),
      '4:55: routes[0].mirrors[0].headers.set.x-a: is given twice in different spellings',
    ],
  ],
  headers: [
    [
      'a name that is not a token',
      mirrored('headers: { remove: [ "x y" ] }'),
      '4:45: routes[0].mirrors[0].headers.remove[0]: expected a header name: letters, digits and !#$%&\'*+-.^_`|~, found `"x y"`',
    ],
    [
      'a name that is not a token, as a key',
      mirrored('headers: { set: { "x:": a } }'),
      "4:42: routes[0].mirrors[0].headers.set.x:: expected a header name: letters, digits and !#$%&'*+-.^_`|~",
    ],
    [
      'a line feed in a value',
      mirrored('headers: { add: { a: "b\\nc: d" } }'),
      '4:45: routes[0].mirrors[0].headers.add.a: has a character that is not allowed in a header value: use visible ASCII, spaces and tabs',
    ],
    [
      'a number for a value',
      mirrored('headers: { set: { a: 1 } }'),
      '4:45: routes[0].mirrors[0].headers.set.a: expected a header value; put it in quotes',
    ],
    [
      'a hop-by-hop field',
      mirrored('headers: { set: { Connection: close } }'),
      "4:42: routes[0].mirrors[0].headers.set.Connection: `connection` can't be edited here: it belongs to one connection and umbra sets it itself (RFC 9110, section 7.6.1)",
    ],
    [
      'a framing field',
      mirrored('headers: { remove: [ content-length ] }'),
      "4:45: routes[0].mirrors[0].headers.remove[0]: `content-length` can't be edited here: it delimits the body and umbra sets it itself (RFC 9112, section 6)",
    ],
    [
      'Host',
      mirrored('headers: { set: { host: a } }'),
      "4:42: routes[0].mirrors[0].headers.set.host: `host` can't be edited here: it has its own key: `host` of a mirror, `rewrite.host` of a route",
    ],
    [
      'Expect',
      mirrored('headers: { add: { expect: a } }'),
      "4:42: routes[0].mirrors[0].headers.add.expect: `expect` can't be edited here: it is answered by umbra and never forwarded (RFC 9110, section 10.1.1)",
    ],
  ],
  comparing: [
    [
      'a rule',
      mirrored('compare: { ignore: [ date ] }'),
      '4:45: routes[0].mirrors[0].compare.ignore[0]: expected header:NAME or a JSONPath such as $.requestId or $..updatedAt, found `date`',
    ],
    [
      'a path with a filter',
      mirrored('compare: { ignore: [ "$.a[?(@.b)]" ] }'),
      "4:45: routes[0].mirrors[0].compare.ignore[0]: can't be understood from character 4 on: names, ['names'], [3], [*], .* and .. are; a name with other characters stands in ['…']",
    ],
    [
      'a tolerance',
      mirrored('compare: { tolerance: about }'),
      '4:46: routes[0].mirrors[0].compare.tolerance: expected a number such as 0.001, or a percentage such as 0.1%, found `about`',
    ],
    [
      'a body that is held too long',
      mirrored('compare: { body: { max: 2MiB } }'),
      '4:48: routes[0].mirrors[0].compare.body.max: expected at most 1024KiB, found `2MiB`',
    ],
    [
      'a baseline of another version',
      mirrored('compare: { baseline: v2 }'),
      '4:45: the baseline must be the primary of this route, `v1`, not `v2`',
    ],
  ],
  redacting: [
    [
      'a path',
      minimal('redact: { json: [ password ] }\n'),
      '1:19: redact.json[0]: expected a JSONPath such as $.requestId, found `password`',
    ],
  ],
};

function version(endpoint: string): string {
  return `versions: { v1: "${endpoint}" }\nroutes: [ { primary: v1 } ]\n`;
}

for (const [group, cases] of Object.entries(refusals)) {
  t.test(`${group}: refused at the place, with the reason`, async (t) => {
    for (const [name, text, ...problems] of cases) t.same(told(text), problems, name);
  });
}

t.test('all problems are reported at once, in the order of the file', async (t) => {
  const text =
    'drain: 5\nroutes:\n- { primary: v2, timeot: 1s }\nversions: { v1: "http://a:1/x" }\nadmin: { address: "0.0.0.0:1" }\n';
  t.same(
    told(text).map((line) => line.split(': ', 2)[0]),
    ['1:8', '3:14', '3:18', '4:17', '5:19'],
  );
});

t.test('a flood of problems is cut, with the count of the rest', async (t) => {
  const problems = told(minimal(Array.from({ length: 150 }, (_, index) => `zz${index}: 1\n`).join('')));
  t.equal(problems.length, 101);
  t.equal(problems[100], '101:1: 50 more problems follow and are not shown');
});

t.test('JSON is YAML', async (t) => {
  const text = JSON.stringify(
    { versions: { v1: 'http://127.0.0.1:1' }, routes: [{ primary: 'v1' }] },
    null,
    '\t',
  );
  t.same(loaded(text).routes[0].primary, [{ version: 'v1', weight: 1 }]);
  t.match(told('{"versions": {"v1": "http://a:1"}, "routes": [{"primary": "v1", "percent": 1}]}'), [
    '1:65: unknown key `percent` in routes[0]',
  ]);
});

t.test('anchors and aliases can be used, and a version is named as it is written', async (t) => {
  const config = loaded(
    'versions: { 1.10: &v "http://a:1", 1.1: *v }\nroutes: [ { primary: "1.10", mirrors: [ { to: "1.1" } ] } ]\n',
  );
  t.same(Object.keys(config.versions), ['1.10', '1.1']);
  t.equal(config.versions['1.1'].endpoints[0].authority, 'a:1');
});

t.test('a route can not match on a field that never reaches it', async (t) => {
  const problems = told(
    'versions: { v1: "http://a:1" }\nroutes:\n- primary: v1\n  match: { header: { TE: { present: true }, host: { prefix: a } } }\n',
  );
  t.same(problems, [
    "4:22: routes[0].match.header.TE: `te` can't be matched: umbra handles it before routing",
  ]);
});

t.test('percent 0 of an enabled mirror, port 0 and an admin server that is off are fine', async (t) => {
  t.same(told(mirrored('percent: 0, enabled: true')), []);
  t.same(told(minimal('listen: [127.0.0.1:0, 127.0.0.1:0]\nadmin: { address: 127.0.0.1:0 }\n')), []);
  for (const off of ['off', 'false', '"off"'])
    t.equal(loaded(minimal(`admin: ${off}\nlisten: [127.0.0.1:9901]\n`)).admin, null, off);
  t.same(told(minimal('admin: { address: 0.0.0.0:1, token: x }\n')), []);
});

t.test('a route that can never match is a warning, and no error', async (t) => {
  const routes = (earlier: string, later: string) =>
    `versions: { v1: "http://a:1" }\nroutes:\n- { primary: v1, match: { ${earlier} } }\n- { primary: v1, match: { ${later} } }\n`;
  const warning = [
    '4:3: warning: route `route-2` can never match: `route-1` before it matches all of its requests',
  ];
  const covered = [
    ['', 'path: { prefix: /a }'],
    ['path: { prefix: / }', ''],
    ['path: { prefix: /a }', 'path: { exact: /a/b }, method: [GET]'],
    ['path: { prefix: /a/ }', 'path: { prefix: /a/b }'],
    ['path: { regex: ^/a }', 'path: { regex: ^/a }'],
    ['host: "*.b.c"', 'host: "*.a.b.c"'],
    ['host: A.b', 'host: a.B'],
    ['method: [GET, POST]', 'method: [get]'],
    ['path: { prefix: /a }', 'path: { prefix: /ab }'],
    ['path: { regex: "/a[0-9]" }', 'path: { exact: /a7 }'],
    ['query: { a: { present: true } }', 'query: { a: { exact: b } }'],
    ['query: { a: { prefix: b } }', 'query: { a: { exact: bc } }'],
    ['cookie: { a: { present: false } }', 'cookie: { a: { present: false } }, query: { b: { exact: c } }'],
    ['header: { X-A: { present: true } }', 'header: { x-a: { exact: b }, c: { present: true } }'],
  ];
  for (const [earlier, later] of covered)
    t.same(told(routes(earlier, later)), warning, `${earlier} over ${later}`);
  const open = [
    ['path: { prefix: /a }', ''],
    ['path: { regex: /a }', 'path: { exact: /ab }'],
    ['query: { a: { present: false } }', 'query: { a: { exact: b } }'],
    ['query: { A: { present: true } }', 'query: { a: { present: true } }'],
    ['cookie: { a: { exact: b } }', 'header: { a: { exact: b } }'],
    ['header: { a: { prefix: b } }', 'header: { a: { regex: b } }'],
    ['path: { exact: /a }', 'path: { prefix: /a }'],
    ['path: { prefix: /a }', 'path: { regex: ^/a }'],
    ['host: "*.b.c"', 'host: b.c'],
    ['host: a', ''],
    ['method: [GET]', 'method: [GET, POST]'],
    ['method: [GET]', ''],
    ['header: { a: { exact: b } }', 'header: { a: { exact: c } }'],
    ['header: { a: { exact: b } }', ''],
  ];
  for (const [earlier, later] of open) t.same(told(routes(earlier, later)), [], `${earlier} beside ${later}`);
});

t.test('a mirror to an endpoint of its own primary is a warning', async (t) => {
  const versions = (v2: string) =>
    `versions: { v1: ["http://a:1", "http://b:1"], v2: "${v2}" }\nroutes:\n- primary: v1\n  mirrors: [ { to: v2 } ]\n`;
  t.same(told(versions('http://b:1')), [
    '4:20: warning: `v2` has an endpoint of the primary `v1`, b:1: it receives each request of this route twice',
  ]);
  t.same(told(versions('http://b:2')), []);
});

t.test('a baseline that asks the primary for most requests a second time is a warning', async (t) => {
  const compared = (percent: string, sample: string, baseline = 'baseline: v1') =>
    `versions: { v1: "http://a:1", v2: "http://b:1" }\nroutes:\n- primary: v1\n  mirrors:\n  - { to: v2, percent: ${percent}, compare: { sample: ${sample}, ${baseline} } }\n`;
  t.same(told(compared('100', '100%')), [
    "5:48: warning: compare.sample: with this sample `baseline: v1` sends 100 % of the route's requests with a safe method to `v1` a second time; 1% to 10% finds noise as well",
  ]);
  t.match(told(compared('80', '70%')), [/sends 56 % of/]);
  t.same(told(compared('100', '10%')), []);
  t.same(told(compared('40', '100%')), []);
  t.same(told(compared('100', '100%', '')), []);
});

t.test('a mirror that accepts larger bodies than its bounds can hold is a warning', async (t) => {
  const config = (mirror: string, threads = 'shadow: 1') =>
    `threads: { ${threads} }\nversions: { v1: "http://a:1", v2: "http://b:1" }\nroutes:\n- primary: v1\n  mirrors: [ { ${mirror} } ]\n`;
  t.same(told(config('to: v2, body: { max: 64MiB }')), []);
  t.match(told(config('to: v2, body: { max: 65MiB }')), [
    /^5:\d+: warning: `body.max` of 65MiB is above `memory`, 64MiB: such a copy fails \(`memory`\)/,
  ]);
  t.match(told(config('to: v2, body: { max: 33MiB }', 'shadow: 2')), [
    /above `memory`, 32MiB for each of 2 shadow/,
  ]);
  t.match(told(config('to: v2, body: { max: 100MiB }, memory: 1GiB')), [
    /the ring and what a proxy thread holds/,
  ]);
  t.match(told(config('to: "file:./r", body: { max: 2MiB }, memory: 1MiB')), [
    /larger ones are always dropped/,
  ]);
});

t.test('an order that names nothing is an error with its place', async (t) => {
  for (const order of ['user', 'header', 'header:', 'header:a b', 'cookie:', 'random', ':x']) {
    t.match(
      told(mirrored(`order: "${order}"`)),
      [/^4:\d+: .*expected client, connection, header:NAME/],
      order,
    );
  }
  for (const order of ['off', 'client', 'connection', 'header:X-User', 'cookie:session'])
    t.same(told(mirrored(`order: "${order}"`)), [], order);
});

t.test('a rewrite that can not be is an error with its place', async (t) => {
  t.match(
    told(mirrored('rewrite: { prefix: v2 }'))[0],
    /^4:.*rewrite.prefix: expected a path that begins with \//,
  );
  t.match(told(mirrored('rewrite: { prefix: /v2, regex: /a }'))[0], /^4:.*rewrite/);
  t.match(
    told(mirrored('rewrite: { regex: /a }'))[0],
    /^4:.*rewrite: expected \{ prefix: PATH \} or \{ regex: PATTERN, substitution: PATH \}/,
  );
  t.match(told(mirrored('rewrite: { regex: "/(?=a)", substitution: /b }'))[0], /^4:.*rewrite.regex/);
  t.match(
    told(mirrored('rewrite: { regex: /a, substitution: /$1 }'))[0],
    /^4:.*rewrite.substitution: names group 1, and the regular expression has 0 groups/,
  );
  t.match(
    told(mirrored('headers: { remove: [X-Umbra-Mirror] }'))[0],
    /^4:.*keeps a mirror from mirroring a mirror/,
  );
  t.match(
    told(
      'versions: { v1: "http://a:1", v2: "http://a:2" }\nroutes:\n- primary: v1\n  match: { path: { regex: /a } }\n  mirrors: [ { to: v2, rewrite: { prefix: /b } } ]\n',
    )[0],
    /^5:\d+: rewrite: `prefix` replaces the path that the route matches, and this route matches a regular/,
  );
});

t.test('a configuration file that can not be read is one problem that says why', async (t) => {
  const directory = t.testdir({ big: ' '.repeat(1024 * 1024 + 1), 'umbra.yaml': {} });
  const why = async (file: string) => {
    const result = await loadedFrom(file);
    return result.ok ? [] : result.problems.map(formatProblem);
  };
  t.same(await why(`${directory}/none.yaml`), [`${directory}/none.yaml:1:1: can't be read: no such file`]);
  t.same(await why(directory), [`${directory}/umbra.yaml:1:1: can't be read: it is a directory`]);
  t.same(await why(`${directory}/big`), [`${directory}/big:1:1: is larger than 1048576 bytes`]);
});

t.test(
  'certificates and keys must be readable; their paths start from the directory of the file',
  async (t) => {
    const directory = t.testdir({
      'umbra.yaml': minimal('listen:\n- address: 127.0.0.1:0\n  tls: { cert: a.pem, key: b.pem }\n'),
      'a.pem': '',
    });
    const file = `${directory}/umbra.yaml`;
    const missing = await loadedFrom(file);
    t.same(missing.ok ? [] : missing.problems.map(formatProblem), [
      `${file}:3:28: listen[0].tls.key: ${directory}/b.pem can't be read: no such file`,
    ]);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(`${directory}/b.pem`, serverKey);
    const empty = await loadedFrom(file);
    t.same(empty.ok ? [] : empty.problems.map(formatProblem), [
      `${file}:3:16: listen[0].tls.cert: ${directory}/a.pem is not a certificate in PEM: it is empty`,
    ]);
    await writeFile(`${directory}/a.pem`, clientPem);
    const foreign = await loadedFrom(file);
    t.match(
      foreign.ok ? '' : foreign.problems.map(formatProblem).join(),
      `listen[0].tls.key: ${directory}/b.pem is not the key of ${directory}/a.pem`,
    );
    await writeFile(`${directory}/a.pem`, serverPem);
    const found = await loadedFrom(file);
    t.same(found.ok && found.config.listen[0].tls, {
      cert: { path: `${directory}/a.pem`, pem: serverPem },
      key: { path: `${directory}/b.pem`, pem: serverKey },
    });
  },
);

t.test('what a listener can not be is reported where it stands', async (t) => {
  const told = (listen: string): string => {
    const result = loadConfig(minimal(`listen: ${listen}\n`), 'f');
    return result.ok ? '' : result.problems.map(formatProblem).join('\n');
  };
  for (const [listen, pattern] of [
    ['[ { address: "a:1", mode: "0660" } ]', /^f:1:\d+: mode: only a unix socket has permissions$/],
    [
      '[ { address: "unix:/a", mode: "9" } ]',
      /mode: expected permissions in octal, in quotes, such as "0660"/,
    ],
    ['[ { address: "a:1", head: { max: 1MiB } } ]', /head\.max: expected a size from 1KiB to 256KiB/],
    ['[ { address: "a:1", head: { timeout: 16m } } ]', /head\.timeout: is too long: at most 15m/],
    ['[ { address: "a:1", body: { timeout: 0s } } ]', /body\.timeout: must be longer than 0/],
    ['[ { address: "a:1", body: { max: 1MB } } ]', /body\.max: expected a size such as 500B, 64KiB/],
    ['[ { address: "a:1", connections: { max: 0 } } ]', /connections\.max: expected a whole number from 1/],
    ['[ { address: "a:1", forwarded: maybe } ]', /forwarded: expected append, set, off, or a mapping/],
    ['[ { address: "a:1", via: "a b" } ]', /via: expected a name for Via such as umbra, or off/],
    ['[ { address: "a:1", requestId: uuid } ]', /requestId: expected keep, new or off/],
    [
      '[ { address: "a:1", trusted: [ 10.0.0.0/33 ] } ]',
      /trusted\[0\]: expected a network such as 10\.0\.0\.0\/8/,
    ],
    [
      '[ { address: "a:1", head: { max: 8KiB } }, { address: "a:2" } ]',
      /head\.max: the uws engine has one size for all of its listeners, and another listener has 8KiB/,
    ],
  ] as const) {
    t.match(told(listen), pattern, listen);
  }
  t.equal(told('[ { address: "a:1", head: { max: 8KiB }, engine: node }, { address: "a:2" } ]'), '');
});
