import { Framing } from '../../../core/http/message.js';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const timeoutMs = 10_000;
const firstByteTimeoutMs = 200;
/** The wheel is late by at most this much. */
const tickUs = 32e3;

class Rig {
  nowUs = 1e9;
  readonly pool: TestPool;
  constructor(...ports: number[]) {
    this.pool = new TestPool(ports, {}, undefined, () => this.nowUs);
  }
  pass(ms: number): void {
    this.nowUs += ms * 1e3;
    this.pool.resources.deadlines.advance();
  }
  get(): Exchange {
    const e = new Exchange();
    return e.send(this.pool, { totalMs: timeoutMs, firstByteMs: firstByteTimeoutMs });
  }
  post(length: number): Exchange {
    const e = new Exchange();
    const framing = Framing.LENGTH;
    return e.send(this.pool, {
      method: 'POST',
      framing,
      contentLength: length,
      totalMs: timeoutMs,
      firstByteMs: firstByteTimeoutMs,
    });
  }
}

t.test(
  'a version that takes a request and says nothing fails with timeout long before the whole time',
  async (t) => {
    let arrived: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await RawServer.listen(async (peer) => {
      await peer.head();
      arrived();
    });
    t.teardown(() => server.close());
    const rig = new Rig(server.port);
    const e = rig.get();
    await asked;
    rig.pass(firstByteTimeoutMs - 1);
    t.notOk(e.over, 'not early');
    rig.pass(1 + tickUs / 1e3);
    t.equal(e.failure, 'timeout');
    t.equal(rig.pool.open, 0, 'and its connection is closed');
  },
);

t.test(
  'the time begins with the last byte of the request, and ends with the head of the response',
  async (t) => {
    const server = await RawServer.listen(async (peer) => {
      await peer.head();
      await peer.bytes(2);
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
      await peer.closed();
    });
    t.teardown(() => server.close());
    const rig = new Rig(server.port);
    const e = rig.post(2);
    e.call.write(Buffer.from('a'), false);
    await e.until('sent');
    rig.pass(5 * firstByteTimeoutMs);
    t.notOk(e.over, 'the client is slow, not the version');
    e.call.write(Buffer.from('b'), true);
    await e.until('body');
    rig.pass(5 * firstByteTimeoutMs);
    t.notOk(e.over, 'the body may take its time');
    rig.pass(timeoutMs);
    t.equal(e.failure, 'timeout', 'within the whole time');
  },
);

t.test('an interim response is not the head that is awaited', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
    await peer.closed();
  });
  t.teardown(() => server.close());
  const rig = new Rig(server.port);
  const e = await rig.get().until('interim');
  rig.pass(firstByteTimeoutMs + 64);
  t.equal(e.failure, 'timeout');
});

t.test('a request that waits for a connection is not held to it yet', async (t) => {
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const rig = new Rig(server.port);
  const e = rig.get();
  rig.pass(2 * firstByteTimeoutMs);
  t.notOk(e.over);
  await e.until('sent');
  e.call.cancel();
});

t.test('a second sending has the whole time again', async (t) => {
  const server = await RawServer.listen(async (peer, index) => {
    await peer.head();
    if (index === 0) {
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      await peer.head();
      peer.reset();
      return;
    }
    again();
  });
  let again: () => void = () => undefined;
  const sentAgain = new Promise<void>((resolve) => {
    again = resolve;
  });
  t.teardown(() => server.close());
  const rig = new Rig(server.port);
  await rig.get().end();
  const e = rig.get();
  rig.pass(150);
  await sentAgain;
  rig.pass(150);
  t.notOk(e.over);
  rig.pass(100);
  t.equal(e.failure, 'timeout');
});

t.test('without it no deadline but that of the whole exchange is set', async (t) => {
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port]);
  const e = await new Exchange().get(pool).until('sent');
  t.equal(pool.resources.deadlines.count, 1);
  e.call.cancel();
  t.equal(pool.resources.deadlines.count, 0);
});
