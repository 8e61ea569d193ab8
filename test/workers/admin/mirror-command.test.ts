import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MirrorOptions } from '../../../config/commands/mirror.js';
import { mirrorCommand } from '../../../workers/commands/mirror.js';
import t from '../../support/tap.js';
import { startAdmin } from './admin.js';

type Given = Partial<MirrorOptions> & Pick<MirrorOptions, 'admin'>;
const notGiven = {
  route: null,
  version: null,
  output: 'text' as const,
  percent: null,
  on: false,
  off: false,
  reset: false,
  token: null,
};
const asked = (route: string, change: object) => ({
  what: 'live',
  route,
  change: { mirrors: { v2: change } },
  by: 'command',
});

async function run(given: Given): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await mirrorCommand(
    { ...notGiven, ...given },
    { out: (line) => out.push(line), err: (line) => err.push(line) },
  );
  return { code, out, err };
}

t.test('a share is changed, and one line says so with the generation', async (t) => {
  const { url: admin, asked: seen } = await startAdmin(t);
  t.strictSame(await run({ admin, route: 'reviews', version: 'v2', percent: 12.5 }), {
    code: 0,
    out: ['mirror reviews to v2 set to 12.5 %, generation 4'],
    err: [],
  });
  t.strictSame(seen.changes, [asked('reviews', { percent: 12.5 })]);
});

t.test('a mirror is switched on and off, and a trailing slash of the address does no harm', async (t) => {
  const { url, asked: seen } = await startAdmin(t);
  const on = await run({ admin: `${url}/`, route: 'reviews', version: 'v2', on: true });
  t.strictSame(on.out, ['mirror reviews to v2 switched on, generation 4']);
  const off = await run({ admin: url, route: 'reviews', version: 'v2', off: true });
  t.strictSame(off.out, ['mirror reviews to v2 switched off, generation 4']);
  t.strictSame((await run({ admin: url, route: 'reviews', version: 'v2', reset: true })).out, [
    'mirror reviews to v2 as in the configuration, generation 4',
  ]);
  t.match(seen.changes, [
    asked('reviews', { enabled: true }),
    asked('reviews', { enabled: false }),
    { change: { mirrors: { v2: null } } },
  ]);
});

t.test('without a route, all mirrors are switched off', async (t) => {
  const { url: admin, asked: seen } = await startAdmin(t);
  t.strictSame((await run({ admin, off: true })).out, ['all mirrors switched off, generation 4']);
  t.strictSame(seen.changes, [{ what: 'allMirrors', enabled: false, by: 'command' }]);
});

t.test('a route may have any name', async (t) => {
  const name = 'a/b ?#%2F ü';
  const { url: admin, asked: seen } = await startAdmin(t);
  t.equal((await run({ admin, route: name, version: 'v2', off: true })).code, 0);
  t.match(seen.changes[0], { route: name, change: { mirrors: { v2: { enabled: false } } } });
});

t.test('the token is sent, and its lack is said', async (t) => {
  const { url: admin } = await startAdmin(t, { token: 'secret' });
  t.equal((await run({ admin, off: true, token: 'secret' })).code, 0);
  const refused = await run({ admin, off: true });
  t.equal(refused.code, 1);
  t.strictSame(refused.out, []);
  t.match(refused.err, [/^umbra mirror: refused \(401\): a token is required/]);
});

t.test("the server's reason is printed", async (t) => {
  const { url: admin } = await startAdmin(t, {
    changeLive: async () => ({ ok: false, status: 404, message: 'unknown route nope', problems: [] }),
  });
  t.strictSame(await run({ admin, route: 'nope', version: 'v2', off: true }), {
    code: 1,
    out: [],
    err: ['umbra mirror: refused (404): unknown route nope'],
  });
});

t.test('an umbra on a unix socket is reached by the address of its configuration', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umbra-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'admin.sock');
  const { asked: seen } = await startAdmin(t, { address: { kind: 'unix', path }, token: 'secret' });
  const options = { admin: `unix:${path}`, route: 'reviews', version: 'v2', percent: 5 };
  t.strictSame(await run({ ...options, token: 'secret' }), {
    code: 0,
    out: ['mirror reviews to v2 set to 5 %, generation 4'],
    err: [],
  });
  t.strictSame(seen.changes, [asked('reviews', { percent: 5 })]);
  t.match((await run(options)).err, [/^umbra mirror: refused \(401\): a token is required/]);
  const nowhere = await run({ ...options, admin: `unix:${path}.gone` });
  t.strictSame(nowhere.err, [`umbra mirror: cannot reach umbra at unix:${path}.gone: ENOENT`]);
});

t.test('an umbra that is not there is one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const admin = `http://127.0.0.1:${port}`;
  t.strictSame(await run({ admin, off: true }), {
    code: 4,
    out: [],
    err: [`umbra mirror: cannot reach umbra at ${admin}: ECONNREFUSED`],
  });
});

t.test('another server that answers is not taken for umbra', async (t) => {
  const server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { code, err } = await run({ admin: `http://127.0.0.1:${port}`, off: true });
  t.equal(code, 1);
  t.strictSame(err, ['umbra mirror: refused (200): this is not an umbra admin API']);
});
