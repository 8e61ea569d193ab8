import { ResponseFault } from '../../../core/http/response-fault.js';
import { limits } from '../../../core/limits.js';
import { type RawScript, RawServer } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\nX-A: b\r\n\r\n';

async function serving(
  teardown: (fn: () => Promise<void>) => void,
  script: RawScript,
  connectionsMax = 16,
): Promise<{ pool: TestPool; server: RawServer }> {
  const server = await RawServer.listen(script);
  const pool = new TestPool([server.port], { connectionsMax });
  teardown(async () => {
    pool.close();
    await server.close();
  });
  return { pool, server };
}

t.test(
  'an upgrade that the upstream accepts becomes a tunnel, and what came with the 101 is its first data',
  async (t) => {
    let asked = '';
    const { pool, server } = await serving(t.teardown, async (peer) => {
      asked = await peer.head();
      peer.send(`${SWITCHING}hello`);
      peer.send(` you said ${await peer.take('!')}`);
      await peer.take('bye');
      peer.fin('bye');
    });
    const e = await new Exchange().upgrade(pool).until('tunnel data');
    t.match(asked, /Connection: Upgrade\r\nUpgrade: chat\r\n/);
    t.equal(e.head, '101 Switching Protocols\r\nX-A: b');
    t.equal(e.call.figures.status, 101);
    e.tunnel!.write(Buffer.from('hi!'));
    e.tunnel!.write(Buffer.from('bye'));
    await e.until('tunnel closed');
    t.equal(e.body, 'hello you said hi!bye');
    t.ok(e.events.indexOf('tunnel end') < e.events.indexOf('tunnel closed'));
    t.strictSame(server.errors, []);
    t.equal(pool.counted.closed, 1);
  },
);

t.test('a 101 in pieces of one byte switches at the same byte', async (t) => {
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    await peer.trickle(`${SWITCHING}12`);
    peer.fin();
  });
  const e = await new Exchange().upgrade(pool).until('tunnel closed');
  t.equal(e.body, '12');
});

t.test(
  'an upgrade that the upstream ignores or refuses is an ordinary response on a connection that is kept',
  async (t) => {
    const { pool, server } = await serving(t.teardown, async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno');
      await peer.head();
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const e = await new Exchange().upgrade(pool).end();
    t.match(e.head, /^426/);
    t.equal(e.tunnel, null);
    t.equal((await new Exchange().get(pool).end()).body, 'ok');
    t.equal(server.connections, 1);
  },
);

t.test('a 101 that nobody asked for is refused, also on a connection that asked before', async (t) => {
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await peer.head();
    peer.send(SWITCHING);
  });
  await new Exchange().upgrade(pool).end();
  const e = await new Exchange().get(pool).end();
  t.equal(e.failure, 'protocol');
  t.equal(e.call.figures.fault, ResponseFault.UNASKED_UPGRADE);
});

t.test('a tunnel takes no place in its pool', async (t) => {
  const { pool, server } = await serving(
    t.teardown,
    async (peer) => {
      const head = await peer.head();
      peer.send(head.includes('Upgrade') ? SWITCHING : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    },
    1,
  );
  const tunnels = [];
  for (let i = 0; i < 3; i++) tunnels.push(await new Exchange().upgrade(pool).end());
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.equal(server.connections, 4);
  t.equal(pool.endpoints[0]!.pending, 0);
  t.equal(pool.counted.opened - pool.counted.closed, 4, 'all count as open');
  for (const { tunnel } of tunnels) tunnel!.destroy();
  t.equal(pool.counted.opened - pool.counted.closed, 1);
});

t.test('what the upstream does not read is held and reported, and drains when it reads', async (t) => {
  const bytes = 4 * 1024 * 1024;
  let read: () => void = () => {};
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.socket.pause();
    read = () => peer.socket.resume();
    peer.send(SWITCHING);
    await peer.bytes(bytes);
    peer.fin('all');
  });
  const e = await new Exchange().upgrade(pool).end();
  t.equal(e.tunnel!.write(Buffer.alloc(bytes)), false);
  t.ok(e.tunnel!.heldBytes > 0);
  read();
  await e.until('tunnel drain');
  await e.until('tunnel closed');
  t.equal(e.body, 'all');
});

t.test('a paused tunnel reads nothing, and an upstream that resets ends it', async (t) => {
  let resets: () => void = () => {};
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(SWITCHING);
    await peer.take('go');
    peer.send('x');
    resets = () => peer.reset();
  });
  const e = await new Exchange().upgrade(pool).end();
  e.tunnel!.pause();
  e.tunnel!.write(Buffer.from('go'));
  e.tunnel!.resume();
  await e.until('tunnel data');
  resets();
  await e.until('tunnel closed');
  t.equal(e.body, 'x');
  e.tunnel!.write(Buffer.from('nobody hears'));
  e.tunnel!.destroy();
});

/** A tunnel that is open, and brings so many bytes when it gets `now`. */
async function tunnelOf(t: Test, bytes: number): Promise<Exchange> {
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(SWITCHING);
    await peer.take('now');
    peer.fin('x'.repeat(bytes));
  });
  return new Exchange().upgrade(pool).until('switch');
}

t.test('a tunnel that brings much yields to others, and loses nothing', async (t) => {
  const bytes = 8 * 1024 * 1024;
  const e = await tunnelOf(t, bytes);
  let [turn, most, came] = [0, 0, 0];
  let before = 0;
  e.hooks.set('tunnel data', () => {
    came = e.body.length - before;
    turn += came;
    before = e.body.length;
    most = Math.max(most, turn);
  });
  let looks = true;
  const look = (): void => {
    turn = 0;
    if (looks) setImmediate(look);
  };
  look();
  e.tunnel!.write(Buffer.from('now'));
  await e.until('tunnel closed');
  looks = false;
  t.equal(e.body.length, bytes);
  t.ok(most > 0 && most <= limits.tunnelTurnBytes + limits.readBufferBytes, `${most} bytes in one turn`);
});

t.test('a tunnel whose sink pauses while it yields stays paused', async (t) => {
  const bytes = 4 * 1024 * 1024;
  const e = await tunnelOf(t, bytes);
  const paused = new Promise<void>((resolve) => {
    e.hooks.set('tunnel data', () => {
      if (e.body.length < limits.tunnelTurnBytes) return;
      e.hooks.delete('tunnel data');
      e.tunnel!.pause();
      resolve();
    });
  });
  e.tunnel!.write(Buffer.from('now'));
  await paused;
  const at = e.body.length;
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  t.equal(e.body.length, at);
  e.tunnel!.resume();
  await e.until('tunnel closed');
  t.equal(e.body.length, bytes);
});
