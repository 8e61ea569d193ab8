// Runs over one engine: commands have no engine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/client.js';
import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { Origin, type Received } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, UmbraProcess } from '../support/umbra.js';

const users = 20;
const directory = mkdtempSync(join(tmpdir(), 'umbra-replay-sessions-'));
function field({ fields }: Received, name: string): string {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1] ?? '';
}

/** Gives a cookie and a token of its own for each login, after a while, and takes no others. */
function loginService(name: string): Promise<Origin> {
  const known = new Set<string>();
  let logins = 0;
  return Origin.listen((received, response) => {
    if (received.target === '/login') {
      const number = ++logins;
      known.add(`sid=${name}-${number}-cookie`);
      known.add(`Bearer ${name}-${number}-token`);
      const cookie = `sid=${name}-${number}-cookie; Path=/`;
      const head = { 'content-type': 'application/json', 'set-cookie': cookie };
      const body = `{"access_token":"${name}-${number}-token","user":${number}}`;
      setTimeout(() => response.writeHead(200, head).end(body), 50);
      return;
    }
    const isKnown = known.has(field(received, 'cookie')) && known.has(field(received, 'authorization'));
    response.writeHead(isKnown ? 200 : 401).end();
  });
}
const v2 = await loginService('mine');
t.teardown(async () => {
  rmSync(directory, { recursive: true, force: true });
  await v2.close();
});

function payloads(user: number): string[] {
  const at = (ms: number): bigint => 1_800_000_000_000_000_000n + BigInt(user * 2 + ms) * 1_000_000n;
  const body = `{"access_token":"recorded-${user}-token"}`;
  const id = (n: number): string => (user * 10 + n).toString(16).padStart(4, '0');
  const own = `Host: x\r\nCookie: sid=recorded-${user}-cookie\r\nAuthorization: Bearer recorded-${user}-token\r\n`;
  return [
    `1 ${id(0)} ${at(0)} 0\nPOST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`,
    `2 ${id(0)} ${at(0)} 900000\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: sid=recorded-${user}-cookie; Path=/\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `1 ${id(1)} ${at(1)} 0\nGET /cart HTTP/1.1\r\n${own}\r\n`,
    `1 ${id(2)} ${at(3)} 0\nGET /checkout HTTP/1.1\r\n${own}\r\n`,
  ];
}

const recording = join(directory, 'login.gor');
writeFileSync(
  recording,
  Array.from({ length: users }, (_, user) => payloads(user))
    .flat()
    .map((payload) => `${payload}\n🐵🙈🙉\n`)
    .join(''),
);

async function statuses(...flags: string[]): Promise<Record<string, number>> {
  return (await replayed(recording, ...flags)).responses;
}

async function replayed(
  path: string,
  ...flags: string[]
): Promise<{ responses: Record<string, number>; groups: readonly { kind: string; path: string }[] }> {
  const to = `http://127.0.0.1:${v2.port}`;
  const { code, out, err } = await runHere('replay', path, '--to', to, '-o', 'json', ...flags);
  t.strictSame([code, err], [0, '']);
  const { stats, diffs } = JSON.parse(out);
  return { responses: stats.versions.replay.shadow.responses, groups: diffs?.groups ?? [] };
}

t.test('a recorded login is played with the sessions that the server itself gives', async (t) => {
  for (const speed of [[], ['--speed', 'max']]) {
    const found = await statuses('--session', 'cookie:sid', '--session', '$.access_token', ...speed);
    t.strictSame([found['2xx'], found['4xx']], [3 * users, 0], speed.join(' '));
  }
});

t.test('without it, recorded sessions are sent as they are', async (t) => {
  const found = await statuses();
  t.strictSame([found['2xx'], found['4xx']], [users, 2 * users]);
});

t.test('requests are changed on the way: fields, path and host', async (t) => {
  v2.received.length = 0;
  await statuses(
    ...['--filter', 'path:/cart', '--set-header', 'X-Replay: 1', '--remove-header', 'cookie'],
    ...['--rewrite-path', '/cart=/v2/basket', '--host', 'shop.example'],
  );
  t.equal(v2.received.length, users);
  const [first] = v2.received;
  t.strictSame(
    [first.target, field(first, 'host'), field(first, 'x-replay'), field(first, 'cookie')],
    ['/v2/basket', 'shop.example', '1', ''],
  );
});

t.test('a field that belongs to the connection can not be set', async (t) => {
  const { code, err } = await runHere(
    'replay',
    recording,
    '--to',
    'http://a',
    '--set-header',
    'Content-Length: 1',
  );
  t.equal(code, 2);
  t.match(err, /--set-header/);
});

t.test('a login flow that was recorded on v1 is played to v2 with its own sessions', async (t) => {
  const v1 = await loginService('theirs');
  t.teardown(() => v1.close());
  const path = join(directory, 'recorded');
  const mirrors = [{ to: `file:${path}`, recording: { responses: true } }];
  const umbra = await UmbraProcess.start(
    reviews(v1.port, null, { route: { mirrors }, umbra: { redact: { defaults: false } } }),
  );
  await Promise.all(
    Array.from({ length: users }, async () => {
      const { fields, body } = await ask(umbra.port, { method: 'POST', target: '/login' });
      const [, given] = fields.find(([name]) => name.toLowerCase() === 'set-cookie')!;
      const [cookie] = given.split(';', 1);
      const { access_token: token } = JSON.parse(body.toString());
      for (const target of ['/cart', '/checkout']) {
        const own = { cookie, authorization: `Bearer ${token}` };
        t.equal((await ask(umbra.port, { target, headers: own })).status, 200);
      }
    }),
  );
  await lawHolds(t, umbra);
  await umbra.stop();
  const without = await replayed(path);
  t.strictSame([without.responses['2xx'], without.responses['4xx']], [users, 2 * users]);
  const meant = ['--ignore', '$.access_token', '--ignore', '$.user', '--ignore', 'header:set-cookie'];
  for (const speed of [[], ['--speed', '10x'], ['--speed', 'max']]) {
    const sources = ['--session', 'cookie:sid', '--session', '$.access_token'];
    const { responses, groups } = await replayed(path, ...sources, ...meant, ...speed);
    t.strictSame([responses['2xx'], responses['4xx']], [3 * users, 0], speed.join(' '));
    t.strictSame(groups, [], 'and nothing differs');
  }
});
