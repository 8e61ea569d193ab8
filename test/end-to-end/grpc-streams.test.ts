// Runs over one engine: asks for the node engine, which alone has HTTP/2.
/** Streams of gRPC: both ways at once, copied message by message, and untouched by what a shadow does. */
import { once } from 'node:events';
import { createServer as createHttp1Server } from 'node:http';
import {
  type ClientHttp2Stream,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { framedMessage, MessageCounter } from '../../core/grpc/message-counter.js';
import { callGrpc } from '../support/grpc-origin.js';
import { http2Session } from '../support/http2-client.js';
import { lawHolds, mirrorTo, pairsTo } from '../support/law.js';
import t, { type Test } from '../support/tap.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

// A busy machine takes seconds to start each umbra.
t.setTimeout(120_000);

interface StreamServer {
  readonly port: number;
  /** The messages of all streams. */
  readonly counter: MessageCounter;
  readonly streams: ServerHttp2Stream[];
}

async function streamServer(t: Test, onStream: (stream: ServerHttp2Stream) => void): Promise<StreamServer> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  const counter = new MessageCounter();
  const streams: ServerHttp2Stream[] = [];
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    streams.push(stream);
    onStream(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, counter, streams };
}

/** Sends each piece back as it comes. */
function echo(counter: () => MessageCounter): (stream: ServerHttp2Stream) => void {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (piece: Buffer) => {
      counter().take(piece);
      if (!stream.write(piece)) {
        stream.pause();
        stream.once('drain', () => stream.resume());
      }
    });
    stream.on('end', () => stream.end());
  };
}

async function serve(
  t: Test,
  v1: number,
  v2: number,
  mirror: object = {},
  primary: object = {},
  listen: object = {},
) {
  const umbra = await UmbraProcess.start(
    reviews(v1, v2, {
      mirror: { compare: { sample: '100%' }, ...mirror },
      v1: { protocol: 'http2', ...primary },
      v2: { protocol: 'http2' },
      umbra: {
        threads: { proxy: 1, shadow: 1 },
        listen: [{ address: '127.0.0.1:0', engine: 'node', protocols: 'h2', ...listen }],
      },
    }),
  );
  const session = http2Session(umbra.url);
  t.teardown(async () => {
    session.destroy();
    await umbra.stop();
  });
  const open = (): ClientHttp2Stream =>
    session.request(
      {
        ':method': 'POST',
        ':path': '/chat.Chat/Talk',
        'content-type': 'application/grpc',
        te: 'trailers',
      },
      { endStream: false },
    );
  return { umbra, session, open };
}

t.test('a stream flows both ways at once, and its copy follows message by message', async (t) => {
  const v1: StreamServer = await streamServer(
    t,
    echo(() => v1.counter),
  );
  const v2: StreamServer = await streamServer(
    t,
    echo(() => v2.counter),
  );
  const { umbra, open } = await serve(t, v1.port, v2.port);
  const stream = open();
  const received = new MessageCounter();
  stream.on('data', (piece: Buffer) => received.take(piece));
  for (let n = 1; n <= 20; n++) {
    stream.write(framedMessage(Buffer.from(`message ${n}`)));
    await until(() => received.messages === n, `the client has message ${n}`);
    await until(() => v2.counter.messages === n, `the shadow has message ${n} before the next is sent`);
  }
  stream.end();
  const [trailers] = (await once(stream, 'trailers')) as [IncomingHttpHeaders];
  t.equal(trailers['grpc-status'], '0');
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').completed, 1);
  t.equal((await pairsTo(umbra, 'v2', 1)).equal, 1);
  const metrics = await umbra.metrics();
  for (const labels of ['version="v1",role="primary"', 'version="v2",role="shadow"']) {
    t.ok(metrics.includes(`umbra_grpc_messages_sent_total{${labels}} 20`));
    t.ok(metrics.includes(`umbra_grpc_messages_received_total{${labels}} 20`));
  }
});

t.test('a shadow that reads nothing of a stream holds no client back', async (t) => {
  const v1: StreamServer = await streamServer(
    t,
    echo(() => v1.counter),
  );
  // The window of each stream fills, and stays full.
  const v2 = await streamServer(t, (stream) => stream.pause());
  const { umbra, open } = await serve(t, v1.port, v2.port, {
    memory: '1MiB',
    body: { max: '64MiB' },
    timeouts: { total: '20s' },
  });
  const stream = open();
  const received = new MessageCounter();
  let bytes = 0;
  stream.on('data', (piece: Buffer) => {
    bytes += piece.length;
    received.take(piece);
  });
  const message = framedMessage(Buffer.alloc(32 * 1024, 'x'));
  const count = 256;
  for (let n = 0; n < count; n++) {
    if (!stream.write(message)) await once(stream, 'drain');
  }
  stream.end();
  const [trailers] = (await once(stream, 'trailers')) as [IncomingHttpHeaders];
  t.equal(trailers['grpc-status'], '0');
  t.equal(received.messages, count);
  t.equal(bytes, count * message.length);
  const stats = await lawHolds(t, umbra);
  t.match(mirrorTo(stats, 'v2').failed, { memory: 1 });
});

t.test('a client that leaves ends its stream at the primary, and its copy', async (t) => {
  const v1: StreamServer = await streamServer(
    t,
    echo(() => v1.counter),
  );
  const v2: StreamServer = await streamServer(
    t,
    echo(() => v2.counter),
  );
  const { umbra, session, open } = await serve(t, v1.port, v2.port);
  const stream = open();
  stream.on('error', () => {});
  const received = new MessageCounter();
  stream.on('data', (piece: Buffer) => received.take(piece));
  stream.write(framedMessage(Buffer.from('one')));
  await until(() => received.messages === 1 && v2.counter.messages === 1, 'both have the message');
  // `close` of a stream of Node would end its request first.
  session.destroy();
  await until(() => [v1, v2].every(({ streams }) => streams[0]!.closed), 'both streams are reset');
  t.strictSame(
    [v1, v2].map(({ streams }) => streams[0]!.rstCode),
    [8, 8],
  );
  const stats = await lawHolds(t, umbra);
  t.match(stats.versions.v1!.primary!.failures, { aborted: 1 });
  t.match(mirrorTo(stats, 'v2').failed, { aborted: 1 });
});

t.test('a server that ends a stream before its client does', async (t) => {
  const early = (stream: ServerHttp2Stream) => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '8' },
      { endStream: true },
    );
    stream.resume();
  };
  const [v1, v2] = [await streamServer(t, early), await streamServer(t, early)];
  const { umbra, open } = await serve(t, v1.port, v2.port);
  const stream = open();
  stream.on('error', () => {});
  stream.write(framedMessage(Buffer.from('one')));
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  t.equal(head['grpc-status'], '8');
  stream.resume();
  stream.end();
  const stats = await lawHolds(t, umbra);
  t.match(stats.versions.v1!.primary!.responses, { '4xx': 1 });
});

t.test('quiet streams stay open beside new calls, though they have most places of the version', async (t) => {
  const v1: StreamServer = await streamServer(
    t,
    echo(() => v1.counter),
  );
  const v2: StreamServer = await streamServer(
    t,
    echo(() => v2.counter),
  );
  const limited = { connections: { max: 2 }, streams: { max: 8 } };
  const { umbra, session, open } = await serve(t, v1.port, v2.port, {}, limited);
  const streams = Array.from({ length: 15 }, open);
  const received = streams.map((stream) => {
    const counter = new MessageCounter();
    stream.on('data', (piece: Buffer) => counter.take(piece));
    stream.write(framedMessage(Buffer.from('hello')));
    return counter;
  });
  await until(() => received.every(({ messages }) => messages === 1), 'each stream has its message back');
  for (let n = 0; n < 20; n++) {
    const answered = await callGrpc(session, '/chat.Chat/Say', Buffer.alloc(n * 2000, 'x'));
    t.match(answered, { status: 0, messages: { length: 1 } });
  }
  for (const stream of streams) stream.write(framedMessage(Buffer.from('still here')));
  await until(() => received.every(({ messages }) => messages === 2), 'and the second one');
  const ends = streams.map((stream) => once(stream, 'trailers'));
  for (const stream of streams) stream.end();
  for (const end of ends) t.equal(((await end) as [IncomingHttpHeaders])[0]['grpc-status'], '0');
  const stats = await lawHolds(t, umbra);
  t.match(mirrorTo(stats, 'v2'), { completed: 35 });
  const metrics = await umbra.metrics();
  t.match(metrics, /^umbra_upstream_slow_uploads_total\{version="v1",role="primary"\} 0$/m);
});

t.test(
  'a stream to a version of HTTP/1.1 flows both ways as chunks, on a connection of its own',
  async (t) => {
    const server = createHttp1Server((request, response) => {
      response.writeHead(200, { 'content-type': 'application/grpc', trailer: 'grpc-status' });
      response.flushHeaders();
      request.on('data', (piece: Buffer) => response.write(piece));
      request.on('end', () => {
        response.addTrailers({ 'grpc-status': '0' });
        response.end();
      });
    });
    let connections = 0;
    server.on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    const v2: StreamServer = await streamServer(
      t,
      echo(() => v2.counter),
    );
    const { umbra, open } = await serve(
      t,
      (server.address() as AddressInfo).port,
      v2.port,
      {},
      { protocol: 'http1' },
    );
    const streams = [open(), open(), open()];
    for (const stream of streams) {
      const received = new MessageCounter();
      stream.on('data', (piece: Buffer) => received.take(piece));
      for (let n = 1; n <= 3; n++) {
        stream.write(framedMessage(Buffer.from(`message ${n}`)));
        await until(() => received.messages === n, `the client has message ${n}`);
      }
    }
    t.equal(connections, 3);
    const ends = streams.map((stream) => once(stream, 'trailers'));
    for (const stream of streams) stream.end();
    for (const end of ends) t.equal(((await end) as [IncomingHttpHeaders])[0]['grpc-status'], '0');
    const stats = await lawHolds(t, umbra);
    t.equal(mirrorTo(stats, 'v2').completed, 3);
    t.equal((await pairsTo(umbra, 'v2', 3)).equal, 3);
  },
);

t.test('a stream lasts while either side speaks, and ends when both are silent for too long', async (t) => {
  const speak = (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.resume();
  };
  const [v1, v2] = [await streamServer(t, speak), await streamServer(t, speak)];
  const { umbra, open } = await serve(t, v1.port, v2.port, {}, {}, { body: { timeout: '1s' } });
  const stream = open();
  stream.on('error', () => {});
  const received = new MessageCounter();
  stream.on('data', (piece: Buffer) => received.take(piece));
  stream.write(framedMessage(Buffer.from('listen')));
  await once(stream, 'response');
  const closed = new Promise((resolve) => stream.once('close', resolve));
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  const messages = 8;
  for (let n = 1; n <= messages; n++) {
    v1.streams[0]!.write(framedMessage(Buffer.from('news')));
    await until(() => received.messages === n, `the client has message ${n}`);
    // The time that is tested.
    await setTimeout(300);
  }
  t.equal(stream.closed, false, 'silent for more than a second, as it was spoken to');
  await closed;
  t.match(trailers, { 'grpc-status': '4', 'grpc-message': 'the request did not arrive in time' });
  t.equal(received.messages, messages);
  const stats = await lawHolds(t, umbra);
  t.match(stats.versions.v1!.primary!.failures, { 'slow-client': 1 });
  t.match(await umbra.metrics(), /^umbra_downstream_body_timeouts_total(?:\{[^}]*\})? 1$/m);
});
