import { DiffBook } from '../../../core/compare/diff-book.js';
import { noControlCounts } from '../../../core/report/control-counts.js';
import { createAdminApp } from '../../../workers/admin/app.js';
import type { AdminDeps } from '../../../workers/admin/deps.js';
import { AdminFigures } from '../../../workers/admin/figures.js';
import { isLocal } from '../../../workers/admin/guard.js';
import t from '../../support/tap.js';
import { JSON_BODY, noVerdict, startAdmin } from './admin.js';

const MIRRORS = '/api/mirrors';
const OFF = '{"enabled":false}';

t.test('on loopback, only names of loopback are believed, with any port', async (t) => {
  const admin = await startAdmin(t);
  for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1', '127.0.0.1:9901', '[::1]', '[::1]:9901']) {
    t.equal((await admin.send('GET', '/api/stats', { headers: { host } })).status, 200, host);
  }
  for (const host of [
    'evil.example',
    'evil.example:9901',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
  ]) {
    t.equal((await admin.send('GET', '/api/stats', { headers: { host } })).status, 421, host);
  }
});

t.test('a rebound name is refused for changes and probes too', async (t) => {
  const admin = await startAdmin(t);
  const headers = { host: 'evil.example', ...JSON_BODY };
  t.equal((await admin.send('PATCH', MIRRORS, { headers, body: OFF })).status, 421);
  t.equal((await admin.send('GET', '/healthz', { headers: { host: 'evil.example' } })).status, 421);
  t.strictSame(admin.asked.changes, []);
});

t.test('a Host field that is not a host is refused', async (t) => {
  const admin = await startAdmin(t);
  for (const host of ['a b', 'local/host', '[::1', 'localhost:port', 'user@localhost']) {
    const { status, json } = await admin.send('GET', '/api/stats', { headers: { host } });
    t.ok(status === 400 || status === 421, `${host}: ${status}`);
    t.match(json, { error: String });
  }
});

t.test('where other machines can reach it, the API does not start without a token', async (t) => {
  const deps = (host: string): AdminDeps => ({
    address: { kind: 'tcp', host, port: 0 },
    token: null,
    figures: new AdminFigures(),
    feed: t.fail as never,
    log: { info() {}, warn() {}, error() {} },
    controlCounts: () => noControlCounts,
    observe: () => t.fail('not asked') as never,
    ready: () => true,
    ...noVerdict,
    diffs: () => new DiffBook().read(),
    effectiveConfig: () => ({}),
    status: () => t.fail('not asked') as never,
    changeLive: async () => ({ ok: true, generation: 1 }),
    replaceConfig: async () => ({ ok: true, generation: 1 }),
    changeDocuments: async () => ({ ok: true, generation: 1 }),
  });
  for (const host of ['0.0.0.0', '::', '10.0.0.7', 'umbra.example', '127.evil.example']) {
    t.throws(() => createAdminApp(deps(host)), /needs a token/, host);
  }
  t.ok(createAdminApp({ ...deps('0.0.0.0'), token: 'secret' }));
});

t.test('loopback is known by all of its names', async (t) => {
  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1'])
    t.ok(isLocal({ kind: 'tcp', host, port: 1 }), host);
  t.ok(isLocal({ kind: 'unix', path: '/run/umbra.sock' }));
  for (const host of ['0.0.0.0', '::', '192.168.0.1']) t.notOk(isLocal({ kind: 'tcp', host, port: 1 }), host);
});

t.test('a token is asked for everywhere but at the probes and the page that asks for it', async (t) => {
  const admin = await startAdmin(t, { token: 'correct horse'.replace(' ', '-') });
  for (const path of ['/metrics', '/api/stats', '/api/stream', '/api/config', '/nothing', '/dashboard/a/b']) {
    const answer = await admin.send('GET', path);
    t.equal(answer.status, 401, path);
    t.match(answer.headers['www-authenticate'], /^Bearer /);
    t.match(answer.json, { error: String });
  }
  for (const path of ['/healthz', '/readyz', '/', '/dashboard/style.css']) {
    t.equal((await admin.send('GET', path)).status, 200, path);
  }
});

t.test('only the exact token opens', async (t) => {
  const admin = await startAdmin(t, { token: 'correct-horse' });
  const status = async (authorization: string) =>
    (await admin.send('GET', '/api/stats', { headers: { authorization } })).status;
  t.equal(await status('Bearer correct-horse'), 200);
  t.equal(await status('bearer correct-horse'), 200, 'the scheme has no case');
  for (const wrong of [
    'Bearer correct-hors',
    'Bearer correct-horse-',
    'Bearer Correct-horse',
    'Bearer',
    'Bearer ',
    'Basic correct-horse',
    'correct-horse',
  ]) {
    t.equal(await status(wrong), 401, wrong);
  }
  const change = await admin.send('PATCH', MIRRORS, { headers: JSON_BODY, body: OFF });
  t.equal(change.status, 401);
  t.strictSame(admin.asked.changes, []);
});

t.test('a form that a web page sends blindly changes nothing', async (t) => {
  const admin = await startAdmin(t);
  for (const type of [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    '',
  ]) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    t.equal((await admin.send('PATCH', MIRRORS, { headers, body: OFF })).status, 415, type);
    t.equal((await admin.send('PUT', '/api/config', { headers, body: 'a: 1' })).status, 415, type);
    t.equal((await admin.send('POST', '/api/apply', { headers, body: 'a: 1' })).status, 415, type);
    t.equal((await admin.send('POST', '/api/delete', { headers, body: 'a: 1' })).status, 415, type);
  }
  t.strictSame(admin.asked, { changes: [], configs: [], documents: [], errors: [] });
});

t.test('a change that a page of another origin asks for is refused', async (t) => {
  const admin = await startAdmin(t);
  const patch = async (headers: Record<string, string>) =>
    (await admin.send('PATCH', MIRRORS, { headers: { ...JSON_BODY, ...headers }, body: OFF })).status;
  const own = `127.0.0.1:${admin.port}`;
  t.equal(await patch({ origin: `http://${own}`, 'sec-fetch-site': 'same-origin' }), 200);
  for (const origin of [
    'http://evil.example',
    'http://127.0.0.1:1',
    `http://evil.example/${own}`,
    'null',
    '',
  ]) {
    t.equal(await patch({ origin }), 403, origin);
  }
  for (const site of ['cross-site', 'same-site']) t.equal(await patch({ 'sec-fetch-site': site }), 403, site);
  t.equal(admin.asked.changes.length, 1);
});

t.test('no page of another origin is allowed to ask', async (t) => {
  const admin = await startAdmin(t);
  const preflight = await admin.send('OPTIONS', MIRRORS, {
    headers: { origin: 'http://evil.example', 'access-control-request-method': 'PATCH' },
  });
  t.notOk(Object.keys(preflight.headers).some((name) => name.startsWith('access-control-')));
});
