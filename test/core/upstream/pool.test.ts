import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { type RawPeer, RawServer, refusedPort } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, endpointOn, planFor, TestPool, upstreamDefaults } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function serveAll(peer: RawPeer): Promise<void> {
  for (;;) {
    await peer.head();
    peer.send(OK);
  }
}

/** A server that answers on demand: `requests` holds one answer per request that arrived. */
class Held {
  readonly requests: (() => void)[] = [];
  #wake: () => void = () => undefined;

  readonly script = async (peer: RawPeer): Promise<void> => {
    for (;;) {
      const head = await peer.head();
      this.lines.push(head.split(' ')[1]!);
      this.requests.push(() => peer.send(OK));
      this.#wake();
    }
  };
  readonly lines: string[] = [];

  async arrived(count: number): Promise<void> {
    while (this.requests.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function getPath(pool: TestPool, path: string): Exchange {
  return new Exchange().send(pool, { target: path });
}

t.test('exchanges one after the other share one connection', async (t) => {
  const server = await RawServer.listen(serveAll);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port]);
  for (let i = 0; i < 20; i++) {
    const e = await new Exchange().get(pool).end();
    t.equal(e.call.figures.reused, i > 0);
  }
  t.equal(server.connections, 1);
  t.match(pool.counted, { opened: 1, closed: 0, idle: 1, retried: 0, handshakes: 0, resumed: 0 });
});

t.test('HTTP/1.0 is pooled only if it says keep-alive, HTTP/1.1 unless it says close', async (t) => {
  const cases: [string, number][] = [
    ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 0],
    ['HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok', 1],
    ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok', 0],
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 2\r\n\r\nok', 0],
  ];
  for (const [response, idle] of cases) {
    const server = await RawServer.listen(async (peer) => {
      await peer.head();
      peer.send(response);
    });
    const pool = new TestPool([server.port]);
    t.equal((await new Exchange().get(pool).end()).body, 'ok');
    t.equal(pool.idle, idle, response);
    await server.close();
  }
});

t.test('no more connections are opened than allowed; the others wait in the order they came', async (t) => {
  const held = new Held();
  const server = await RawServer.listen(held.script);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax: 2 });
  const exchanges = ['/0', '/1', '/2', '/3', '/4'].map((path) => getPath(pool, path));
  await held.arrived(2);
  t.equal(pool.open, 2);
  t.equal(pool.waiting, 3);
  for (let i = 0; i < 5; i++) {
    await held.arrived(i + 1);
    held.requests[i]!();
  }
  for (const e of exchanges) t.equal((await e.end()).body, 'ok');
  t.strictSame(held.lines.slice(2), ['/2', '/3', '/4']);
  t.equal(server.connections, 2);
  t.equal(pool.waiting, 0);
});

t.test('a full queue refuses with overloaded, after start has returned', async (t) => {
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax: 1 });
  const waiting = Array.from({ length: 1 + limits.upstreamWaiters }, () => new Exchange().get(pool));
  t.equal(pool.waiting, limits.upstreamWaiters);
  const refused = new Exchange().get(pool);
  t.strictSame(refused.events, []);
  await refused.end();
  t.equal(refused.failure, 'overloaded');
  t.strictSame(refused.events, ['failure'], 'it never counted as sent');
  for (const e of waiting) e.call.cancel();
  t.equal(pool.waiting, 0);
  t.equal(pool.resources.deadlines.count, 1, 'the connect that is left to others');
  pool.close();
});

t.test('a version without endpoints fails with no-endpoint, after start has returned', async (t) => {
  const e = new Exchange().get(new TestPool([]));
  t.strictSame(e.events, []);
  await e.end();
  t.equal(e.failure, 'no-endpoint');
});

t.test('a request with a body fails in the same way, once', async (t) => {
  const e = new Exchange().post(new TestPool([]), Framing.LENGTH, 2, ['o', 'k']);
  t.strictSame(e.events, []);
  await e.end();
  t.strictSame(e.events, ['failure']);
});

t.test('calls spread over equal endpoints and prefer the one with fewer pending', async (t) => {
  const held = [new Held(), new Held(), new Held()];
  const servers = await Promise.all(held.map((h) => RawServer.listen(h.script)));
  t.teardown(() => Promise.all(servers.map((s) => s.close())));
  const pool = new TestPool(servers.map((s) => s.port));
  const exchanges = Array.from({ length: 6 }, () => new Exchange().get(pool));
  await Promise.all(held.map((h) => h.arrived(2)));
  t.strictSame(
    pool.endpoints.map((e) => e.pending),
    [2, 2, 2],
  );
  held[1]!.requests[0]!();
  held[1]!.requests[1]!();
  await Promise.all([exchanges[1]!.end(), exchanges[4]!.end()]);
  new Exchange().get(pool);
  new Exchange().get(pool);
  t.strictSame(
    pool.endpoints.map((e) => e.pending),
    [2, 2, 2],
  );
  await held[1]!.arrived(4);
  t.equal(servers[1]!.connections, 2);
});

t.test('an endpoint that refuses is passed over for another one', async (t) => {
  const server = await RawServer.listen(serveAll);
  t.teardown(() => server.close());
  const dead = await refusedPort();
  const pool = new TestPool([dead, server.port]);
  for (let i = 0; i < 4; i++) {
    const e = await new Exchange().get(pool).end();
    t.equal(e.body, 'ok');
    t.equal(e.sent, 1);
    t.strictSame(e.call.figures.endpoint?.plan, endpointOn(server.port));
  }
  t.equal(pool.counted.opened, 2, 'and rests: it is not tried again at once');
});

t.test('when every endpoint refuses the call fails with connect, each tried once', async () => {
  const ports = [await refusedPort(), await refusedPort()];
  const pool = new TestPool(ports);
  const e = await new Exchange().get(pool).end();
  t.equal(e.failure, 'connect');
  t.strictSame(e.events, ['failure'], 'it never counted as sent');
  t.match(pool.counted, { opened: 2, closed: 2, idle: 0, retried: 0, handshakes: 0, resumed: 0 });
});

t.test('a name that does not resolve fails with connect', async (t) => {
  // Too long to be asked of any server, so that the test needs none.
  const address = { kind: 'tcp' as const, host: 'x'.repeat(300), port: 80 };
  const pool = new TestPool([], { endpoints: [{ address, authority: 'x', secure: false, weight: 1 }] });
  t.equal((await new Exchange().get(pool).end()).failure, 'connect');
});

t.test('waiters are served by new connections when those they waited for die', async (t) => {
  const server = await RawServer.listen(async (peer, index) => {
    await peer.head();
    if (index === 0) peer.reset();
    else peer.send(OK);
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax: 1 });
  const first = new Exchange().get(pool);
  const second = new Exchange().get(pool);
  t.equal((await first.end()).failure, 'reset');
  t.equal((await second.end()).body, 'ok');
});

t.test('idle connections expire', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send(OK);
    await peer.closed();
    gone();
  });
  let gone: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    gone = resolve;
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { idleMs: 50 });
  await new Exchange().get(pool).end();
  t.equal(pool.idle, 1);
  await closed;
  t.equal(pool.idle, 0);
  t.equal(pool.open, 0);
});

t.test('a connect that takes too long is given up, and another endpoint tried', async (t) => {
  let timeUs = 0;
  const server = await RawServer.listen(serveAll);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port, server.port], { connectTimeoutMs: 100 }, undefined, () => timeUs);
  const e = new Exchange().get(pool);
  timeUs = 99_000;
  pool.resources.deadlines.advance();
  t.equal(pool.counted.opened, 1, 'it is not given up early');
  timeUs = 132_000;
  pool.resources.deadlines.advance();
  t.match(pool.counted, { opened: 2, closed: 1, idle: 0, retried: 0, handshakes: 0, resumed: 0 });
  timeUs = 264_000;
  pool.resources.deadlines.advance();
  t.equal(e.failure, 'connect');
  t.equal(pool.open, 0);
  t.equal(pool.resources.deadlines.count, 2, 'the ends of the ejections');
});

t.test('close lets busy connections finish and keeps none', async (t) => {
  const held = new Held();
  const server = await RawServer.listen(held.script);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax: 2 });
  const first = new Exchange().get(pool);
  await held.arrived(1);
  held.requests[0]!();
  await first.end();
  const busy = [new Exchange().get(pool), new Exchange().get(pool), new Exchange().get(pool)];
  await held.arrived(3);
  pool.close();
  t.equal(pool.open, 2);
  held.requests[1]!();
  await held.arrived(4);
  held.requests[2]!();
  held.requests[3]!();
  for (const e of busy) t.equal((await e.end()).body, 'ok');
  t.equal(pool.open, 0);
  t.equal(pool.counted.closed, pool.counted.opened);
});

t.test('a pool is kept by a reload that changes nothing about it', async (t) => {
  const pool = new TestPool([1, 2]);
  t.ok(pool.sameAs(planFor([1, 2])));
  t.notOk(pool.sameAs(planFor([1, 3])));
  t.notOk(pool.sameAs(planFor([1])));
  t.notOk(pool.sameAs(planFor([1, 2], { idleMs: 1 })));
  t.notOk(pool.sameAs(planFor([1, 2], { connectionsMax: 1 })));
  t.notOk(pool.sameAs(planFor([1, 2], { connectTimeoutMs: 1 })));
  t.notOk(pool.sameAs(planFor([1, 2], { name: 'v2' })));
  t.notOk(pool.sameAs(planFor([1, 2], { queueMax: 1 })));
  t.notOk(pool.sameAs(planFor([1, 2], { queueTimeoutMs: 1 })));
  t.notOk(pool.sameAs(planFor([1, 2], { slowStartMs: 1 })));
  for (const change of [
    { failures: 1 },
    { errors: 1 },
    { baseTimeMs: 1 },
    { maxTimeMs: 1 },
    { maxShareMillionths: 1 },
  ]) {
    t.notOk(pool.sameAs(planFor([1, 2], { ejection: { ...upstreamDefaults.ejection, ...change } })));
  }
});

t.test('a pool is out of service after a refused connect until the ejection is over', async (t) => {
  let nowUs = 1e9;
  const pool = new TestPool([await refusedPort()], {}, undefined, () => nowUs);
  t.notOk(pool.outOfService, 'nothing was tried yet');
  t.equal((await new Exchange().get(pool).end()).failure, 'connect');
  t.ok(pool.outOfService);
  t.equal((await new Exchange().get(pool).end()).failure, 'connect', 'whoever asks all the same is served');
  nowUs += 2e6;
  pool.resources.deadlines.advance();
  t.notOk(pool.outOfService);
  t.match(pool.counted, { ejected: 0, ejections: 1 });
});

t.test(
  'a pool is out of service after a new connection died without a response, and a response ends it',
  async (t) => {
    let isWell = false;
    const server = await RawServer.listen(async (peer) => {
      await peer.head();
      if (isWell) peer.send(OK);
      else peer.reset();
    });
    t.teardown(() => server.close());
    const pool = new TestPool([server.port]);
    t.equal((await new Exchange().get(pool).end()).failure, 'reset');
    t.ok(pool.outOfService);
    isWell = true;
    t.equal((await new Exchange().get(pool).end()).body, 'ok');
    t.notOk(pool.outOfService);
  },
);

t.test('a pool is out of service only if each of its endpoints is', async (t) => {
  const server = await RawServer.listen(serveAll);
  t.teardown(() => server.close());
  const pool = new TestPool([await refusedPort(), server.port]);
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.notOk(pool.outOfService);
  t.ok(new TestPool([]).outOfService, 'without endpoints there is nobody to ask');
});

/** A pool with one connection, for which calls wait 200 ms. */
function poolOfOne(port: number, clock: () => number): TestPool {
  return new TestPool([port], { connectionsMax: 1, queueTimeoutMs: 200 }, undefined, clock);
}

t.test('a call that waits too long for a connection fails with overloaded', async (t) => {
  let nowUs = 1e9;
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const pool = poolOfOne(server.port, () => nowUs);
  const first = await new Exchange().get(pool).until('sent');
  const second = new Exchange().get(pool);
  t.equal(pool.counted.waiting, 1);
  nowUs += 199e3;
  pool.resources.deadlines.advance();
  t.notOk(second.over, 'not early');
  nowUs += 33e3;
  pool.resources.deadlines.advance();
  t.equal(second.failure, 'overloaded');
  t.strictSame(second.events, ['failure'], 'it never counted as sent');
  t.match(pool.counted, { waiting: 0, queueTimeouts: 1, queueFull: 0 });
  t.notOk(first.over);
  first.call.cancel();
});

t.test('a call that got its connection in time is not held to the time of the queue', async (t) => {
  let nowUs = 1e9;
  const held = new Held();
  const server = await RawServer.listen(held.script);
  t.teardown(() => server.close());
  const pool = poolOfOne(server.port, () => nowUs);
  const first = new Exchange().get(pool);
  const second = new Exchange().get(pool);
  await held.arrived(1);
  held.requests[0]!();
  await first.end();
  await held.arrived(2);
  nowUs += 400e3;
  pool.resources.deadlines.advance();
  held.requests[1]!();
  t.equal((await second.end()).body, 'ok');
});

t.test('the length of the queue is configured, and 0 means that nobody waits', async (t) => {
  const server = await RawServer.listen(() => undefined);
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], { connectionsMax: 1, queueMax: 0 });
  const first = new Exchange().get(pool);
  t.equal((await new Exchange().get(pool).end()).failure, 'overloaded');
  t.match(pool.counted, { waiting: 0, queueFull: 1, queueTimeouts: 0 });
  first.call.cancel();
  pool.close();
});

/** Answers each request with the status that `next` gives. */
async function answering(next: () => number): Promise<RawServer> {
  return RawServer.listen(async (peer) => {
    for (;;) {
      await peer.head();
      peer.send(`HTTP/1.1 ${next()} X\r\nContent-Length: 0\r\n\r\n`);
    }
  });
}

t.test(
  'an endpoint that can not serve is ejected after some answers, and comes back with a small share',
  async (t) => {
    let nowUs = 1e9;
    let status = 503;
    const bad = await answering(() => status);
    const good = await answering(() => 200);
    t.teardown(() => Promise.all([bad.close(), good.close()]));
    const pool = new TestPool([bad.port, good.port], {}, undefined, () => nowUs);
    const statuses: number[] = [];
    for (let i = 0; i < 30; i++) statuses.push((await new Exchange().get(pool).end()).call.figures.status);
    t.equal(statuses.filter((one) => one === 503).length, 5);
    t.match(pool.counted, { ejected: 1, ejections: 1 });
    t.notOk(pool.outOfService);
    status = 200;
    nowUs += 1032e3;
    pool.resources.deadlines.advance();
    t.equal(pool.counted.ejected, 0);
    let back = 0;
    for (let i = 0; i < 100; i++) {
      const e = await new Exchange().get(pool).end();
      if (e.call.figures.endpoint!.plan.authority.endsWith(`:${bad.port}`)) back++;
    }
    t.ok(back >= 4 && back <= 6, `a tenth of a half: ${back} of 100`);
  },
);

t.test('an endpoint without a peer is never ejected for its answers', async (t) => {
  const bad = await answering(() => 503);
  t.teardown(() => bad.close());
  const pool = new TestPool([bad.port]);
  for (let i = 0; i < 20; i++) await new Exchange().get(pool).end();
  t.equal(pool.counted.ejections, 0);
  t.notOk(pool.outOfService);
});

t.test('failed answers are bounded by the addresses that serve at all', async (t) => {
  const bad = await answering(() => 503);
  const good = await answering(() => 200);
  t.teardown(() => Promise.all([bad.close(), good.close()]));
  const dead = await refusedPort();
  const three = new TestPool([dead, bad.port, good.port]);
  for (let i = 0; i < 30; i++) await new Exchange().get(three).end();
  t.equal(three.counted.ejected, 2, 'one that refuses takes nothing from the share of those that fail');
  const two = new TestPool([dead, bad.port]);
  for (let i = 0; i < 30; i++) await new Exchange().get(two).end();
  t.equal(two.counted.ejected, 1, 'the last one that answers stays');
  t.notOk(two.outOfService);
});

t.test('a 500 is an answer like any other', async (t) => {
  const bad = await answering(() => 500);
  const good = await answering(() => 200);
  t.teardown(() => Promise.all([bad.close(), good.close()]));
  const pool = new TestPool([bad.port, good.port]);
  for (let i = 0; i < 40; i++) await new Exchange().get(pool).end();
  t.equal(pool.counted.ejections, 0);
});

t.test('while a usable endpoint is busy, calls wait for it and none goes to one that is out', async (t) => {
  const held = new Held();
  const server = await RawServer.listen(held.script);
  t.teardown(() => server.close());
  const dead = await refusedPort();
  const pool = new TestPool([dead, server.port], { connectionsMax: 1 });
  const first = new Exchange().get(pool);
  await held.arrived(1);
  const second = new Exchange().get(pool);
  t.equal(pool.waiting, 1);
  t.equal(pool.counted.opened, 2);
  held.requests[0]!();
  await first.end();
  await held.arrived(2);
  held.requests[1]!();
  t.equal((await second.end()).body, 'ok');
  t.equal(pool.counted.opened, 2, 'the dead one was not tried again');
});
