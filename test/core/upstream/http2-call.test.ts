/** Calls over HTTP/2 to the server of Node: what a version sees, and what comes back. */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Cause } from '../../../core/endpoint-cause.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import type { UpstreamProtocol, VersionPlan } from '../../../core/plan.js';
import { serverKey, serverPem } from '../../support/authority.js';
import t, { type Test } from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** A server of Node whose sessions are counted. */
class NodeServer {
  sessions = 0;
  open = 0;
  readonly #server: Http2Server;

  private constructor(server: Http2Server, onStream: OnStream) {
    this.#server = server;
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      onStream(stream, headers);
    });
    server.on('session', (session) => {
      this.sessions++;
      this.open++;
      session.on('error', () => {});
      session.on('close', () => this.open--);
      server.once('closing', () => session.destroy());
    });
  }

  static async listen(t: Test, onStream: OnStream, options: ServerOptions = {}): Promise<NodeServer> {
    return NodeServer.#open(t, createServer(options), onStream);
  }

  static async listenSecurely(t: Test, onStream: OnStream): Promise<NodeServer> {
    const server = createSecureServer({ cert: serverPem, key: serverKey });
    return NodeServer.#open(t, server as unknown as Http2Server, onStream);
  }

  static async #open(t: Test, server: Http2Server, onStream: OnStream): Promise<NodeServer> {
    const node = new NodeServer(server, onStream);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => {
      server.emit('closing');
      server.close();
    });
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
}

/** A server that speaks HTTP/1.1 alone, over TLS. */
async function listenHttp1(t: Test): Promise<number> {
  const server = createHttpsServer({ cert: serverPem, key: serverKey }, (request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => response.end(`${request.method} ${body} over ${request.httpVersion}`));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function poolTo(t: Test, port: number, changes: Partial<VersionPlan> = {}): TestPool {
  const pool = new TestPool([port], { protocol: 'http2', ...changes });
  t.teardown(() => pool.close());
  return pool;
}

function securePoolTo(
  t: Test,
  port: number,
  protocol: UpstreamProtocol,
  changes: Partial<VersionPlan> = {},
): TestPool {
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
  const tls = { ca: null, cert: null, key: null, serverName: null, verify: false };
  return poolTo(t, port, {
    protocol,
    endpoints: [{ address, authority: `127.0.0.1:${port}`, secure: true, weight: 1 }],
    tls,
    ...changes,
  });
}

/** Answers with what it was asked, once the request is whole. */
const tell: OnStream = (stream, headers) => {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('trailers', (trailers) => {
    headers['x-trailer'] = trailers['x-sum'] as string;
  });
  stream.on('end', () => {
    const told = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
    stream.respond({ ':status': 200 });
    stream.end(`${told.join(' ')} body=${Buffer.concat(pieces)}`);
  });
};

t.test('requests without and with bodies arrive as HTTP/2, and share one connection', async (t) => {
  const server = await NodeServer.listen(t, tell);
  const pool = poolTo(t, server.port);
  const got = await new Exchange()
    .send(pool, { target: '/a?b', fields: 'X-One: 1\r\nTE: trailers\r\nConnection: TE\r\n' })
    .end();
  t.equal(
    got.body,
    ':method=GET :path=/a?b :scheme=http :authority=origin x-one=1 te=trailers body='.replace(
      ':method=GET :path=/a?b :scheme=http',
      ':method=GET :scheme=http :path=/a?b',
    ),
  );
  t.strictSame(got.events, ['sent', 'head', 'body', 'end']);
  const posted = await new Exchange().post(pool, Framing.LENGTH, 5, ['he', 'llo']).end();
  t.match(posted.body, /content-length=5 body=hello$/);
  const chunked = await new Exchange().post(pool, Framing.CHUNKED, 0, ['', 'hello', '']).end();
  t.match(chunked.body, /:authority=origin body=hello$/);
  t.equal(server.sessions, 1);
  t.notOk(got.call.figures.reused);
  t.ok(chunked.call.figures.reused);
  t.equal(chunked.call.figures.requestBytes, 5);
  t.equal(chunked.call.figures.responseBytes, chunked.body.length);
  t.ok(
    chunked.call.figures.sentUs <= chunked.call.figures.firstByteUs &&
      chunked.call.figures.firstByteUs <= chunked.call.figures.endUs,
  );
  t.equal(pool.counted.http2, 1);
  t.equal(pool.counted.idle, 1);
});

t.test('trailers go both ways, interim responses come first, a 100 only if it was asked for', async (t) => {
  const server = await NodeServer.listen(t, (stream, headers) => {
    stream.additionalHeaders({ ':status': 103, link: '<a>' });
    if (headers.expect !== undefined) stream.additionalHeaders({ ':status': 100 });
    stream.on('trailers', (trailers) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-of': trailers['x-sum'] }));
      stream.end('done');
    });
    stream.resume();
  });
  const pool = poolTo(t, server.port);
  const exchange = new Exchange().send(pool, { method: 'POST', framing: Framing.CHUNKED });
  exchange.call.write(Buffer.from('x'), false);
  exchange.call.trailers('X-Sum: 7\r\n');
  exchange.call.write(Buffer.alloc(0), true);
  await exchange.end();
  t.equal(exchange.interims.length, 1);
  t.match(exchange.interims[0], /103 Early Hints/);
  t.equal(exchange.body, 'done');
  t.equal(exchange.trailers, 'grpc-status: 0\r\nx-of: 7\r\n');
});

t.test('HEAD, 204 and 304 have no body', async (t) => {
  const server = await NodeServer.listen(t, (stream, headers) => {
    const status = Number(String(headers[':path']).slice(1));
    stream.respond({ ':status': status, 'content-length': status === 200 ? 12 : undefined });
    stream.end();
  });
  const pool = poolTo(t, server.port);
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    const got = await new Exchange().send(pool, { method, target: `/${status}` }).end();
    t.strictSame([got.failure, got.call.figures.status, got.body], ['', status, ''], `${method} ${status}`);
  }
});

t.test('a connection is filled before another is opened, and the rest waits in the queue', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const server = await NodeServer.listen(t, (stream) => held.push(stream), {
    settings: { maxConcurrentStreams: 2 },
  });
  const pool = poolTo(t, server.port, { connectionsMax: 2 });
  const all = Array.from({ length: 6 }, () => new Exchange().get(pool));
  while (held.length < 4) await new Promise(setImmediate);
  t.equal(server.sessions, 2);
  t.equal(pool.waiting, 2);
  t.equal(pool.endpoints[0]!.pending, 4);
  const answer = (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  };
  for (let next = 0; next < 6; next++) {
    while (held.length <= next) await new Promise(setImmediate);
    answer(held[next]!);
  }
  for (const exchange of all) t.equal((await exchange.end()).call.figures.status, 200);
  t.equal(server.sessions, 2);
  t.equal(pool.endpoints[0]!.pending, 0);
  t.equal(pool.idle, 2);
});

t.test('`streams.max` bounds what one connection gets', async (t) => {
  const server = await NodeServer.listen(t, tell);
  const pool = poolTo(t, server.port, { streamsMax: 1, connectionsMax: 3 });
  const all = Array.from({ length: 7 }, () => new Exchange().get(pool));
  for (const exchange of all) t.equal((await exchange.end()).call.figures.status, 200);
  t.equal(server.sessions, 3);
});

t.test('a large body waits for windows, and the sender hears when there is room', async (t) => {
  let taken = 0;
  let flow: (() => void) | null = null;
  const server = await NodeServer.listen(t, (stream) => {
    flow = () =>
      stream.on('data', (piece: Buffer) => {
        taken += piece.length;
      });
    stream.on('end', () => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
  });
  const pool = poolTo(t, server.port);
  const piece = Buffer.alloc(64 * 1024, 'x');
  const count = 64;
  const exchange = new Exchange().send(pool, { method: 'POST', framing: Framing.CHUNKED });
  let written = 0;
  const writeOn = () => {
    while (written < count) {
      written++;
      if (!exchange.call.write(piece, written === count)) return;
    }
  };
  exchange.hooks.set('drain', writeOn);
  writeOn();
  t.ok(written < count, `it stops after ${written} pieces`);
  await exchange.until('sent');
  while (flow === null) await new Promise(setImmediate);
  t.ok(exchange.call.heldBytes > 0);
  (flow as () => void)();
  await exchange.end();
  t.equal(exchange.failure, '');
  t.equal(taken, count * piece.length);
  t.ok(exchange.drains > 0);
  t.equal(exchange.call.heldBytes, 0);
});

t.test('a paused response stops at its window, and other streams continue', async (t) => {
  const server = await NodeServer.listen(t, (stream, headers) => {
    stream.respond({ ':status': 200 });
    stream.end(headers[':path'] === '/big' ? Buffer.alloc(2_000_000, 'x') : 'small');
  });
  const pool = poolTo(t, server.port);
  const big = new Exchange();
  big.hooks.set('head', () => big.call.pauseResponse());
  big.send(pool, { target: '/big' });
  await big.until('head');
  for (let i = 0; i < 20; i++) t.equal((await new Exchange().get(pool).end()).body, 'small');
  t.ok(big.body.length <= limits.http2StreamWindowBytes, `${big.body.length} bytes came`);
  t.notOk(big.over);
  big.call.resumeResponse();
  t.equal((await big.end()).body.length, 2_000_000);
  t.equal(server.sessions, 1);
});

t.test('a canceled call resets its stream and leaves the connection to others', async (t) => {
  const codes: number[] = [];
  const server = await NodeServer.listen(t, (stream, headers) => {
    stream.on('close', () => codes.push(stream.rstCode));
    if (headers[':path'] === '/hang') return;
    stream.respond({ ':status': 200 });
    stream.end();
  });
  const pool = poolTo(t, server.port);
  const hanging = new Exchange().send(pool, { target: '/hang' });
  await new Exchange().get(pool).end();
  hanging.call.cancel();
  t.equal((await new Exchange().get(pool).end()).call.figures.status, 200);
  t.ok(codes.includes(8), 'CANCEL');
  t.equal(server.sessions, 1);
  t.notOk(hanging.over);
});

t.test('an answer before the request is whole ends the call, and the stream is reset', async (t) => {
  let code = -1;
  const server = await NodeServer.listen(t, (stream) => {
    stream.respond({ ':status': 413 });
    stream.end('too much');
    stream.on('close', () => {
      code = stream.rstCode;
    });
  });
  const pool = poolTo(t, server.port);
  const exchange = new Exchange().send(pool, { method: 'POST', framing: Framing.CHUNKED });
  exchange.call.write(Buffer.from('some'), false);
  await exchange.end();
  t.equal(exchange.call.figures.status, 413);
  t.equal(exchange.body, 'too much');
  while (code < 0) await new Promise(setImmediate);
  t.equal(code, 0);
  t.ok(exchange.call.write(Buffer.from('more'), true), 'what follows is ignored');
});

t.test('a body that does not have its length fails, and its stream is canceled', async (t) => {
  const server = await NodeServer.listen(t, () => {});
  const pool = poolTo(t, server.port);
  const short = await new Exchange().post(pool, Framing.LENGTH, 5, ['abc']).end();
  t.equal(short.failure, 'malformed-body');
  const long = await new Exchange().post(pool, Framing.LENGTH, 2, ['abc', '']).end();
  t.equal(long.failure, 'malformed-body');
});

t.test('times of a call end its stream alone, and the endpoint is blamed', async (t) => {
  const server = await NodeServer.listen(t, (stream, headers) => {
    if (headers[':path'] === '/hang') return;
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/stop') stream.write('some');
    else stream.end();
  });
  const pool = poolTo(t, server.port);
  const late = new Exchange().send(pool, { target: '/hang', totalMs: 0, requestMs: 300 });
  const stops = new Exchange().send(pool, { target: '/stop', totalMs: 0, idleMs: 300 });
  const first = new Exchange().send(pool, { target: '/hang', totalMs: 0, firstByteMs: 300 });
  for (const exchange of [late, stops, first]) t.equal((await exchange.end()).failure, 'timeout');
  t.ok(stops.call.figures.headSeen);
  t.equal((await new Exchange().get(pool).end()).call.figures.status, 200);
  t.equal(server.sessions, 1);
});

t.test('a body that nobody takes fails as unread', async (t) => {
  const server = await NodeServer.listen(t, () => {});
  const pool = poolTo(t, server.port);
  const exchange = new Exchange().send(pool, {
    method: 'POST',
    framing: Framing.CHUNKED,
    totalMs: 0,
    idleMs: 100,
  });
  exchange.call.write(Buffer.alloc(200_000), false);
  t.equal((await exchange.end()).failure, 'unread');
});

t.test('over TLS, `http2` and `auto` ask for HTTP/2 by ALPN', async (t) => {
  const server = await NodeServer.listenSecurely(t, tell);
  for (const protocol of ['http2', 'auto'] as const) {
    const pool = securePoolTo(t, server.port, protocol);
    const got = await new Exchange().post(pool, Framing.LENGTH, 3, ['abc']).end();
    t.match(got.body, /:scheme=https .*body=abc$/, protocol);
    t.equal(pool.counted.handshakes, 1);
  }
});

t.test('`auto` falls back to HTTP/1.1, with the body that has come meanwhile', async (t) => {
  const pool = securePoolTo(t, await listenHttp1(t), 'auto');
  const get = new Exchange().get(pool);
  const post = new Exchange().post(pool, Framing.CHUNKED, 0, ['abc', 'def']);
  const late = new Exchange().send(pool, { method: 'POST', framing: Framing.CHUNKED });
  late.call.write(Buffer.from('x'), false);
  t.equal((await get.end()).body, 'GET  over 1.1');
  t.equal((await post.end()).body, 'POST abcdef over 1.1');
  late.call.write(Buffer.from('y'), true);
  t.equal((await late.end()).body, 'POST xy over 1.1');
  t.equal(late.call.figures.requestBytes, 2);
  t.strictSame([get.sent, post.sent, late.sent], [1, 1, 1]);
  const { opened } = pool.counted;
  await new Exchange().get(pool).end();
  t.equal(pool.counted.opened, opened, 'it is remembered');
  t.equal(pool.counted.http2, 0);
});

t.test('`http2` does not take HTTP/1.1 for it, and says tls', async (t) => {
  const pool = securePoolTo(t, await listenHttp1(t), 'http2');
  t.equal((await new Exchange().get(pool).end()).failure, 'tls');
});

t.test('an endpoint that ends the handshake for HTTP/2 and sends no SETTINGS fails as connect', async (t) => {
  const sockets: TLSSocket[] = [];
  const server = createTlsServer({ cert: serverPem, key: serverKey, ALPNProtocols: ['h2'] }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  for (const protocol of ['http2', 'auto'] as const) {
    const pool = securePoolTo(t, port, protocol, { connectTimeoutMs: 300 });
    const got = await new Exchange().get(pool).end();
    t.strictSame([got.failure, got.sent], ['connect', 0], protocol);
    t.equal(pool.endpoints[0]!.lastError.cause, Cause.CONNECT_TIMEOUT);
  }
  t.equal(sockets.length, 2, 'each has ended its handshake');
});

t.test('`auto` speaks HTTP/1.1 with a plain endpoint', async (t) => {
  const server = await NodeServer.listen(t, tell);
  const pool = poolTo(t, server.port, { protocol: 'auto' });
  t.equal((await new Exchange().get(pool).end()).failure, 'protocol');
  t.equal(pool.counted.http2, 0);
});

t.test('idle connections expire with a GOAWAY, and a closed pool keeps none', async (t) => {
  const server = await NodeServer.listen(t, tell);
  const pool = poolTo(t, server.port, { idleMs: 300 });
  await new Exchange().get(pool).end();
  while (server.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.strictSame([pool.open, pool.idle, pool.counted.http2, pool.counted.idle], [0, 0, 0, 0]);
  const closed = poolTo(t, server.port);
  const last = new Exchange().get(closed);
  closed.close();
  t.equal((await last.end()).call.figures.status, 200);
  while (server.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  t.equal(closed.open, 0);
  t.equal(closed.counted.opened, closed.counted.closed);
});
