import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Origin, type Received } from '../support/origin.js';
import { runToEnd } from '../support/umbra.js';

const users = 20;
const directory = mkdtempSync(join(tmpdir(), 'umbra-replay-sessions-'));
const known = new Set<string>();
let logins = 0;

function field({ fields }: Received, name: string): string {
  return fields.find(([key]) => key.toLowerCase() === name)?.[1] ?? '';
}

/** Gives a cookie and a token of its own for each login, after a while, and takes no others. */
const v2 = await Origin.listen((received, response) => {
  if (received.target === '/login') {
    const number = ++logins;
    known.add(`sid=mine-${number}-cookie`);
    known.add(`Bearer mine-${number}-token`);
    const head = { 'content-type': 'application/json', 'set-cookie': `sid=mine-${number}-cookie; Path=/` };
    setTimeout(() => response.writeHead(200, head).end(`{"access_token":"mine-${number}-token"}`), 50);
    return;
  }
  const isKnown = known.has(field(received, 'cookie')) && known.has(field(received, 'authorization'));
  response.writeHead(isKnown ? 200 : 401).end();
});
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
  const to = `http://127.0.0.1:${v2.port}`;
  const { code, out, err } = await runToEnd('replay', recording, '--to', to, '-o', 'json', ...flags);
  t.strictSame([code, err], [0, '']);
  const { stats } = JSON.parse(out);
  return stats.versions.replay.shadow.responses;
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
  const { code, err } = await runToEnd(
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
