import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * A server whose first connection answers one request and then does `atReuse` with the second one; later
 * connections run `later`. The pool comes back with that first connection idle in it.
 */
async function reusing(
  teardown: (fn: () => Promise<void>) => void,
  atReuse: (peer: RawPeer) => void | Promise<void>,
  later: (peer: RawPeer) => void | Promise<void>,
): Promise<{ pool: TestPool; server: RawServer }> {
  const server = await RawServer.listen(async (peer, index) => {
    if (index > 0) return later(peer);
    await peer.head();
    peer.send(OK);
    await atReuse(peer);
  });
  const pool = new TestPool([server.port]);
  teardown(async () => {
    pool.close();
    await server.close();
  });
  await new Exchange().get(pool).end();
  return { pool, server };
}

const deaths: readonly [string, (peer: RawPeer) => Promise<void>][] = [
  [
    'a FIN',
    async (peer) => {
      await peer.head();
      peer.fin();
    },
  ],
  [
    'a reset',
    async (peer) => {
      await peer.head();
      peer.reset();
    },
  ],
];

for (const [death, die] of deaths) {
  t.test(`a GET whose reused connection died of ${death} succeeds on a fresh one`, async (t) => {
    const { pool, server } = await reusing(t.teardown, die, async (peer) => {
      await peer.head();
      peer.send(OK);
    });
    const e = await new Exchange().get(pool).end();
    t.equal(e.body, 'ok');
    t.equal(e.sent, 1, 'sent is reported once');
    t.equal(e.call.figures.reused, false);
    t.equal(server.connections, 2);
    t.equal(pool.counted.retried, 1);
  });

  t.test(`a small PUT whose reused connection died of ${death} succeeds on a fresh one`, async (t) => {
    let body = '';
    const { pool } = await reusing(t.teardown, die, async (peer) => {
      await peer.head();
      body = await peer.bytes(11);
      peer.send(OK);
    });
    const e = await new Exchange().put(pool, Framing.LENGTH, 11, ['hello ', 'world']).end();
    t.equal(e.body, 'ok');
    t.equal(body, 'hello world');
  });

  for (const method of ['POST', 'PATCH', 'LOCK', 'get']) {
    t.test(`a ${method} whose reused connection died of ${death} is not sent again`, async (t) => {
      const { pool, server } = await reusing(t.teardown, die, async (peer) => {
        await peer.head();
        peer.send(OK);
      });
      const e = await new Exchange().get(pool, method).end();
      t.equal(e.failure, 'reset');
      t.equal(server.connections, 1);
      t.equal(pool.counted.retried, 0);
    });
  }
}

for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'DELETE']) {
  t.test(`a ${method} whose reused connection died is sent again: it is idempotent`, async (t) => {
    const { pool, server } = await reusing(t.teardown, deaths[0]![1], async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    });
    const e = await new Exchange().get(pool, method).end();
    t.equal(e.failure, '');
    t.equal(server.connections, 2);
  });
}

t.test(
  'a PUT that was half written when its reused connection died continues on the fresh one',
  async (t) => {
    let body = '';
    const { pool } = await reusing(t.teardown, deaths[0]![1], async (peer) => {
      await peer.head();
      body = await peer.bytes(11);
      peer.send(OK);
    });
    const e = new Exchange();
    e.send(pool, { method: 'PUT', framing: Framing.LENGTH, contentLength: 11 });
    e.call.write(Buffer.from('hello '), false);
    t.equal(e.call.figures.reused, true);
    while (pool.counted.retried === 0) await new Promise(setImmediate);
    e.call.write(Buffer.from('world'), true);
    await e.end();
    t.equal(e.body, 'ok');
    t.equal(body, 'hello world');
    t.equal(e.call.figures.requestBytes, 11);
  },
);

t.test('a small chunked PUT that is complete is sent again with its framing', async (t) => {
  let body = '';
  const { pool } = await reusing(t.teardown, deaths[0]![1], async (peer) => {
    await peer.head();
    body = await peer.take('0\r\n\r\n');
    peer.send(OK);
  });
  const e = await new Exchange().put(pool, Framing.CHUNKED, 0, ['hello', ' you', '']).end();
  t.equal(e.body, 'ok');
  t.equal(body, '5\r\nhello\r\n4\r\n you\r\n0\r\n\r\n');
});

t.test('a streamed PUT is never sent twice', async (t) => {
  const { pool, server } = await reusing(t.teardown, deaths[0]![1], () => undefined);
  const e = new Exchange();
  e.send(pool, { method: 'PUT', framing: Framing.CHUNKED });
  e.call.write(Buffer.from('first piece'), false);
  await e.end();
  t.equal(e.failure, 'reset');
  t.equal(server.connections, 1);
});

t.test('a PUT longer than what is kept is never sent twice', async (t) => {
  const { pool, server } = await reusing(t.teardown, deaths[0]![1], () => undefined);
  const length = limits.replayBytes + 1;
  const e = await new Exchange().put(pool, Framing.LENGTH, length, ['x'.repeat(length)]).end();
  t.equal(e.failure, 'reset');
  t.equal(server.connections, 1);
});

t.test('a request is sent again at most once', async (t) => {
  const { pool, server } = await reusing(t.teardown, deaths[0]![1], async (peer) => {
    await peer.head();
    peer.fin();
  });
  const e = await new Exchange().get(pool).end();
  t.equal(e.failure, 'reset');
  t.equal(server.connections, 2);
});

t.test('a request is not sent again after a byte of its response came', async (t) => {
  const { pool, server } = await reusing(
    t.teardown,
    async (peer) => {
      await peer.head();
      await peer.sent('H');
      peer.fin();
    },
    () => undefined,
  );
  const e = await new Exchange().get(pool).end();
  t.equal(e.failure, 'reset');
  t.equal(server.connections, 1);
});

t.test('a request on a fresh connection is not sent again', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.fin();
  });
  t.teardown(() => server.close());
  const e = await new Exchange().get(new TestPool([server.port])).end();
  t.equal(e.failure, 'reset');
  t.equal(server.connections, 1);
});

t.test('a second sending that finds no listener fails with connect', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send(OK);
    await peer.head();
    stop = server.close();
  });
  let stop: Promise<void> | null = null;
  const pool = new TestPool([server.port]);
  await new Exchange().get(pool).end();
  const e = await new Exchange().get(pool).end();
  t.equal(e.failure, 'connect');
  await stop;
});
