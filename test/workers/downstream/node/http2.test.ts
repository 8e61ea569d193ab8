/** HTTP/2 on the node engine, frame by frame: what the proxy sees, and what the client gets. */
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { PREFACE } from '../../../../core/http2/frame.js';
import { Setting } from '../../../../core/http2/settings.js';
import { frame, get, post, settingsFrame, uint32 } from '../../../core/http2/session-side.js';
import { tlsOf } from '../../../support/listener.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import t from '../../../support/tap.js';
import { certificatePem, keyPem } from '../uws/certificate.js';
import { type Client, get as http1Get, type Seen } from '../uws/rig.js';
import { answered, data, headOf, leavesNothing, serve, waits } from './http2-rig.js';
import { NodeRig } from './rig.js';

t.test('one plain port speaks both protocols, wherever the first bytes are cut', async (t) => {
  const rig = await NodeRig.start(t, answered);
  const first = await RawHttp2.open(rig.acceptor.port);
  const bytes = Buffer.concat([PREFACE, settingsFrame(), frame(4, 1, 0), first.headers(1, get)]);
  for (const byte of bytes) {
    first.send(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await first.until(/^DATA 1 5 end$/);
  t.match(first.frames.join('\n'), /^HEADERS 1 :status=200 content-type=.* content-length=5 date=/m);
  const plain = rig.connect();
  for (const letter of http1Get) {
    plain.send(letter);
    await new Promise(setImmediate);
  }
  t.equal((await plain.answer()).body, 'GET /');
  t.match(rig.counts, { accepted: 2, http2Opened: 1, http2Requests: 1, refused: 0 });
  t.match(rig.seen[0], { method: 'GET', target: '/', host: 'h', secure: false });
  first.socket.destroy();
  plain.destroy();
  await leavesNothing(rig);
});

/** What a client of HTTP/1 reads until the end. */
async function restOf(client: Client): Promise<string> {
  await client.closed();
  return client.received;
}

t.test('a preface that is not a preface is answered in HTTP/1', async (t) => {
  const rig = await NodeRig.start(t, answered);
  const late = rig.connect();
  late.send(http1Get);
  await late.answer();
  late.send(PREFACE.toString('latin1'));
  t.match(await restOf(late), /HTTP\/1\.1 505 /, 'behind a request');
  const wrong = rig.connect();
  wrong.send('PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n');
  t.match(await restOf(wrong), /^HTTP\/1\.1 505 /, 'with another letter');
  const only = await NodeRig.start(t, answered, {}, null, ['http1']);
  const refused = only.connect();
  refused.send(PREFACE.toString('latin1'));
  t.match(await restOf(refused), /^HTTP\/1\.1 505 /, 'where h2 is not listed');
  t.equal(rig.counts.http2Opened + only.counts.http2Opened, 0);
});

t.test('a port of HTTP/2 alone answers anything else with GOAWAY', async (t) => {
  const rig = await NodeRig.start(t, answered, {}, null, ['h2']);
  const client = await RawHttp2.open(rig.acceptor.port, true);
  client.send(Buffer.from(http1Get));
  await client.until(/^GOAWAY 0 PROTOCOL_ERROR$/);
  await client.ended();
  await leavesNothing(rig);
});

t.test('over TLS client and server agree on the protocol', async (t) => {
  const rig = await NodeRig.start(t, answered, {}, tlsOf('', '', certificatePem, keyPem));
  const { port } = rig.acceptor;
  const agreed = (ALPNProtocols?: string[]): Promise<string | false | null> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, rejectUnauthorized: false, ALPNProtocols }, () => {
        resolve(socket.alpnProtocol);
        socket.destroy();
      });
      socket.on('error', (error) => resolve(error.message));
    });
  t.equal(await agreed(['h2', 'http/1.1']), 'h2');
  t.equal(await agreed(['http/1.1', 'h2']), 'h2', 'the server chooses');
  t.equal(await agreed(['http/1.1']), 'http/1.1');
  t.equal(await agreed(), false);
  t.match(await agreed(['spdy/3']), /no application protocol/i);
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/secure' });
  let body = '';
  for await (const piece of stream.setEncoding('utf8')) body += piece;
  t.equal(body, 'GET /secure');
  t.ok(rig.seen[0]!.secure);
  session.destroy();
  await leavesNothing(rig);
});

t.test('bodies, trailers and interim responses go both ways', async (t) => {
  const { rig, client } = await serve(t, ({ responder }) => {
    responder.sendInterim(headOf('103 Early Hints\r\nLink: x'));
  });
  const pairs = [...post, ['te', 'trailers'], ['cookie', 'a=1'], ['cookie', 'b=2']] as const;
  client.send(client.headers(1, pairs, false));
  await client.until(/^HEADERS 1 :status=103 link=x$/);
  client.send(data(1, 'abc'), data(1, 'def'), client.headers(1, [['x-sum', '6']]));
  const seen = rig.seen[0]!;
  await rig.until(() => seen.complete);
  t.match(seen, { body: 'abcdef', trailers: 'x-sum: 6\r\n' });
  t.equal(seen.fields, 'cookie: a=1; b=2\r\nConnection: TE\r\nTE: trailers\r\n');
  const { responder } = seen;
  responder.sendHead(
    headOf('200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked'),
  );
  responder.sendBody(Buffer.from('answer'));
  responder.sendTrailers('X-Sum: 9\r\n');
  responder.finish();
  await client.until(/^HEADERS 1 x-sum=9 end$/);
  t.match(
    client.frames.join('\n'),
    /^HEADERS 1 :status=200 trailer=X-Sum date=[^ ]*.*\nDATA 1 6\nHEADERS 1 x-sum=9 end$/m,
  );
  client.send(client.headers(3, [[':method', 'HEAD'], ...get.slice(1)]));
  await rig.until(() => rig.seen.length === 2);
  rig.seen[1]!.responder.sendHead(headOf('200 OK\r\nContent-Length: 7', true));
  rig.seen[1]!.responder.finish();
  await client.until(/^HEADERS 3 :status=200 content-length=7 date=.* end$/);
});

t.test('a body that is paused withholds its own stream alone', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, post, false), client.headers(3, post, false));
  await rig.until(() => rig.seen.length === 2);
  const [slow, fast] = rig.seen as [Seen, Seen];
  slow.responder.pauseBody();
  const piece = 'x'.repeat(16_384);
  for (let sent = 0; sent < 256 * 1024; sent += piece.length) client.send(data(1, piece), data(3, piece));
  await client.until(/^WINDOW_UPDATE 3 /);
  await rig.until(() => slow.bodyBytes === 256 * 1024);
  t.notOk(client.frames.some((line) => line.startsWith('WINDOW_UPDATE 1 ')));
  slow.responder.resumeBody();
  await client.until(/^WINDOW_UPDATE 1 262144$/);
  client.send(data(3, '', true));
  await rig.until(() => fast.complete);
  fast.responder.answer(200, 'fast');
  await client.until(/^DATA 3 4 end$/);
});

t.test('a client that takes nothing of one response gets the others', async (t) => {
  const rig = await NodeRig.start(t, ({ responder, target }) => {
    if (target === '/') {
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(1000));
    } else responder.answer(200, '');
  });
  const client = await RawHttp2.connect(rig.acceptor.port, [[Setting.INITIAL_WINDOW_SIZE, 600]]);
  client.send(client.headers(1, get));
  await client.until(/^DATA 1 600$/);
  const { responder } = rig.seen[0]!;
  t.notOk(responder.sendBody(Buffer.alloc(100)));
  client.send(client.headers(3, [...get.slice(0, 2), [':path', '/b'], [':authority', 'h']]));
  await client.until(/^HEADERS 3 :status=200 .* end$/);
  client.send(frame(8, 0, 1, uint32(1000)));
  await client.until(/^DATA 1 400$/);
  await rig.until(() => rig.seen[0]!.writable === 1);
  responder.finish();
  await client.until(/^DATA 1 0 end$/);
  client.socket.destroy();
  await leavesNothing(rig);
});

t.test('a response before its request ends the stream without an error', async (t) => {
  const { rig, client } = await serve(t, answered);
  client.send(client.headers(1, post, false));
  await client.until(/^RST_STREAM 1 NO_ERROR$/);
  t.match(client.frames.join('\n'), /^DATA 1 6 end\nRST_STREAM 1 NO_ERROR$/m);
  client.send(data(1, 'late'), client.headers(3, get));
  await client.until(/^DATA 3 5 end$/);
  t.strictSame(rig.guards, ['closed'], 'what was on its way is no fault');
  t.equal(rig.downstream.active(), 0);
});

t.test('what comes behind an early response is for the copies', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, post, false), data(1, 'a'), client.headers(3, post, false));
  await rig.until(() => rig.seen.length === 2);
  for (const { responder } of rig.seen) {
    responder.sendHead(headOf('200 OK\r\nContent-Length: 0'));
    t.ok(responder.finishEarly());
  }
  await client.until(/^HEADERS 1 .* end$/);
  client.send(data(1, 'b', true));
  await rig.until(() => rig.seen[0]!.complete);
  t.equal(rig.seen[0]!.body, 'ab');
  // The other one is given up after a while.
  await client.until(/^RST_STREAM 3 NO_ERROR$/);
  t.match(rig.seen[1], { complete: false, aborted: 1 });
  t.equal(rig.seen[0]!.aborted, 0);
});

t.test('a response that is short, too long or cut is reset', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get), client.headers(3, get), client.headers(5, get));
  await rig.until(() => rig.seen.length === 3);
  for (const { responder } of rig.seen) {
    responder.sendHead(headOf('200 OK\r\nContent-Length: 3'));
    responder.sendBody(Buffer.from('ab'));
  }
  const [short, long, cut] = rig.seen as [Seen, Seen, Seen];
  short.responder.finish();
  t.notOk(long.responder.sendBody(Buffer.from('cd')));
  cut.responder.cut();
  cut.responder.cut();
  for (const id of [1, 3, 5]) await client.until(new RegExp(`^RST_STREAM ${id} INTERNAL_ERROR$`));
  t.strictSame(
    rig.seen.map(({ aborted }) => aborted),
    [0, 1, 0],
  );
  await rig.until(() => rig.downstream.active() === 0);
  t.ok(client.frames.every((line) => !line.startsWith('GOAWAY')));
});

t.test('a cut with trailers ends the stream, except where a length is owed', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get), client.headers(3, post, false), client.headers(5, get));
  await rig.until(() => rig.seen.length === 3);
  const heads = ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked', 'Content-Length: 3'];
  for (const [n, { responder }] of rig.seen.entries()) {
    responder.sendHead(headOf(`200 OK\r\n${heads[n]}`));
    responder.sendBody(Buffer.from('ab'));
    responder.cut('grpc-status: 14\r\n');
  }
  for (const id of [1, 3]) await client.until(new RegExp(`^HEADERS ${id} grpc-status=14 end$`));
  await client.until(/^RST_STREAM 3 NO_ERROR$/);
  await client.until(/^RST_STREAM 5 INTERNAL_ERROR$/);
  t.notOk(client.frames.some((line) => /^RST_STREAM 1 |^HEADERS 5 grpc/.test(line)));
  await rig.until(() => rig.downstream.active() === 0);
});

t.test('a client that resets a stream is gone, at whatever point', async (t) => {
  const { rig, client } = await serve(t, (seen) => {
    if (rig.seen.length > 3) seen.responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
  });
  const reset = (id: number): Buffer => frame(3, 0, id, uint32(8));
  client.send(client.headers(1, get), reset(1));
  client.send(client.headers(3, post, false), reset(3));
  client.send(client.headers(5, post, false), data(5, 'a'), reset(5));
  client.send(client.headers(7, get), reset(7), client.headers(9, get));
  await rig.until(() => rig.seen.length === 5);
  t.strictSame(
    rig.seen.map(({ aborted }) => aborted),
    [1, 1, 1, 1, 0],
  );
  await rig.until(() => rig.downstream.active() === 1);
  client.socket.destroy();
  await rig.until(() => rig.seen[4]!.aborted === 1);
  await leavesNothing(rig);
});

t.test('requests that are refused are answered, and cost no connection', async (t) => {
  const { rig, client } = await serve(t, answered);
  const [method, scheme, path, authority] = get as [
    [string, string],
    [string, string],
    [string, string],
    [string, string],
  ];
  const cases: [status: number, pairs: (readonly [string, string])[]][] = [
    [431, [...get, ['x', 'y'.repeat(17_000)]]],
    [431, [...get, ...Array.from({ length: 300 }, () => ['a', 'b'] as const)]],
    [414, [method, scheme, [':path', `/${'a'.repeat(9000)}`], authority]],
    [501, [[':method', 'CONNECT'], authority]],
    [400, [method, scheme, path]],
    [417, [...post, ['expect', 'tea']]],
  ];
  for (const [n, [status, pairs]] of cases.entries()) {
    const id = 2 * n + 1;
    const block = client.block(pairs);
    for (let at = 0; at < block.length; at += 16_384) {
      const end = Math.min(block.length, at + 16_384);
      client.send(
        frame(
          at === 0 ? 1 : 9,
          (at === 0 ? 1 : 0) | (end === block.length ? 4 : 0),
          id,
          block.subarray(at, end),
        ),
      );
    }
    await client.until(new RegExp(`^HEADERS ${id} :status=${status} `));
  }
  t.equal(rig.counts.refused, cases.length);
  t.equal(rig.seen.length, 0);
  client.send(client.headers(101, get));
  await client.until(/^DATA 101 5 end$/);
});
