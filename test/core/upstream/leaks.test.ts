import { Framing } from '../../../core/http/message.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import type { Target } from '../../../core/upstream/target.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, endpointOn, TestPool } from './exchange.js';

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

async function answerAnyhow(peer: RawPeer, pick: (below: number) => number): Promise<void> {
  for (;;) {
    const head = await peer.head().catch(() => '');
    const length = /Content-Length: (\d+)/.exec(head)?.[1];
    if (head === '') return;
    if (length !== undefined) await peer.bytes(Number(length)).catch(() => '');
    if (!answers[pick(answers.length)]!(peer)) return;
  }
}

for (const seed of [1, 2, 3]) {
  t.test(
    `after any mix of faults every call has ended once and nothing is held (seed ${seed})`,
    async (t) => {
      const pick = random(seed);
      const server = await RawServer.listen((peer) => answerAnyhow(peer, pick));
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
      // The blocks of writes that were cut off come back when libuv releases them.
      while (pool.resources.arena.heldBytes > 0) await new Promise(setImmediate);
      t.pass('no block is lost');
    },
  );
}

for (const seed of [1, 2, 3]) {
  t.test(
    `while endpoints come, go, fall ill and recover, every call ends once and every count returns (seed ${seed})`,
    async (t) => {
      const pick = random(seed);
      const servers = await Promise.all(
        Array.from({ length: 4 }, () => RawServer.listen((peer) => answerAnyhow(peer, pick))),
      );
      t.teardown(() => Promise.all(servers.map((server) => server.close())));
      const health = servers.map(() => HealthBlock.create());
      const targets = servers.map(({ port }, i): Target => {
        const endpoint = endpointOn(port);
        return { endpoint, address: endpoint.address, health: health[i]! };
      });
      const ejection = { failures: 2, errors: 0, baseTimeMs: 1, maxTimeMs: 3, maxShareMillionths: 500_000 };
      const pool = new TestPool([], {
        connectionsMax: 2,
        queueMax: 50,
        queueTimeoutMs: 100,
        slowStartMs: 20,
        ejection,
      });
      const exchanges: Exchange[] = [];
      for (let i = 0; i < 400; i++) {
        if (pick(5) === 0) pool.follow(targets.filter(() => pick(3) > 0));
        if (pick(5) === 0) {
          const state = pick(2) === 0 ? Health.HEALTHY : Health.UNHEALTHY;
          new HealthBlock(health[pick(health.length)]!).set(state, 0);
        }
        const e = new Exchange();
        exchanges.push(e);
        if (pick(4) > 0) e.get(pool, 'GET', 2000);
        else e.post(pool, Framing.LENGTH, 6, ['abc', 'def'], 2000);
        if (pick(3) === 0) await new Promise(setImmediate);
      }
      await Promise.all(exchanges.map((e) => e.end()));
      for (const e of exchanges) {
        t.equal(e.events.filter((event) => event === 'end' || event === 'failure').length, 1);
        t.ok(e.sent <= 1);
      }
      pool.close();
      while (pool.counted.opened > pool.counted.closed) await new Promise(setImmediate);
      pool.follow([]);
      t.match(pool.counted, { idle: 0, waiting: 0, ejected: 0 });
      t.equal(pool.waiting, 0);
      t.equal(pool.resources.deadlines.count, 0);
      t.ok(pool.counted.ejections > 0 && pool.counted.retried > 0, 'the mix had all of it');
    },
  );
}
