// Runs over both engines.
/**
 * Clients that send too much, too slowly or without end: each is answered or closed, others are served, and
 * memory stays bounded.
 */
import { readFileSync } from 'node:fs';
import type { Stats } from '../../core/report/stats.js';
import { ask, RawClient } from '../support/client.js';
import { served } from '../support/engines.js';
import { lawHolds } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { RawServer } from '../support/raw-server.js';
import t from '../support/tap.js';
import { plain, UmbraProcess, until } from '../support/umbra.js';

const host = 'host: h\r\n';
const MiB = 1024 * 1024;

const [v1, v2] = [await Origin.listen(), await Origin.listen()];
/** A version that reads nothing. */
const deaf = await RawServer.listen(async (peer) => {
  peer.socket.pause();
});
const under = (path: string, name: string, route: object): object => {
  return { name, match: { path: { prefix: path } }, primary: 'v1', mirrors: [{ to: 'v2' }], ...route };
};
const umbra = await UmbraProcess.start(
  plain(
    {
      v1: `http://127.0.0.1:${v1.port}`,
      v2: `http://127.0.0.1:${v2.port}`,
      deaf: `http://127.0.0.1:${deaf.port}`,
    },
    [
      under('/soon/', 'soon', { timeouts: { total: '300ms' } }),
      under('/later/', 'later', { timeouts: { total: '1s' } }),
      under('/deaf/', 'deaf', { primary: 'deaf', mirrors: [], timeouts: { total: '1s' } }),
      { name: 'all', primary: 'v1', mirrors: [{ to: 'v2' }] },
    ] as never,
  ),
);
t.teardown(async () => {
  await umbra.stop();
  await Promise.all([v1.close(), v2.close(), deaf.close()]);
});
t.beforeEach(() => {
  v1.received.length = 0;
});

async function refused(): Promise<number> {
  return Number(/^umbra_downstream_refused_total\{[^}]*\} (\d+)$/m.exec(await umbra.metrics())?.[1]);
}

/** Bytes of umbra's memory that are resident; 0 where the system does not report it. */
function residentBytes(): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${umbra.pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

const tooMuch: readonly [name: string, request: string][] = [
  ['a head of 1 MB', `GET / HTTP/1.1\r\n${host}x: ${'x'.repeat(MiB)}\r\n\r\n`],
  ['a head without end', `GET / HTTP/1.1\r\n${host}x: ${'x'.repeat(MiB)}`],
  ['a target of 1 MB', `GET /${'x'.repeat(MiB)} HTTP/1.1\r\n${host}\r\n`],
  ['10,000 fields', `GET / HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(10_000)}\r\n`],
  ['100,000 empty fields', `GET / HTTP/1.1\r\n${host}${'x:\r\n'.repeat(100_000)}\r\n`],
  ['a method of 1 MB', 'G'.repeat(MiB)],
  ['a megabyte of spaces', ' '.repeat(MiB)],
];

t.test('what is too much is refused or cut off, whatever it is, and reaches no version', async (t) => {
  const before = await refused();
  for (const [name, request] of tooMuch) {
    const client = await RawClient.connect(umbra.port);
    client.send(request);
    const received = await client.end();
    // A connection that is closed while bytes still come is reset, which may overtake the answer.
    if (received !== '' || !client.failed) t.match(received, /^HTTP\/1\.1 (400|414|431|505) /, name);
    else t.pass(`${name}: the connection was reset`);
  }
  if (served === 'node') t.equal((await refused()) - before, tooMuch.length, 'each is counted');
  t.equal((await ask(umbra.port)).status, 200);
  t.equal(v1.received.length, 1);
  await lawHolds(t, umbra);
});

t.test('hundreds of heads that never end keep nobody from being served, and little memory', async (t) => {
  t.equal((await ask(umbra.port)).status, 200);
  const before = residentBytes();
  const clients: RawClient[] = [];
  for (let i = 0; i < 300; i++) {
    const client = await RawClient.connect(umbra.port);
    client.send(`GET /slow HTTP/1.1\r\n${host}x: ${'x'.repeat(8000)}`);
    clients.push(client);
  }
  for (let round = 0; round < 5; round++) {
    for (const client of clients) client.send('y');
    t.equal((await ask(umbra.port)).status, 200);
  }
  const stats = /^umbra_downstream_connections\{[^}]*\} (\d+)$/m;
  await until(
    async () => Number(stats.exec(await umbra.metrics())?.[1]) >= clients.length,
    'all of them are open',
  );
  const growth = residentBytes() - before;
  t.ok(growth < 300 * 64 * 1024 + 32 * MiB, `${Math.round(growth / MiB)} MiB more`);
  t.equal(v1.received.length, 6, 'none of them reached v1');
  for (const client of clients) client.close();
  await until(async () => Number(stats.exec(await umbra.metrics())?.[1]) === 0, 'nothing is left of them');
  await lawHolds(t, umbra);
});

const endless: readonly [name: string, head: string, more: string][] = [
  [
    'chunks without end',
    `POST /soon/ HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n`,
    `4000\r\n${'x'.repeat(0x4000)}\r\n`,
  ],
  [
    'a body slower than its route allows',
    `POST /soon/ HTTP/1.1\r\n${host}content-length: 100000000\r\n\r\n`,
    'x',
  ],
];
const slowClients = ({ versions }: Stats): number => versions.v1.primary!.failures['slow-client'];
for (const [name, head, more] of endless) {
  t.test(`${name}: the time of the route ends it, and the copy is accounted for`, async (t) => {
    const before = slowClients(await umbra.stats());
    const client = await RawClient.connect(umbra.port);
    client.send(head);
    while (!client.closed && !client.received.includes('\r\n\r\n')) {
      await new Promise<void>((resolve) => client.socket.write(more, () => resolve()));
      await new Promise(setImmediate);
    }
    if (client.received !== '' || !client.failed) t.match(client.received, /^HTTP\/1\.1 408 /);
    client.close();
    t.equal(slowClients(await lawHolds(t, umbra)) - before, 1);
  });
}

const endlessOfChunks: readonly [name: string, more: string][] = [
  ['a chunk-size line', ';a=b'],
  ['chunk sizes of nothing but zeros', '0'],
  ['trailers', '0\r\nx: y\r\nx: y\r\n'],
];
for (const [name, more] of endlessOfChunks) {
  t.test(`${name} without end: refused or cut off, and the request is never complete`, async (t) => {
    const client = await RawClient.connect(umbra.port);
    client.send(`POST /later/ HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n`);
    client.send(more.repeat(100_000));
    const received = await client.end();
    // uWS takes any number of zeros: that ends with the time of the route.
    const answer = served === 'node' ? /^HTTP\/1\.1 400 / : /^(HTTP\/1\.1 (400|408|505) |$)/;
    if (received !== '' || !client.failed) t.match(received, answer);
    await lawHolds(t, umbra);
    // uWS takes the last chunk for the end of the request, and the trailers for the next one.
    if (served === 'node') t.equal(v1.received.length, 0);
  });
}

t.test(
  'a client that uploads to a version that reads nothing is held back, and its request ends',
  async (t) => {
    const client = await RawClient.connect(umbra.port);
    client.send(`POST /deaf/ HTTP/1.1\r\n${host}content-length: ${1024 * MiB}\r\n\r\n`);
    const piece = 'x'.repeat(MiB);
    let sent = 0;
    const feed = (): void => {
      while (!client.closed && sent < 1024 && client.socket.writableLength < 4 * MiB) {
        client.send(piece);
        sent++;
      }
    };
    client.socket.on('drain', feed);
    feed();
    await client.end();
    t.ok(sent < 200, `${sent} MiB were taken`);
    // uWS reads on within one turn as long as bytes come, whatever it was asked: what is held then ends the
    // request first.
    const { timeout, overloaded } = (await umbra.atRest()).versions.deaf.primary!.failures;
    if (served === 'node') t.equal(timeout, 1);
    else t.equal(timeout + overloaded, 1);
  },
);
