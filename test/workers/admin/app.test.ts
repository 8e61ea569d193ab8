import { DiffBook, noBookRules } from '../../../core/compare/diff-book.js';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { JSON_BODY, startAdmin } from './admin.js';

const MIRROR = '/api/routes/reviews/mirrors/v2';

t.test('the process is healthy while it lives, and ready only while it serves', async (t) => {
  let ready = true;
  const admin = await startAdmin(t, { ready: () => ready });
  t.equal((await admin.send('GET', '/healthz')).status, 200);
  t.equal((await admin.send('GET', '/readyz')).status, 200);
  ready = false;
  t.equal((await admin.send('GET', '/healthz')).status, 200);
  t.equal((await admin.send('GET', '/readyz')).status, 503);
});

t.test('the API names its endpoints', async (t) => {
  const admin = await startAdmin(t);
  const answer = await admin.send('GET', '/api');
  t.equal(answer.status, 200);
  for (const path of ['/metrics', '/api/stats', '/api/config']) t.match(answer.body, path);
});

t.test('metrics are Prometheus text', async (t) => {
  const admin = await startAdmin(t);
  const answer = await admin.send('GET', '/metrics');
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  t.match(answer.body, 'umbra_requests_total{version="v1",role="primary",code="200"} 98\n');
  t.match(answer.body, '\nprocess_resident_memory_bytes ');
});

t.test('statistics and the effective configuration are JSON', async (t) => {
  const admin = await startAdmin(t);
  t.match((await admin.send('GET', '/api/stats')).json, {
    generation: 3,
    mirrors: [{ route: 'reviews', sent: 3 }, {}],
  });
  t.strictSame((await admin.send('GET', '/api/config')).json, { listen: [] });
});

t.test('HEAD answers as GET does, without a body', async (t) => {
  const admin = await startAdmin(t);
  for (const path of ['/', '/healthz', '/metrics', '/api/stats', '/api/config']) {
    const answer = await admin.send('HEAD', path);
    t.strictSame([answer.status, answer.body], [200, ''], path);
  }
});

t.test('answers are neither stored nor framed nor guessed at', async (t) => {
  const admin = await startAdmin(t);
  for (const path of ['/api/stats', '/nothing']) {
    t.match((await admin.send('GET', path)).headers, {
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  }
});

t.test('an unknown path is a 404 in JSON', async (t) => {
  const admin = await startAdmin(t);
  for (const path of [
    '/nothing',
    '/api/nothing',
    '/api/routes/reviews/weights',
    '/api/statsx',
    '/%2e%2e/etc/passwd',
  ]) {
    const answer = await admin.send('GET', path);
    t.equal(answer.status, 404, path);
    t.type((answer.json as { error: string }).error, 'string');
  }
});

t.test('a known path with another method is a 405 that names the right ones', async (t) => {
  const admin = await startAdmin(t);
  for (const [method, path, allow] of [
    ['POST', '/metrics', 'GET, HEAD'],
    ['DELETE', '/api/config', 'GET, HEAD, PUT'],
    ['GET', MIRROR, 'PATCH'],
    ['GET', '/api/mirrors', 'PATCH'],
    ['OPTIONS', '/api/mirrors', 'PATCH'],
  ]) {
    const answer = await admin.send(method, path);
    t.strictSame([answer.status, answer.headers.allow], [405, allow], `${method} ${path}`);
  }
  t.strictSame(admin.asked.changes, []);
});

t.test('a mirror is changed, and the answer is the generation that every thread has taken', async (t) => {
  const admin = await startAdmin(t);
  for (const change of [
    { percent: 25 },
    { enabled: false },
    { percent: 0.0001, enabled: true },
    { percent: 33.3333 },
  ]) {
    const answer = await admin.send('PATCH', MIRROR, { headers: JSON_BODY, body: JSON.stringify(change) });
    t.strictSame([answer.status, answer.json], [200, { generation: 4, kept: true, warnings: [] }]);
    const asked = { what: 'live', route: 'reviews', change: { mirrors: { v2: change } }, by: 'api' };
    t.strictSame(admin.asked.changes.pop(), asked);
  }
});

t.test('a change that is not exactly understood is refused with its reason', async (t) => {
  const admin = await startAdmin(t);
  for (const [body, reason] of [
    ['', 'not JSON'],
    ['{"percent":25', 'not JSON'],
    ['null', 'must be a JSON object'],
    ['[25]', 'must be a JSON object'],
    ['25', 'must be a JSON object'],
    ['{}', 'nothing to change'],
    ['{"percent":"25"}', 'percent must be'],
    ['{"percent":-1}', 'percent must be'],
    ['{"percent":100.5}', 'percent must be'],
    ['{"percent":0.00001}', 'percent must be'],
    ['{"percent":1e999}', 'percent must be'],
    ['{"percent":null}', 'percent must be'],
    ['{"enabled":1}', 'enabled must be'],
    ['{"enabled":"false"}', 'enabled must be'],
    ['{"percent":1,"perzent":2}', 'unknown key "perzent"'],
    ['{"__proto__":{"percent":1}}', 'unknown key "__proto__"'],
  ]) {
    const answer = await admin.send('PATCH', MIRROR, { headers: JSON_BODY, body });
    t.equal(answer.status, 400, body);
    t.match(answer.json, { error: new RegExp(reason) });
  }
  t.strictSame(admin.asked.changes, []);
});

t.test('live changes are ended, and say who asked', async (t) => {
  const admin = await startAdmin(t);
  const headers = { ...JSON_BODY, 'x-umbra-by': 'page' };
  for (const path of [MIRROR, '/api/mirrors', '/api/weights', '/api/routes/reviews'])
    t.equal((await admin.send('PATCH', path, { headers, body: '{"reset":true}' })).status, 200, path);
  t.strictSame(admin.asked.changes, [
    { what: 'live', route: 'reviews', change: { mirrors: { v2: null } }, by: 'page' },
    { what: 'allMirrors', enabled: null, by: 'page' },
    { what: 'resetWeights', by: 'page' },
    { what: 'live', route: 'reviews', change: { weights: null }, by: 'page' },
  ]);
  for (const body of [
    '{"reset":false}',
    '{"reset":true,"enabled":true}',
    '{"reset":true,"primary":{"v1":1}}',
  ])
    for (const path of [MIRROR, '/api/weights', '/api/routes/reviews'])
      t.equal((await admin.send('PATCH', path, { headers, body })).status, 400, `${path} ${body}`);
  await admin.send('PATCH', MIRROR, {
    headers: { ...JSON_BODY, 'x-umbra-by': 'rollout' },
    body: '{"percent":1}',
  });
  t.equal(admin.asked.changes.pop()!.by, 'api', 'nobody can pass for a rollout');
});

t.test('weights are numbers, or percentages that add up to 100', async (t) => {
  const admin = await startAdmin(t);
  const weigh = (primary: object) =>
    admin.send('PATCH', '/api/routes/reviews', { headers: JSON_BODY, body: JSON.stringify({ primary }) });
  t.equal((await weigh({ v1: 95, v2: 5 })).status, 200);
  t.match(admin.asked.changes.pop(), { change: { weights: { v1: 95, v2: 5 } } });
  t.equal((await weigh({ v1: '99.9%', v2: '0.1%' })).status, 200);
  t.match(admin.asked.changes.pop(), { change: { weights: { v1: 99.9, v2: 0.1 }, unnamed: 'zero' } });
  for (const [primary, reason] of [
    [{}, /expected \{ "primary"/],
    [{ v1: '95%', v2: '6%' }, /add up to 101%, not 100%/],
    [{ v1: '95%', v2: 5 }, /not both/],
    [{ v1: '101%' }, /from 0% to 100%/],
    [{ v1: '5' }, /from 0% to 100%/],
    [{ v1: -1 }, /a weight must be/],
    [{ v1: null }, /a weight must be/],
  ] as const)
    t.match((await weigh(primary)).json, { error: reason }, JSON.stringify(primary));
  t.strictSame(admin.asked.changes, []);
});

t.test('a change that the process refuses is answered with its status and words', async (t) => {
  const admin = await startAdmin(t, {
    changeLive: async () => ({
      ok: false,
      status: 503,
      message: 'proxy-1 did not take the plan',
      problems: [],
    }),
  });
  const answer = await admin.send('PATCH', MIRROR, { headers: JSON_BODY, body: '{"enabled":false}' });
  t.strictSame([answer.status, answer.json], [503, { error: 'proxy-1 did not take the plan' }]);
});

t.test('all mirrors are switched off at once', async (t) => {
  const admin = await startAdmin(t);
  const answer = await admin.send('PATCH', '/api/mirrors', { headers: JSON_BODY, body: '{"enabled":false}' });
  t.strictSame([answer.status, answer.json], [200, { generation: 4, kept: true, warnings: [] }]);
  t.strictSame(admin.asked.changes, [{ what: 'allMirrors', enabled: false, by: 'api' }]);
  const percent = await admin.send('PATCH', '/api/mirrors', { headers: JSON_BODY, body: '{"percent":5}' });
  t.equal(percent.status, 400, 'there is no share of all mirrors');
});

t.test('a configuration is handed on as it came, in YAML or JSON', async (t) => {
  const admin = await startAdmin(t);
  const yaml = 'listen:\n  - address: 127.0.0.1:8080 # größer\n';
  for (const [type, body] of [
    ['application/yaml', yaml],
    ['text/yaml; charset=utf-8', yaml],
    ['application/json', '{"listen":[]}'],
  ]) {
    const answer = await admin.send('PUT', '/api/config', { headers: { 'content-type': type }, body });
    t.strictSame([answer.status, answer.json], [200, { generation: 5, ended: [] }]);
    t.equal(admin.asked.configs.pop(), body);
  }
});

t.test('a body of unannounced length is read to its end', async (t) => {
  const admin = await startAdmin(t);
  const headers = { 'content-type': 'application/yaml', 'transfer-encoding': 'chunked' };
  const body = `# ${'ü'.repeat(200_000)}`;
  t.equal((await admin.send('PUT', '/api/config', { headers, body })).status, 200);
  t.equal(admin.asked.configs[0], body);
});

t.test('a configuration with problems is refused with all of them', async (t) => {
  const problems = [
    'config:3:5: unknown key "endpoint": did you mean "endpoints"?',
    'config:9:1: no such version',
  ];
  const admin = await startAdmin(t, {
    replaceConfig: async () => ({ ok: false, status: 422, message: '', problems }),
  });
  const answer = await admin.send('PUT', '/api/config', { headers: JSON_BODY, body: '{}' });
  t.equal(answer.status, 422);
  t.strictSame(answer.json, { error: 'the configuration was rejected', problems });
});

t.test('a body beyond the bound is refused, announced or not, and never handed on', async (t) => {
  const admin = await startAdmin(t);
  const body = 'a'.repeat(limits.adminBodyBytes + 1);
  for (const framing of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await admin.send('PUT', '/api/config', { headers: { ...JSON_BODY, ...framing }, body });
    t.equal(answer.status, 413, Object.keys(framing)[0]);
    t.type((answer.json as { error: string }).error, 'string');
  }
  t.strictSame(admin.asked.configs, []);
});

t.test('a fault of our own is a 500 without a cause, and is logged', async (t) => {
  const admin = await startAdmin(t, {
    effectiveConfig: () => {
      throw new Error('secret detail');
    },
  });
  const answer = await admin.send('GET', '/api/config');
  t.strictSame([answer.status, answer.json], [500, { error: 'internal error' }]);
  t.match(admin.asked.errors, [{ path: '/api/config', err: { message: 'secret detail' } }]);
});

t.test('what comparisons found is shown as it is in the book', async (t) => {
  const book = new DiffBook();
  const mirror = {
    route: 'reviews',
    version: 'v2',
    baseline: null,
    isBaseline: false,
    isError: false,
    rules: noBookRules,
  };
  const pair = { ...mirror, id: '<b>', request: 'GET /', atMs: 1 };
  book.record(pair, {
    differences: [{ kind: 'json', path: '$.a', change: 'type', at: '$.a', primary: '<script>', shadow: 5 }],
    more: 0,
  });
  const admin = await startAdmin(t, { diffs: () => book.read() });
  const { status, headers, json } = await admin.send('GET', '/api/diffs');
  t.equal(status, 200);
  t.match(headers['content-type'], /^application\/json/, 'hostile text is data and never a page');
  t.strictSame(json, JSON.parse(JSON.stringify(book.read())));
  const metrics = await admin.send('GET', '/metrics');
  t.match(
    metrics.body,
    /umbra_compare_pairs_total\{route="reviews",version="v2",role="shadow",result="different"\} 1/,
  );
});
