/** Our side is the client, the server is Node's. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Framing } from '../../../core/http/message.js';
import type { ClientSession } from '../../../core/http2/client-session.js';
import { Sent } from '../../../core/http2/sender.js';
import type { Stream } from '../../../core/http2/stream.js';
import t from '../../support/tap.js';
import { outgoing } from './session-side.js';
import { Collector, connectTo, type Received, type SocketOwner } from './socket-session.js';

const PIECE = 50_000;

function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', () => {});
  const [path, value] = headers[':path']!.split('?') as [string, string];
  switch (path) {
    case '/fields':
      stream.respond({ 'x-method': headers[':method']! });
      stream.end(JSON.stringify(headers));
      break;
    case '/echo':
      stream.respond({ 'content-type': 'x' }, { waitForTrailers: true });
      stream.on('trailers', (trailers) => {
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': trailers['x-size'] }));
      });
      stream.pipe(stream);
      break;
    case '/bytes':
      stream.respond({ 'content-length': value });
      if (headers[':method'] !== 'HEAD') stream.end(Buffer.alloc(Number(value), 'abc'));
      break;
    case '/interim':
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 204 }, { endStream: true });
      break;
    case '/head':
      stream.respond({ 'x-long': 'v'.repeat(Number(value)) }, { endStream: true });
      break;
    case '/reset':
      stream.close(Number(value));
      break;
    case '/early':
      stream.respond({ ':status': 413 }, { endStream: true });
      // Some releases send nothing of a response that is closed in the turn in which it was made.
      setImmediate(() => stream.close(0));
      break;
    default:
      stream.respond({ ':status': 404 }, { endStream: true });
  }
}

interface Peer {
  readonly owner: SocketOwner;
  readonly session: ClientSession;
  readonly server: ServerHttp2Session;
  request(path: string, more?: Parameters<typeof outgoing>[0]): { stream: Stream; sink: Collector };
  get(path: string, more?: Parameters<typeof outgoing>[0]): Promise<Received>;
}

async function withServer(use: (peer: Peer) => Promise<void>, options: ServerOptions = {}): Promise<void> {
  const server = createServer(options);
  server.on('stream', answer);
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'session');
  const { owner, session } = await connectTo((server.address() as AddressInfo).port);
  const [serverSession] = (await accepted) as [ServerHttp2Session];
  const request: Peer['request'] = (target, more = {}) => {
    const sink = new Collector();
    return { stream: session.request(sink, outgoing({ target, ...more }), false), sink };
  };
  const get: Peer['get'] = (path, more) => request(path, more).sink.received;
  try {
    await use({ owner, session, server: serverSession, request, get });
  } finally {
    owner.socket.destroy();
    server.close();
  }
}

/** Writes a body as fast as it is taken. */
function pour(session: ClientSession, stream: Stream, sink: Collector, body: Buffer, trailers: string): void {
  let at = 0;
  sink.writable = () => {
    while (at < body.length) {
      const piece = body.subarray(at, at + PIECE);
      at += piece.length;
      if (session.write(stream, piece, false) === Sent.HELD) return;
    }
    session.writeTrailers(stream, trailers);
  };
  sink.writable();
}

t.test('fields of a request, again and again', async (t) => {
  await withServer(async ({ get }) => {
    for (let time = 0; time < 4; time++) {
      const fields = `Accept: */*\r\nX-Time: ${time}\r\nCookie: a=1; b=2\r\n`;
      const { status, fields: lines, body } = await get('/fields', { fields, host: 'a.example' });
      t.equal(status, 200);
      t.match(lines, /^200 OK\r\nx-method: GET\r\ndate: /);
      t.match(JSON.parse(body.toString()), {
        ':authority': 'a.example',
        ':scheme': 'http',
        accept: '*/*',
        'x-time': `${time}`,
        cookie: 'a=1; b=2',
      });
    }
  });
});

t.test('bodies of many sizes come back, with their trailers', async (t) => {
  await withServer(async ({ session, request }) => {
    for (const size of [0, 1, 16_384, 16_385, 65_536, 300_000, 2_000_000]) {
      const { stream, sink } = request('/echo', { method: 'POST', framing: Framing.CHUNKED });
      const sent = Buffer.alloc(size, '0123456789');
      pour(session, stream, sink, sent, `x-size: ${size}\r\n`);
      const { body, trailers } = await sink.received;
      t.ok(body.equals(sent), `${size}`);
      t.equal(trailers, `x-back: ${size}\r\n`);
    }
  });
});

t.test('long responses, many at once, some of which nobody takes for a while', async (t) => {
  await withServer(async ({ session, request }) => {
    const requests = Array.from({ length: 40 }, (_, i) => request(`/bytes?${i * 7011}`));
    const slow = requests.filter((_, i) => i % 4 === 3);
    for (const { stream } of slow) session.pause(stream);
    const fast = requests.filter((_, i) => i % 4 !== 3);
    await Promise.all(fast.map(({ sink }) => sink.received));
    for (const { stream } of slow) session.resume(stream);
    const all = await Promise.all(requests.map(({ sink }) => sink.received));
    t.strictSame(
      all.map(({ body }) => body.length),
      requests.map((_, i) => i * 7011),
    );
  });
});

t.test('uploads through small windows take turns', async (t) => {
  await withServer(
    async ({ session, request }) => {
      const body = Buffer.alloc(100_000, 'x');
      const requests = Array.from({ length: 5 }, () =>
        request('/echo', { method: 'POST', framing: Framing.CHUNKED }),
      );
      for (const { stream, sink } of requests) pour(session, stream, sink, body, '');
      for (const { sink } of requests) t.ok((await sink.received).body.equals(body));
    },
    { settings: { initialWindowSize: 3000 } },
  );
});

t.test('interim responses, statuses and heads that need CONTINUATION', async (t) => {
  await withServer(async ({ get }) => {
    t.match(await get('/interim'), { interims: [103], status: 204, code: null });
    t.match(await get('/nowhere'), { status: 404, code: null });
    t.equal((await get('/head?50000')).fields.match(/x-long: (v*)/)?.[1]?.length, 50_000);
    const long = 'w'.repeat(40_000);
    const { body } = await get('/fields', { fields: `x-long: ${long}\r\n` });
    t.equal(JSON.parse(body.toString())['x-long'], long);
    const head = await get('/bytes?1000', { method: 'HEAD' });
    t.match(head, { status: 200, code: null });
    t.equal(head.body.length, 0);
  });
});

t.test('resets of the server, and ours', async (t) => {
  await withServer(async ({ session, request, get }) => {
    t.match(await get('/reset?11'), { code: 11, unprocessed: false });
    t.match(await get('/reset?7'), { code: 7, unprocessed: true });
    const early = await get('/early', { method: 'POST', framing: Framing.LENGTH, contentLength: 10 });
    t.equal(early.status, 413);
    for (let i = 0; i < 50; i++) session.reset(request('/bytes?100000').stream, 8);
    t.match(await get('/bytes?5'), { status: 200, code: null });
    t.equal(session.open, 0);
  });
});

t.test('GOAWAY: what is open ends, and nothing more is opened', async (t) => {
  await withServer(async ({ owner, session, server, request }) => {
    const { stream, sink } = request('/echo', { method: 'POST', framing: Framing.CHUNKED });
    await once(server, 'stream');
    server.goaway(0, stream.id);
    server.close();
    while (session.room > 0) await once(owner.socket, 'data');
    session.write(stream, Buffer.from('bye'), true);
    t.equal((await sink.received).body.toString(), 'bye');
    t.strictSame(owner.goaways.at(-1), 0);
  });
});

t.test('a server that takes few streams is not given more', async (t) => {
  await withServer(
    async ({ owner, session, get }) => {
      await get('/fields');
      t.equal(session.room, 2);
      const both = [get('/fields'), get('/fields')];
      t.equal(session.room, 0);
      await Promise.all(both);
      t.equal(owner.overCode, null);
    },
    { settings: { maxConcurrentStreams: 2 } },
  );
});

t.test('a server that goes away in the middle resets what is open', async (t) => {
  await withServer(async ({ server, request }) => {
    const { sink } = request('/echo', { method: 'POST', framing: Framing.CHUNKED });
    await once(server, 'stream');
    server.destroy();
    t.match(await sink.received, { unprocessed: false });
  });
});
