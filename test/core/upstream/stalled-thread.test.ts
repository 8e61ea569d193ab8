import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { hello, RawHttp2Server } from '../../support/raw-http2.js';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const standMs = 700;

/** How long the answer of a version takes that is not in this thread: some ticks of `Deadlines`. */
const answerMs = 120;

/** Stops this thread, as a full machine does, while the kernel works on. */
function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standMs);
}

t.test(
  'a connection that the kernel made while the thread stood still is not given up as late',
  async (t) => {
    const server = await RawServer.listen(async (peer) => {
      await peer.head();
      peer.send(ok);
    });
    t.teardown(() => server.close());
    const pool = new TestPool([server.port], { connectTimeoutMs: standMs - 100 });
    const e = new Exchange().get(pool);
    standStill();
    await e.end();
    t.equal(e.failure, '');
    t.equal(e.body, 'ok');
    pool.close();
  },
);

for (const [where, standsAtOnce] of [
  ['its socket', true],
  ['its SETTINGS', false],
] as const)
  t.test(`HTTP/2: a thread that stood still while it waited for ${where} continues waiting`, async (t) => {
    const server = await RawHttp2Server.listen(async (peer) => {
      if (!standsAtOnce) {
        standStill();
        await setTimeout(answerMs);
      }
      peer.send(hello());
      await peer.until(/^HEADERS 1 .*end$/);
      peer.send(peer.headers(1, [[':status', '204']]));
    });
    t.teardown(() => server.close());
    const pool = new TestPool([server.port], { protocol: 'http2', connectTimeoutMs: standMs - 100 });
    const e = new Exchange().get(pool);
    if (standsAtOnce) standStill();
    await e.end();
    t.equal(e.failure, '');
    pool.close();
  });

t.test('a response that came while the thread stood still is taken, though its time is over', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent(ok);
    standStill();
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port]);
  const e = new Exchange().get(pool, 'GET', standMs - 100);
  await e.end();
  t.equal(e.failure, '');
  t.equal(e.body, 'ok');
  pool.close();
});

t.test('what has not come when the thread continues is late', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    standStill();
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port]);
  const e = new Exchange().get(pool, 'GET', standMs - 100);
  await once(e, 'over');
  t.equal(e.failure, 'timeout');
  pool.close();
});
