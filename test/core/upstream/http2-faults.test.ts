/** Endpoints of HTTP/2 that misbehave, in frames: what a call reports, and what it costs the endpoint. */
import { nowUs } from '../../../core/clock.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import type { VersionPlan } from '../../../core/plan.js';
import { Prober } from '../../../core/upstream/prober.js';
import type { Pair } from '../../core/http2/hpack-lists.js';
import { hello, type RawHttp2, RawHttp2Server, type RawScript2 } from '../../support/raw-http2.js';
import { RawServer, refusedPort } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { frame, uint32 } from '../http2/session-side.js';
import { Exchange, endpointOn, planFor, TestPool } from './exchange.js';

const Code = { NO_ERROR: 0, INTERNAL: 2, REFUSED: 7, HTTP_1_1_REQUIRED: 13 } as const;
const ok: readonly Pair[] = [[':status', '200']];

function reset(stream: number, code: number): Buffer {
  return frame(3, 0, stream, uint32(code));
}

function goaway(last: number, code: number = Code.NO_ERROR): Buffer {
  return frame(7, 0, 0, uint32(last, code));
}

function data(stream: number, text: string, ends: boolean): Buffer {
  return frame(0, ends ? 1 : 0, stream, Buffer.from(text));
}

/** Answers each request that comes, once it is whole, in the order of the streams. */
async function serve(peer: RawHttp2, from = 1, count = 1000): Promise<void> {
  for (let stream = from; stream < from + 2 * count; stream += 2) {
    await peer.until(new RegExp(`^(HEADERS|DATA) ${stream} .*end$`));
    peer.send(peer.headers(stream, ok, false), data(stream, `answer ${stream}`, true));
  }
}

interface Scene {
  readonly server: RawHttp2Server;
  readonly pool: TestPool;
}

async function scene(t: Test, script: RawScript2, changes: Partial<VersionPlan> = {}): Promise<Scene> {
  const server = await RawHttp2Server.listen(script);
  const pool = new TestPool([server.port], { protocol: 'http2', ...changes });
  t.teardown(async () => {
    pool.close();
    await server.close();
    if (server.errors.length > 0) throw server.errors[0];
  });
  return { server, pool };
}

for (const [what, refuse] of [
  ['REFUSED_STREAM', (peer: RawHttp2) => peer.send(reset(1, Code.REFUSED))],
  ['a GOAWAY that leaves it out', (peer: RawHttp2) => peer.send(goaway(0))],
] as const) {
  t.test(
    `a request that was not processed, by ${what}, is sent once more, whatever its method`,
    async (t) => {
      let refused = 0;
      const { pool, server } = await scene(t, async (peer, index) => {
        peer.send(hello());
        if (refused++ > 0) return serve(peer);
        await peer.until(/^DATA 1 .*end$/);
        refuse(peer);
        if (index === 0 && what === 'REFUSED_STREAM') await serve(peer, 3);
      });
      const got = await new Exchange().post(pool, Framing.LENGTH, 4, ['b', 'ody']).end();
      t.equal(got.failure, '');
      t.match(got.body, /^answer /);
      t.equal(got.sent, 1, 'it counts as sent once');
      t.equal(pool.counted.retried, 1);
      const bodies = server.peers.flatMap(({ frames }) =>
        frames.filter((line) => /^DATA .* end$/.test(line)),
      );
      t.equal(bodies.length, 2);
      t.equal(pool.counted.ejections, 0);
    },
  );
}

t.test('a request that is refused twice fails with reset', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello());
    for (let stream = 1; stream < 9; stream += 2) {
      await peer.until(new RegExp(`^HEADERS ${stream} `));
      peer.send(reset(stream, Code.REFUSED));
    }
  });
  const got = await new Exchange().get(pool).end();
  t.strictSame([got.failure, got.sent, pool.counted.retried], ['reset', 1, 1]);
});

t.test('a body that was not kept is not sent again', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^DATA 1 /);
    peer.send(reset(1, Code.REFUSED));
  });
  const large = 'x'.repeat(limits.replayBytes + 1);
  const got = await new Exchange().post(pool, Framing.LENGTH, large.length, [large]).end();
  t.strictSame([got.failure, pool.counted.retried], ['reset', 0]);
});

t.test('GOAWAY lets the streams finish that it names, and new ones get another connection', async (t) => {
  const { pool, server } = await scene(t, async (peer, index) => {
    peer.send(hello());
    if (index > 0) return serve(peer);
    await peer.until(/^HEADERS 5 /);
    peer.send(goaway(3));
    peer.send(peer.headers(3, ok), peer.headers(1, ok, false), data(1, 'late', true));
  });
  const [first, second, third] = [1, 2, 3].map(() => new Exchange().get(pool));
  await third!.end();
  t.equal(third!.body, 'answer 1', 'on the second connection');
  await first!.end();
  await second!.end();
  t.strictSame([first!.body, second!.call.figures.status], ['late', 200]);
  t.equal((await new Exchange().get(pool).end()).failure, '');
  await server.peers[0]!.ended();
  t.equal(server.peers.length, 2);
  t.equal(pool.counted.retried, 1);
});

for (const [what, code, failure] of [
  ['INTERNAL_ERROR', Code.INTERNAL, 'reset'],
  ['HTTP_1_1_REQUIRED', Code.HTTP_1_1_REQUIRED, 'protocol'],
] as const) {
  t.test(`RST_STREAM with ${what} fails that call alone, with ${failure}`, async (t) => {
    const { pool, server } = await scene(t, async (peer) => {
      peer.send(hello());
      await peer.until(/^HEADERS 3 /);
      peer.send(reset(1, code), peer.headers(3, ok));
      await serve(peer, 5);
    });
    const [broken, whole] = [new Exchange().get(pool), new Exchange().get(pool)];
    t.equal((await broken.end()).failure, failure);
    t.equal((await whole.end()).call.figures.status, 200);
    t.equal(broken.call.figures.error.errno, what);
    t.equal((await new Exchange().get(pool).end()).call.figures.status, 200);
    t.equal(server.peers.length, 1);
  });
}

t.test('RST_STREAM within a body fails after what had come', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^HEADERS 1 /);
    peer.send(peer.headers(1, ok, false), data(1, 'some', false), reset(1, Code.NO_ERROR));
  });
  const got = await new Exchange().get(pool).end();
  t.strictSame([got.failure, got.body, got.call.figures.headSeen], ['reset', 'some', true]);
});

t.test('a malformed response fails its call alone, with protocol', async (t) => {
  const { pool, server } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^HEADERS 1 /);
    peer.send(peer.headers(1, [[':status', '2x0']]));
    await peer.until(/^RST_STREAM 1 PROTOCOL_ERROR$/);
    await serve(peer, 3);
  });
  t.equal((await new Exchange().get(pool).end()).failure, 'protocol');
  t.equal((await new Exchange().get(pool).end()).call.figures.status, 200);
  t.equal(server.peers.length, 1);
});

t.test('a broken frame ends the connection and all of its calls, which is one failure', async (t) => {
  const { pool, server } = await scene(
    t,
    async (peer, index) => {
      peer.send(hello());
      if (index > 0) return serve(peer);
      await peer.until(/^HEADERS 1 /);
      peer.send(peer.headers(1, ok));
      await peer.until(/^HEADERS 9 /);
      peer.send(frame(6, 0, 0, Buffer.alloc(3)));
    },
    { ejection: { failures: 2, errors: 0, baseTimeMs: 1000, maxTimeMs: 1000, maxShareMillionths: 1e6 } },
  );
  await new Exchange().get(pool).end();
  const all = [1, 2, 3, 4].map(() => new Exchange().get(pool));
  for (const exchange of all) t.equal((await exchange.end()).failure, 'protocol');
  await server.peers[0]!.until(/^GOAWAY 0 FRAME_SIZE_ERROR$/);
  t.equal(pool.counted.ejections, 0, 'two in a row would eject it');
  t.equal((await new Exchange().get(pool).end()).call.figures.status, 200);
  t.equal(pool.endpoints[0]!.pending, 0);
});

t.test('calls on a reused connection that is lost are sent again if their methods allow it', async (t) => {
  const { pool } = await scene(t, async (peer, index) => {
    peer.send(hello());
    if (index > 0) return serve(peer);
    await serve(peer, 1, 1);
    await peer.until(/^DATA 7 .*end$/);
    peer.socket.resetAndDestroy();
  });
  t.equal((await new Exchange().get(pool).end()).failure, '');
  const [get, put, post] = [
    new Exchange().get(pool),
    new Exchange().put(pool, Framing.LENGTH, 2, ['hi']),
    new Exchange().post(pool, Framing.LENGTH, 2, ['hi']),
  ];
  for (const exchange of [get, put]) t.match((await exchange.end()).body, /^answer /);
  t.equal((await post.end()).failure, 'reset');
  t.equal(pool.counted.retried, 2);
});

t.test('a new connection that is lost fails its calls, and refuses the endpoint once', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^HEADERS 5 /);
    peer.socket.end();
  });
  const all = [1, 2, 3].map(() => new Exchange().get(pool));
  for (const exchange of all) t.equal((await exchange.end()).failure, 'reset');
  t.equal(pool.counted.ejections, 1);
  t.equal(pool.counted.retried, 0);
});

t.test('an endpoint of HTTP/1.1 is no endpoint of HTTP/2, before anything counts as sent', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
  });
  const pool = new TestPool([server.port], { protocol: 'http2' });
  t.teardown(async () => {
    pool.close();
    await server.close();
  });
  const got = await new Exchange().get(pool).end();
  t.strictSame([got.failure, got.sent], ['protocol', 0]);
  t.ok(pool.outOfService);
});

t.test(
  'an endpoint without SETTINGS is given up in the time of the connect, and another tried',
  async (t) => {
    const silent = await RawHttp2Server.listen(() => {});
    const good = await RawHttp2Server.listen((peer) => {
      peer.send(hello());
      return serve(peer);
    });
    const pool = new TestPool([silent.port, good.port], { protocol: 'http2', connectTimeoutMs: 100 });
    t.teardown(async () => {
      pool.close();
      await silent.close();
      await good.close();
    });
    const got = await new Exchange().get(pool).end();
    t.strictSame([got.failure, got.body], ['', 'answer 1']);
    t.equal(pool.counted.ejections, 1);
  },
);

t.test('a port that refuses fails as connect, once for all that waited', async (t) => {
  const pool = new TestPool([await refusedPort()], { protocol: 'http2' });
  const all = [1, 2, 3].map(() => new Exchange().get(pool));
  for (const exchange of all) t.strictSame([(await exchange.end()).failure, exchange.sent], ['connect', 0]);
  t.equal(pool.counted.opened, 1);
  pool.close();
});

t.test('an endpoint that allows no streams makes calls wait, for as long as the queue allows', async (t) => {
  const { pool } = await scene(t, (peer) => peer.send(hello([3, 0])), {
    connectionsMax: 2,
    queueTimeoutMs: 200,
  });
  const all = [1, 2, 3].map(() => new Exchange().get(pool));
  for (const exchange of all)
    t.strictSame([(await exchange.end()).failure, exchange.sent], ['overloaded', 0]);
  t.equal(pool.counted.opened, 2);
  t.equal(pool.counted.queueTimeouts, 3);
});

t.test('a window of 0 stops a body, which fails as unread', async (t) => {
  const { pool } = await scene(t, (peer) => peer.send(hello([4, 0])));
  const exchange = new Exchange().send(pool, {
    method: 'POST',
    framing: Framing.CHUNKED,
    totalMs: 0,
    idleMs: 200,
  });
  exchange.call.write(Buffer.from('some'), false);
  t.equal((await exchange.end()).failure, 'unread');
});

t.test('frames of a body that leave in between keep a call from being unread', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello([4, 0]));
    await peer.until(/^HEADERS 1 /);
    for (let sent = 1; sent <= 6; sent++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      peer.send(frame(8, 0, 1, uint32(10)));
      await peer.untilAll(/^DATA 1 10/, sent);
    }
    peer.send(peer.headers(1, ok));
  });
  const exchange = new Exchange().send(pool, {
    method: 'POST',
    framing: Framing.LENGTH,
    contentLength: 60,
    totalMs: 0,
    idleMs: 400,
  });
  exchange.call.write(Buffer.alloc(60), true);
  t.strictSame([(await exchange.end()).failure, exchange.call.figures.status], ['', 200]);
});

t.test('a flood of empty frames ends the connection, and is counted', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^HEADERS 1 /);
    const ping = frame(6, 0, 0, Buffer.alloc(8));
    for (let i = 0; i < 3; i++) peer.send(...new Array<Buffer>(2000).fill(ping));
    await peer.until(/^GOAWAY 0 ENHANCE_YOUR_CALM$/);
  });
  t.equal((await new Exchange().get(pool).end()).failure, 'protocol');
  t.strictSame(pool.counted.guards, ['frames']);
});

/** A pool whose clock is moved by the test. */
async function timed(t: Test, script: RawScript2, changes: Partial<VersionPlan> = {}) {
  let offsetUs = 0;
  const server = await RawHttp2Server.listen(script);
  const pool = new TestPool(
    [server.port],
    { protocol: 'http2', ...changes },
    undefined,
    () => nowUs() + offsetUs,
  );
  t.teardown(async () => {
    pool.close();
    await server.close();
    if (server.errors.length > 0) throw server.errors[0];
  });
  const pass = (ms: number) => {
    offsetUs += ms * 1e3;
    pool.resources.deadlines.advance();
  };
  return { server, pool, pass };
}

t.test('a quiet endpoint that owes a response gets a PING, and is lost without an answer', async (t) => {
  const { pool, pass, server } = await timed(t, async (peer, index) => {
    peer.send(hello());
    if (index > 0) return serve(peer);
    await peer.until(/^HEADERS 1 /);
    peer.send(peer.headers(1, ok));
  });
  await new Exchange().get(pool).end();
  const stuck = new Exchange().send(pool, { totalMs: 0 });
  const write = new Exchange().send(pool, { totalMs: 0, method: 'POST' });
  const peer = server.peers[0]!;
  await peer.until(/^HEADERS 5 /);
  t.notOk(peer.frames.includes('PING 0'));
  pass(limits.upstreamQuietMs + 100);
  await peer.until(/^PING 0$/);
  pass(limits.upstreamPongMs + 100);
  t.equal((await stuck.end()).body, 'answer 1', 'a GET is sent again');
  t.equal((await write.end()).failure, 'timeout');
  t.equal(write.call.figures.error.cause, 27);
});

t.test('an answered PING keeps a quiet connection, and the next one comes much later', async (t) => {
  const { pool, pass, server } = await timed(t, async (peer) => {
    peer.send(hello());
    for (let count = 1; ; count++) {
      await peer.untilAll(/^PING 0$/, count);
      peer.send(frame(6, 1, 0, Buffer.from('umbra h2')));
    }
  });
  const exchange = new Exchange().send(pool, { totalMs: 0 });
  await exchange.until('sent');
  const peer = server.peers[0]!;
  await peer.until(/^HEADERS 1 /);
  pass(limits.upstreamQuietMs + 100);
  await peer.until(/^PING 0$/);
  const before = pool.endpoints[0]!.shared[0]!.readUs;
  while (pool.endpoints[0]!.shared[0]!.readUs === before) await new Promise(setImmediate);
  for (let i = 0; i < 10; i++) pass(limits.upstreamQuietMs);
  t.equal(peer.frames.filter((line) => line === 'PING 0').length, 1);
  pass(limits.upstreamQuietAgainMs);
  await peer.untilAll(/^PING 0$/, 2);
  t.notOk(exchange.over);
  exchange.call.cancel();
  await peer.until(/^RST_STREAM 1 CANCEL$/);
});

t.test('after a call that timed out, new ones avoid the connection until it answers a PING', async (t) => {
  const { pool, server } = await scene(t, async (peer, index) => {
    peer.send(hello());
    if (index > 0) return serve(peer);
    await peer.until(/^PING 0$/);
  });
  t.equal((await new Exchange().send(pool, { totalMs: 200 }).end()).failure, 'timeout');
  t.equal((await new Exchange().get(pool).end()).body, 'answer 1');
  t.equal(server.peers.length, 2);
  const [first] = server.peers;
  first!.send(frame(6, 1, 0, Buffer.from('umbra h2')));
  const connection = pool.endpoints[0]!.shared[0]!;
  while (connection.room === 0) await new Promise(setImmediate);
  const back = new Exchange().get(pool);
  await first!.until(/^HEADERS 3 /);
  first!.send(first!.headers(3, ok));
  t.equal((await back.end()).call.figures.status, 200);
});

t.test('SETTINGS that are not acknowledged cost the connection', async (t) => {
  const { pool, pass, server } = await timed(t, async (peer) => {
    peer.send(frame(4, 0, 0));
    await peer.until(/^HEADERS 1 /);
  });
  const exchange = new Exchange().send(pool, { totalMs: 0, method: 'POST' });
  while ((server.peers[0]?.frames.filter((line) => line.startsWith('HEADERS')) ?? []).length === 0)
    await new Promise(setImmediate);
  pass(limits.upstreamSettingsMs + 100);
  t.equal((await exchange.end()).failure, 'timeout');
});

t.test('an endpoint whose address is gone finishes its streams and gets no new ones', async (t) => {
  const { pool, server } = await scene(t, async (peer) => {
    peer.send(hello());
    await peer.until(/^HEADERS 1 /);
  });
  const last = new Exchange().get(pool);
  while ((server.peers[0]?.frames ?? []).every((line) => !line.startsWith('HEADERS')))
    await new Promise(setImmediate);
  pool.follow([]);
  const [peer] = server.peers;
  peer!.send(peer!.headers(1, ok));
  t.equal((await last.end()).call.figures.status, 200);
  await peer!.until(/^GOAWAY 0 NO_ERROR$/);
  await peer!.ended();
});

t.test('health checks go over HTTP/2, on a connection of their own', async (t) => {
  const server = await RawHttp2Server.listen((peer) => {
    peer.send(hello());
    return serve(peer);
  });
  const changes: string[] = [];
  let changed: () => void = () => {};
  const prober = new Prober(nowUs, () => 0, {
    onChange: (_version, _target, isHealthy, why) => {
      changes.push(`${isHealthy} ${why}`);
      changed();
    },
  });
  t.teardown(async () => {
    prober.stop();
    await server.close();
  });
  const health = {
    path: '/healthz',
    grpc: null,
    host: null,
    intervalMs: 100,
    timeoutMs: 1000,
    healthyThreshold: 1,
    unhealthyThreshold: 1,
    statuses: [[204, 204]] as const,
  };
  const plan = { ...planFor([server.port], { protocol: 'http2', health }) };
  const target = {
    endpoint: endpointOn(server.port),
    address: endpointOn(server.port).address,
    health: new SharedArrayBuffer(64),
  };
  const failed = new Promise<void>((resolve) => {
    changed = resolve;
  });
  prober.follow([plan], new Map([['v1', [target]]]));
  await failed;
  t.strictSame(changes, ['false status 200']);
  t.match(
    server.peers[0]!.frames.join('\n'),
    /:method=GET .*:path=\/healthz .*user-agent=umbra-health-check/,
  );
  while (server.peers.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await server.peers[0]!.until(/^GOAWAY/);
});
