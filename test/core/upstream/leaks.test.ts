import t from 'tap';
import { Framing } from '../../../core/http/message.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import { Exchange, TestPool } from './exchange.js';

/** A small generator with a seed, so that a failing mix can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

const answers: ((peer: RawPeer) => boolean)[] = [
  (peer) => {
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    return true;
  },
  (peer) => {
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
    return true;
  },
  (peer) => {
    peer.send('HTTP/1.1 204 No Content\r\n\r\n');
    peer.fin();
    return false;
  },
  (peer) => {
    peer.reset();
    return false;
  },
  (peer) => {
    peer.fin('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut');
    return false;
  },
  (peer) => {
    peer.send('nonsense\r\n\r\n');
    return false;
  },
  (peer) => {
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    return false;
  },
  (peer) => {
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more');
    return false;
  },
];

for (const seed of [1, 2, 3]) {
  t.test(
    `after any mix of faults every call has ended once and nothing is held (seed ${seed})`,
    async (t) => {
      const pick = random(seed);
      const server = await RawServer.listen(async (peer) => {
        for (;;) {
          const head = await peer.head().catch(() => '');
          const length = /Content-Length: (\d+)/.exec(head)?.[1];
          if (head === '') return;
          if (length !== undefined) await peer.bytes(Number(length)).catch(() => '');
          if (!answers[pick(answers.length)]!(peer)) return;
        }
      });
      t.teardown(() => server.close());
      const pool = new TestPool([server.port, server.port], { connectionsMax: 3 });
      const exchanges: Exchange[] = [];
      const ends: Promise<Exchange>[] = [];
      for (let i = 0; i < 300; i++) {
        const e = new Exchange();
        exchanges.push(e);
        const kind = pick(8);
        if (kind === 0)
          e.hooks.set(['sent', 'head', 'body', 'end'][pick(4)]!, () => e.over || e.call.cancel());
        if (kind < 5) e.get(pool, 'GET', 2000);
        else e.post(pool, Framing.LENGTH, 200_000, ['x'.repeat(100_000), 'y'.repeat(100_000)], 2000);
        if (kind === 1) e.call.cancel();
        if (kind > 1) ends.push(e.end());
        if (pick(3) === 0) await new Promise(setImmediate);
      }
      await Promise.all(ends);
      for (const e of exchanges) {
        const over = e.events.filter((event) => event === 'end' || event === 'failure').length;
        t.ok(over <= 1 && e.sent <= 1);
        t.equal(e.events.indexOf('failure') >= 0 && e.events.indexOf('failure') < e.events.length - 1, false);
      }
      pool.close();
      while (pool.open > 0) await new Promise(setImmediate);
      t.equal(pool.waiting, 0);
      t.strictSame(
        pool.endpoints.map((e) => [e.pending, e.open, e.idle.length]),
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      );
      t.equal(pool.counted.opened, pool.counted.closed);
      t.equal(pool.counted.idle, 0);
      t.equal(pool.resources.deadlines.count, pool.counted.ejected);
      // The blocks of writes that were cut off come back when libuv lets go of them.
      while (pool.resources.arena.heldBytes > 0) await new Promise(setImmediate);
      t.pass('no block is lost');
    },
  );
}
