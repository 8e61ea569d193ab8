/** Open streams of gRPC are no slow uploads: a stream of HTTP/2 is not a connection, and may be quiet. */
import { createSecureServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { GrpcCall } from '../../../core/grpc/grpc-call.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import type { VersionPlan } from '../../../core/plan.js';
import { serverKey, serverPem } from '../../support/authority.js';
import { listenStreams } from '../../support/http2-server.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

/** Sends back each piece when it comes. */
function echoServer(t: Test, isSecure = false): Promise<number> {
  const secure = { cert: serverPem, key: serverKey };
  const echo = (stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.pipe(stream);
  };
  return listenStreams(
    t,
    echo,
    isSecure ? (createSecureServer(secure) as unknown as Http2Server) : undefined,
  );
}

function poolOf(t: Test, port: number, changes: Partial<VersionPlan>) {
  const clock = { nowUs: 1e9 };
  const pool = new TestPool([port], changes, undefined, () => clock.nowUs);
  t.teardown(() => pool.close());
  const pass = (ms: number): void => {
    clock.nowUs += ms * 1e3;
    pool.resources.deadlines.advance();
  };
  return { pool, pass };
}

const secureTo = (port: number): Partial<VersionPlan> => ({
  protocol: 'auto',
  endpoints: [
    {
      address: { kind: 'tcp', host: '127.0.0.1', port },
      authority: `127.0.0.1:${port}`,
      secure: true,
      weight: 1,
    },
  ],
  tls: { ca: null, cert: null, key: null, serverName: null, verify: false },
});

/** A request of which `piece` has come, and more may come later. */
function begin(pool: TestPool, piece: string | Buffer, grpc = true): Exchange {
  const exchange = new Exchange();
  const call = grpc ? { grpc: new GrpcCall() } : {};
  exchange.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 0, ...call });
  exchange.call.write(Buffer.from(piece), false);
  return exchange;
}

/** A call whose request is complete at once. */
async function unary(pool: TestPool, body: string): Promise<Exchange> {
  const exchange = new Exchange();
  exchange.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 0, grpc: new GrpcCall() });
  exchange.call.write(Buffer.from(body), true);
  return exchange.end();
}

t.test('quiet streams of gRPC may take every place but that of the next call', async (t) => {
  const port = await echoServer(t);
  const { pool, pass } = poolOf(t, port, { protocol: 'http2', connectionsMax: 2, streamsMax: 4 });
  const streams = Array.from({ length: 7 }, (_, n) => begin(pool, `hello ${n}`));
  for (const stream of streams) await stream.until('body');
  pass(limits.slowUploadGraceMs + 32);
  for (let n = 0; n < 10; n++) t.equal((await unary(pool, `call ${n}`)).body, `call ${n}`);
  // A large message in pieces, for which slow uploads would be ended.
  const large = begin(pool, Buffer.alloc(limits.replayBytes + 1, 'x'));
  pass(limits.slowUploadSweepMs + 32);
  await large.until('body');
  t.match(pool.counted, { waitingUploads: 0, slowUploads: 0, queueFull: 0 });
  for (const [n, stream] of streams.entries()) {
    stream.call.write(Buffer.from(' and bye'), true);
    t.equal((await stream.end()).body, `hello ${n} and bye`);
    t.equal(stream.failure, '');
  }
  large.call.cancel();
});

t.test('streams past streams.max and connections.max wait for a place like any request', async (t) => {
  const port = await echoServer(t);
  const { pool, pass } = poolOf(t, port, { protocol: 'http2', connectionsMax: 1, streamsMax: 4 });
  const streams = Array.from({ length: 4 }, (_, n) => begin(pool, `hello ${n}`));
  for (const stream of streams) await stream.until('body');
  const patient = begin(pool, 'patient');
  t.match(pool.counted, { waiting: 1, waitingUploads: 0 });
  streams[0]!.call.cancel();
  await patient.until('body');
  const late = begin(pool, 'late');
  pass(pool.plan.queueTimeoutMs + 32);
  t.equal((await late.end()).failure, 'overloaded');
  t.match(pool.counted, { queueTimeouts: 1, slowUploads: 0 });
  for (const stream of [...streams, patient]) stream.call.cancel();
});

t.test('where ALPN selects HTTP/2, places are streams too, also for other uploads', async (t) => {
  const port = await echoServer(t, true);
  const { pool } = poolOf(t, port, { ...secureTo(port), connectionsMax: 2, streamsMax: 4 });
  const streams = Array.from({ length: 5 }, (_, n) => begin(pool, `hello ${n}`, n % 2 === 0));
  for (const stream of streams) await stream.until('body');
  t.match(pool.counted, { http2: 2, waitingUploads: 0 });
  for (const stream of streams) stream.call.cancel();
});

t.test('other uploads over HTTP/2 keep to their share', async (t) => {
  const port = await echoServer(t);
  const { pool, pass } = poolOf(t, port, { protocol: 'http2', connectionsMax: 1, streamsMax: 4 });
  const uploads = Array.from({ length: 3 }, () => begin(pool, 'x', false));
  for (const upload of uploads) await upload.until('body');
  const quick = begin(pool, Buffer.alloc(limits.replayBytes + 1, 'x'), false);
  t.match(pool.counted, { waitingUploads: 1 });
  pass(limits.slowUploadGraceMs + 32);
  t.equal((await uploads[0]!.end()).failure, 'slow-client');
  await quick.until('body');
  for (const upload of [...uploads, quick]) upload.call.cancel();
});

t.test('a stream of gRPC to HTTP/1.1 holds a connection, and is an upload there', async (t) => {
  const server = await RawServer.listen(async (peer: RawPeer) => {
    for (;;) {
      await peer.head();
      await peer.take('0\r\n\r\n');
      peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  });
  t.teardown(() => server.close());
  const { pool, pass } = poolOf(t, server.port, { connectionsMax: 4 });
  const streams = Array.from({ length: 3 }, () => begin(pool, 'x'));
  await Promise.all(streams.map((stream) => stream.until('sent')));
  t.equal((await unary(pool, 'whole')).body, 'ok');
  const fourth = begin(pool, Buffer.alloc(limits.replayBytes + 1, 'x'));
  pass(limits.slowUploadGraceMs + 32);
  t.equal((await streams[0]!.end()).failure, 'slow-client');
  await fourth.until('sent');
  for (const stream of [...streams, fourth]) stream.call.cancel();
});

/** Answers with a head at once, and with a body when the request is complete. */
async function earlyServer(t: Test, protocol: 'http1' | 'http2'): Promise<number> {
  if (protocol === 'http1') {
    const server = await RawServer.listen(async (peer: RawPeer) => {
      for (;;) {
        await peer.head();
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        await peer.take('0\r\n\r\n');
        peer.send('4\r\ndone\r\n0\r\n\r\n');
      }
    });
    t.teardown(() => server.close());
    return server.port;
  }
  return listenStreams(t, (stream) => {
    stream.respond({ ':status': 200 });
    stream.resume();
    stream.on('end', () => stream.end('done'));
  });
}

for (const protocol of ['http1', 'http2'] as const) {
  t.test(`a response that has begun is not idle while the client sends, over ${protocol}`, async (t) => {
    const { pool, pass } = poolOf(t, await earlyServer(t, protocol), { protocol });
    const exchange = new Exchange();
    const timed = { method: 'POST', framing: Framing.CHUNKED, idleMs: 1000, totalMs: 0 } as const;
    exchange.send(pool, timed);
    exchange.call.write(Buffer.from('first'), false);
    await exchange.until('head');
    for (let n = 0; n < 5; n++) {
      pass(700);
      t.equal(exchange.over, false);
      exchange.call.write(Buffer.from('next'), false);
    }
    exchange.call.write(Buffer.from('last'), true);
    t.equal((await exchange.end()).body, 'done');
    const silent = new Exchange().send(pool, timed);
    silent.call.write(Buffer.from('first'), false);
    await silent.until('head');
    pass(1100);
    t.equal((await silent.end()).failure, 'slow-client');
    pool.releaseIdle();
  });
}
