import { once } from 'node:events';
import { connect } from 'node:net';
import { limits } from '../../../core/limits.js';
import t from '../../support/tap.js';
import { startAdmin } from './admin.js';
import { EventReader } from './events.js';

t.test('a reader gets what there was, and then every snapshot', async (t) => {
  const admin = await startAdmin(t);
  const { feed } = admin;
  feed.begin();
  for (let i = 0; i < 3; i++) feed.tick();
  const reader = await EventReader.open(admin.url);
  t.match(reader.response.headers, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
  t.equal(JSON.parse((await reader.nth('history', 1)).data).length, 2, 'all but the last point');
  const first = await reader.nth('snapshot', 1);
  feed.tick();
  const second = await reader.nth('snapshot', 2);
  t.ok(Number(second.id) > Number(first.id), 'ids ascend');
  t.strictSame(reader.asides, ['retry: 1000']);
  const data = JSON.parse(second.data);
  t.match(data, { ready: true, stats: { generation: 3 }, live: { versions: [{ name: 'v1' }, {}] } });
  const told = (await admin.send('GET', '/api/stats')).json as typeof data.stats;
  t.strictSame(data.stats.mirrors, told.mirrors);
  t.strictSame(data.stats.versions.v2.shadow, told.versions.v2.shadow);
  t.equal(String(data.live.atMs), second.id);
  reader.close();
});

t.test('a reader that comes back gets what it has missed', async (t) => {
  const admin = await startAdmin(t);
  const { feed } = admin;
  feed.begin();
  feed.tick();
  const first = await EventReader.open(admin.url);
  const { id } = await first.nth('snapshot', 1);
  first.close();
  for (let i = 0; i < 3; i++) feed.tick();
  const count = async (lastId: string): Promise<number> => {
    const reader = await EventReader.open(admin.url, { 'last-event-id': lastId });
    const { data } = await reader.nth('history', 1);
    await reader.nth('snapshot', 1);
    reader.close();
    return JSON.parse(data).length;
  };
  t.equal(await count(id), 2, 'the two before the last, which comes as a snapshot');
  for (const lastId of ['nonsense', '-1', '1e99', '99999999999999', '']) {
    t.equal(await count(lastId), 3, `${JSON.stringify(lastId)} is no id of ours: everything`);
  }
});

t.test('readers past the bound are refused and counted, and a place that is given up is free', async (t) => {
  const admin = await startAdmin(t);
  const readers: EventReader[] = [];
  for (let i = 0; i < limits.adminStreams; i++) readers.push(await EventReader.open(admin.url));
  t.equal(admin.figures.streams, limits.adminStreams);
  const refused = await admin.send('GET', '/api/stream');
  t.match(refused, {
    status: 503,
    json: { error: 'too many streams are open' },
    headers: { 'retry-after': '5' },
  });
  t.equal(admin.figures.streamsRefused, 1);
  readers[0].close();
  while (admin.figures.streams === limits.adminStreams) await new Promise(setImmediate);
  readers[0] = await EventReader.open(admin.url);
  t.equal(readers[0].response.statusCode, 200);
  for (const reader of readers) reader.close();
});

t.test(
  'a reader that takes nothing is skipped, costs a bounded buffer, and is cut off in the end',
  async (t) => {
    const admin = await startAdmin(t);
    let nowMs = 0;
    admin.feed.nowMs = () => nowMs;
    admin.feed.begin();
    const socket = connect(admin.port, '127.0.0.1').pause();
    t.teardown(() => socket.destroy());
    socket.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (admin.figures.streams === 0) await new Promise(setImmediate);
    // One skip may only mean that the server has not had its turn; many in a row mean that everything is
    // full.
    let inARow = 0;
    for (let sent = 0; sent < 5000 && inARow < 100; sent++) {
      const before = admin.figures.snapshotsSkipped;
      admin.feed.send(`: ${'x'.repeat(50_000)}\n\n`);
      inARow = admin.figures.snapshotsSkipped > before ? inARow + 1 : 0;
      await new Promise(setImmediate);
    }
    t.equal(inARow, 100, 'kernel and server are full');
    nowMs = limits.adminStreamStalledMs;
    admin.feed.send(': \n\n');
    t.equal(admin.figures.streamsStalled, 1);
    t.equal(admin.figures.streams, 0);
    socket.on('error', () => {}).resume();
    await once(socket, 'close');
  },
);

t.test('streams end in order when umbra stops, and none opens after that', async (t) => {
  const admin = await startAdmin(t);
  admin.feed.begin();
  admin.feed.tick();
  const reader = await EventReader.open(admin.url);
  await reader.nth('snapshot', 1);
  admin.feed.close();
  await reader.nth('end', 1);
  await reader.end();
  t.ok(reader.response.complete, 'the last chunk came');
  t.equal(admin.figures.streams, 0);
  t.equal((await admin.send('GET', '/api/stream')).status, 503);
});

t.test('HEAD opens no stream', async (t) => {
  const admin = await startAdmin(t);
  const { status, headers } = await admin.send('HEAD', '/api/stream');
  t.match([status, headers['content-type']], [200, /^text\/event-stream/]);
  t.equal(admin.figures.streams, 0);
});

t.test('a snapshot that costs much comes less often, with a sign of life in its place', async (t) => {
  const admin = await startAdmin(t);
  let nowMs = 0;
  admin.feed.nowMs = () => (nowMs += 100);
  admin.feed.begin();
  admin.feed.tick();
  const reader = await EventReader.open(admin.url);
  await reader.nth('snapshot', 1);
  admin.feed.tick();
  while (reader.asides.length < 2) await new Promise(setImmediate);
  t.equal(reader.asides[1], ': ');
  t.equal(reader.events.filter(({ event }) => event === 'snapshot').length, 1);
  reader.close();
});
