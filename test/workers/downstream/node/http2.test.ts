/** HTTP/2 on the node engine, frame by frame: what the proxy sees, and what the client gets. */
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import t, { type Test } from 'tap';
import { decideFraming } from '../../../../core/http/framing.js';
import { ResponseHead } from '../../../../core/http/response-head.js';
import { scanHead } from '../../../../core/http/response-head-scanner.js';
import { PREFACE } from '../../../../core/http2/frame.js';
import { Setting } from '../../../../core/http2/settings.js';
import type { ListenerLimits } from '../../../../core/plan.js';
import { ClientTimeout } from '../../../../workers/downstream/downstream.js';
import { frame, get, post, settingsFrame, uint32 } from '../../../core/http2/session-side.js';
import { tlsOf } from '../../../support/listener.js';
import { RawHttp2 } from '../../../support/raw-http2.js';
import { certificatePem, keyPem } from '../uws/certificate.js';
import { type Client, get as http1Get, type Seen } from '../uws/rig.js';
import { NodeRig } from './rig.js';

const answered = (seen: Seen): void => seen.responder.answer(200, `${seen.method} ${seen.target}`);
const waits = (): void => {};
const data = (stream: number, text: string, ends = false): Buffer =>
  frame(0, ends ? 1 : 0, stream, Buffer.from(text));

/** A head as an upstream of HTTP/1.1 sends it. */
function headOf(lines: string, toHead = false): ResponseHead {
  const bytes = Buffer.from(`HTTP/1.1 ${lines}\r\n\r\n`, 'latin1');
  const head = new ResponseHead();
  head.begin(bytes, 0);
  scanHead(head, bytes.length);
  decideFraming(head, toHead);
  return head;
}

async function serve(
  t: Test,
  onSeen: (seen: Seen) => void,
  bounds: Partial<ListenerLimits> = {},
): Promise<{ rig: NodeRig; client: RawHttp2 }> {
  const rig = await NodeRig.start(t, onSeen, bounds);
  const client = await RawHttp2.connect(rig.acceptor.port);
  t.teardown(() => client.socket.destroy());
  return { rig, client };
}

/** The connection is gone, and nothing of it is left in the counts. */
async function leavesNothing(rig: NodeRig): Promise<void> {
  await rig.until(() => rig.downstream.connections() === 0);
  await rig.until(() => rig.downstream.active() === 0);
  await rig.until(() => rig.counts.http2Opened === rig.counts.http2Closed);
}

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

t.test('a preface that is no preface is answered in HTTP/1', async (t) => {
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

t.test('each wait for a client has its end, and its stream alone', async (t) => {
  const bounds = { bodyMs: 40, responseMs: 40 };
  const rig = await NodeRig.start(
    t,
    ({ responder, method }) => {
      if (method !== 'GET') return;
      responder.sendHead(headOf('200 OK\r\nTransfer-Encoding: chunked'));
      responder.sendBody(Buffer.alloc(10));
    },
    bounds,
  );
  const client = await RawHttp2.connect(rig.acceptor.port, [[Setting.INITIAL_WINDOW_SIZE, 100]]);
  client.send(client.headers(1, post, false), data(1, 'a'));
  await client.until(/^HEADERS 1 :status=408 /);
  await client.until(/^RST_STREAM 1 NO_ERROR$/);
  client.send(frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])), client.headers(3, get));
  await client.until(/^RST_STREAM 3 CANCEL$/);
  t.strictSame(rig.timedOut, [ClientTimeout.BODY, ClientTimeout.RESPONSE]);
  t.strictSame(
    rig.seen.map(({ aborted }) => aborted),
    [1, 1],
  );
  t.equal(rig.downstream.connections(), 1);
  client.socket.destroy();
  await leavesNothing(rig);
});

t.test('a client that never ends a head, never greets or never asks is sent away', async (t) => {
  const rig = await NodeRig.start(t, answered, { headMs: 40, idleMs: 120 });
  const { port } = rig.acceptor;
  const half = await RawHttp2.connect(port);
  half.send(frame(1, 1, 1, half.block(get)));
  await half.until(/^GOAWAY 0 ENHANCE_YOUR_CALM$/);
  await half.ended();
  const silent = await RawHttp2.open(port, true);
  silent.send(PREFACE, settingsFrame());
  await silent.until(/^GOAWAY 0 SETTINGS_TIMEOUT$/);
  await silent.ended();
  t.strictSame(rig.timedOut, [ClientTimeout.HEAD, ClientTimeout.HEAD]);
  const idle = await RawHttp2.connect(port);
  idle.send(idle.headers(1, get));
  await idle.until(/^DATA 1 5 end$/);
  await idle.until(/^GOAWAY 1 NO_ERROR$/);
  await idle.ended();
  t.strictSame(rig.timedOut.slice(2), [ClientTimeout.IDLE]);
  await leavesNothing(rig);
});

t.test('a drain asks twice, serves what was on its way, and then closes', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get));
  await rig.until(() => rig.seen.length === 1);
  const drained = rig.downstream.drain();
  await client.until(/^GOAWAY 2147483647 NO_ERROR$/);
  await client.until(/^PING 0$/);
  // A request that was on its way, and the answer to the ping.
  client.send(client.headers(3, get), frame(6, 1, 0, Buffer.from('umbra h2')));
  await client.until(/^GOAWAY 3 NO_ERROR$/);
  client.send(client.headers(5, get));
  await rig.until(() => rig.seen.length === 2);
  for (const { responder } of rig.seen) responder.answer(200, 'at last');
  await client.until(/^DATA 3 7 end$/);
  await drained;
  await client.ended();
  t.equal(rig.seen.length, 2, 'what came behind the last one was not processed');
  await leavesNothing(rig);
});

t.test('a client that answers no ping holds a drain up for two seconds at most', async (t) => {
  const { rig, client } = await serve(t, answered);
  client.send(client.headers(1, get));
  await client.until(/^DATA 1 5 end$/);
  await rig.downstream.drain();
  await client.until(/^GOAWAY 1 NO_ERROR$/);
  await client.ended();
  await leavesNothing(rig);
});

t.test('a handover closes no connection of HTTP/2 before its client has heard of it', async (t) => {
  const { rig, client } = await serve(t, answered);
  client.send(client.headers(1, get));
  await client.until(/^DATA 1 5 end$/);
  const gone = rig.downstream.handOver();
  await client.until(/^GOAWAY 2147483647 NO_ERROR$/);
  client.send(client.headers(3, get), frame(6, 1, 0, Buffer.from('umbra h2')));
  await client.until(/^DATA 3 5 end$/);
  await client.until(/^GOAWAY 3 NO_ERROR$/);
  await client.ended();
  await gone;
});

t.test('a client that closes its side is served, or not, as the listener says', async (t) => {
  const { rig, client } = await serve(t, waits);
  client.send(client.headers(1, get), client.headers(3, post, false));
  await rig.until(() => rig.seen.length === 2);
  client.socket.end();
  await rig.until(() => rig.seen[1]!.aborted === 1);
  await client.until(/^PING 0$/);
  rig.seen[0]!.responder.answer(200, 'whole');
  await client.until(/^DATA 1 5 end$/);
  await client.ended();
  await leavesNothing(rig);

  const strict = await serve(t, waits, { abortsHalfClosed: true });
  strict.client.send(strict.client.headers(1, get));
  await strict.rig.until(() => strict.rig.seen.length === 1);
  strict.client.socket.end();
  await strict.rig.until(() => strict.rig.seen[0]!.aborted === 1);
  await leavesNothing(strict.rig);
});
