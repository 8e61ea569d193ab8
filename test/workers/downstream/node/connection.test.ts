import { Failure } from '../../../../core/errors.js';
import { limits } from '../../../../core/limits.js';
import t from '../../../support/tap.js';
import { get, head, host, ofChunks, ofLength, reply } from '../uws/rig.js';
import { headOf } from './http2-rig.js';
import { NodeRig } from './rig.js';

const nothing = (): void => {};
const MiB = 1024 * 1024;
/** Long enough for a loaded machine not to take it for a stall, short enough to wait for. */
const soonMs = 50;

t.test(
  'a head that does not end is answered with 408, an idle connection is closed without a word',
  async (t) => {
    const rig = await NodeRig.start(t, (seen) => reply(seen.responder, 'ok'), {
      headMs: soonMs,
      idleMs: soonMs,
    });
    const slow = rig.connect();
    slow.send('GET / HTTP/1.1\r\nHo');
    t.match(await slow.closed(), /^HTTP\/1\.1 408 [\s\S]*\r\nConnection: close\r\n/);
    slow.destroy();
    const idle = rig.connect();
    idle.send(get);
    t.equal((await idle.answer()).body, 'ok');
    t.equal(await idle.closed(), '');
    idle.destroy();
    t.equal(rig.seen.length, 1);
  },
);

t.test('a body that stops is aborted and answered with 408', async (t) => {
  const rig = await NodeRig.start(t, nothing, { bodyMs: soonMs });
  const client = rig.connect();
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nabc`);
  t.match(await client.closed(), /^HTTP\/1\.1 408 /);
  client.destroy();
  t.strictSame([rig.seen[0].aborted, rig.seen[0].body, rig.seen[0].complete], [1, 'abc', false]);
  t.equal(rig.downstream.active(), 0);
});

t.test('a body that the proxy holds back does not time out', async (t) => {
  const rig = await NodeRig.start(t, nothing, { bodyMs: soonMs, headMs: 10 * soonMs });
  const client = rig.connect();
  const other = rig.connect();
  rig.onSeen = (seen) => {
    seen.onPiece = (_piece, last) => {
      if (last) reply(seen.responder, seen.body);
      else seen.responder.pauseBody();
    };
  };
  client.send(`POST / HTTP/1.1\r\n${host}Content-Length: 6\r\n\r\nabc`);
  // The other one's stall, at which its time is over, is later than the first one's would be.
  await rig.until(() => rig.seen.length === 1);
  other.send('GET /');
  t.match(await other.closed(), /408/);
  other.destroy();
  t.equal(rig.seen[0].aborted, 0);
  client.send('def');
  rig.seen[0].responder.resumeBody();
  t.equal((await client.answer()).body, 'abcdef');
  client.destroy();
});

t.test('a client that takes nothing is given up, and the proxy is notified', async (t) => {
  const rig = await NodeRig.start(t, nothing, { responseMs: soonMs });
  rig.onSeen = (seen) => {
    seen.responder.sendHead(ofLength(1024 * MiB));
    const piece = Buffer.alloc(limits.readBufferBytes);
    while (seen.responder.sendBody(piece));
  };
  const client = rig.connect();
  client.socket.pause();
  client.send(get);
  await rig.until(() => rig.seen[0]?.aborted === 1);
  t.equal(rig.seen[0].reason, Failure.SLOW_READER);
  t.equal(rig.counts.closed, 1);
  client.destroy();
});

t.test('a slow client holds the proxy back, and gets every byte', async (t) => {
  const total = 8 * MiB;
  const rig = await NodeRig.start(t, nothing);
  let sent = 0;
  let waits = 0;
  const piece = Buffer.alloc(limits.readBufferBytes, 'x');
  rig.onSeen = ({ responder }) => responder.sendHead(ofChunks());
  const client = rig.connect();
  client.socket.pause();
  client.send(get);
  await rig.until(() => rig.seen.length === 1);
  const seen = rig.seen[0];
  const pump = (): void => {
    while (sent < total) {
      sent += piece.length;
      if (seen.responder.sendBody(piece)) continue;
      waits++;
      return;
    }
    seen.responder.finish();
  };
  seen.onRoom = pump;
  pump();
  t.ok(sent < total, 'it had to wait');
  client.socket.resume();
  const { body } = await client.answer();
  t.equal(body.length, total);
  t.ok(waits > 0);
  client.destroy();
});

t.test('a response longer than its length is cut, and one that is short of it too', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  rig.onSeen = ({ responder }) => {
    responder.sendHead(ofLength(3));
    responder.sendBody(Buffer.from('abcd'));
  };
  const long = rig.connect();
  long.send(get);
  t.notMatch(await long.closed(), 'abcd');
  t.equal(rig.seen[0].aborted, 1);
  rig.onSeen = ({ responder }) => {
    responder.sendHead(ofLength(3));
    responder.sendBody(Buffer.from('ab'));
    responder.finish();
  };
  const short = rig.connect();
  short.send(get);
  await short.closed();
  t.notOk(short.received.endsWith('abc'));
  t.throws(() => rig.seen[1].responder.finish(), /over/);
});

t.test(
  'an answer to an unfinished upload says close, is read in full, and the upload is thrown away',
  async (t) => {
    const rig = await NodeRig.start(t, ({ responder }) => responder.answer(413, 'too large\n'));
    const client = rig.connect();
    client.send(`POST / HTTP/1.1\r\n${host}Content-Length: ${4 * MiB}\r\n\r\n`);
    client.send(Buffer.alloc(2 * MiB));
    const { status, fields, body } = await client.answer();
    t.strictSame([status, body], [413, 'too large\n']);
    t.match(fields, 'Connection: close');
    client.send(Buffer.alloc(MiB));
    client.socket.end();
    await client.closed();
    t.equal(rig.seen.length, 1);
  },
);

t.test('HEAD, 204 and 304 have no body, and their connections continue', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  const client = rig.connect();
  for (const [method, lines, framedAs] of [
    ['HEAD', '200 OK', 'Content-Length: 5'],
    ['GET', '304 Not Modified', 'Content-Length: 5'],
  ] as const) {
    rig.onSeen = ({ responder }) => {
      responder.sendHead(head(lines, undefined, 5));
      responder.finish();
    };
    client.send(`${method} / HTTP/1.1\r\n${host}\r\n`);
    t.match((await client.answer(true)).fields, framedAs);
  }
  rig.onSeen = ({ responder }) => {
    responder.sendHead(head('204 No Content'));
    responder.finish();
  };
  client.send(get);
  t.notMatch((await client.answer(true)).fields, /length|transfer/i);
  t.equal(client.received, '');
  client.destroy();
});

t.test('interim responses go to HTTP/1.1 alone, and 100 only once', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  rig.onSeen = ({ responder }) => {
    responder.sendInterim(head('100 Continue'));
    responder.sendInterim(head('103 Early Hints\r\nlink: x'));
    reply(responder, 'ok');
  };
  const old = rig.connect();
  old.send('GET / HTTP/1.0\r\n\r\n');
  t.match(await old.closed(), /^HTTP\/1\.1 200 /);
  const client = rig.connect();
  client.send(get);
  t.match(await client.answer(), { status: 100 });
  t.match(await client.answer(), { status: 103, fields: 'link: x' });
  t.match(await client.answer(), { status: 200, body: 'ok' });
  client.destroy();
});

t.test('a client that waits for 100 gets the one that comes, or the answer that comes without', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  const post = `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\n`;
  const answerWhole = (): void => {
    rig.onSeen = (seen) => {
      seen.onPiece = (_piece, last) => last && reply(seen.responder, seen.body);
    };
  };
  answerWhole();
  const client = rig.connect();
  client.send(post);
  await rig.until(() => rig.seen.length > 0);
  t.equal(rig.seen[0].pieces, 1, 'the head may leave before the body comes');
  rig.seen[0].responder.sendInterim(head('100 Continue'));
  t.equal((await client.answer()).status, 100);
  client.send('abc');
  t.equal((await client.answer()).body, 'abc');
  client.send(`${post}abc`);
  t.equal((await client.answer()).body, 'abc');
  rig.onSeen = ({ responder }) => responder.answer(404, 'none\n');
  client.send(post);
  t.equal((await client.answer()).status, 404);
  client.destroy();
});

t.test('requests that are sent ahead are read only as far as the bound, and none is lost', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  const client = rig.connect();
  const padded = `POST / HTTP/1.1\r\n${host}Content-Length: 30000\r\n\r\n${'p'.repeat(30000)}`;
  const count = 40;
  for (let i = 0; i < count; i++) client.send(padded);
  let answered = 0;
  rig.onSeen = (seen) => {
    seen.onPiece = (_piece, last) => {
      if (last) setImmediate(() => reply(seen.responder, String(answered++)));
    };
  };
  for (let i = 0; i < count; i++) t.equal((await client.answer()).body, String(i));
  client.destroy();
});

t.test(
  'a body that the client will never send is aborted, though its FIN came while an answer was due',
  async (t) => {
    const rig = await NodeRig.start(t, nothing);
    const client = rig.connect();
    client.send(`${get}POST / HTTP/1.1\r\n${host}Content-Length: 10\r\n\r\nshort`);
    await new Promise<void>((resolve) => client.socket.end(resolve));
    await rig.until(() => rig.seen.length === 1);
    // A second connection's answer is later than the FIN's delivery.
    const other = rig.connect();
    other.send(get);
    await rig.until(() => rig.seen.length === 2);
    reply(rig.seen[0].responder, 'first');
    t.match(await client.closed(), /first$/);
    t.match(rig.seen[2], { aborted: 1, complete: false, body: 'short' });
    other.destroy();
  },
);

t.test('chunks that make no sense abort the request and are answered with 400', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  const client = rig.connect();
  client.send(`POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabcX`);
  t.match(await client.closed(), /^HTTP\/1\.1 400 /);
  t.strictSame([rig.seen[0].aborted, rig.seen[0].complete, rig.counts.refused], [1, false, 1]);
});

t.test('the client has an address', async (t) => {
  const rig = await NodeRig.start(t, ({ responder }) => reply(responder, responder.clientAddress()));
  const client = rig.connect();
  client.send(get);
  t.equal((await client.answer()).body, '127.0.0.1');
  client.destroy();
});

t.test('a connection over the bound is closed at once and counted', async (t) => {
  const rig = await NodeRig.start(t, (seen) => reply(seen.responder, 'ok'), { connectionsMax: 1 });
  const first = rig.connect();
  first.send(get);
  t.equal((await first.answer()).status, 200);
  const second = rig.connect();
  t.equal(await second.closed(), '');
  t.equal(rig.counts.turnedAway, 1);
  first.destroy();
});

t.test('a drain waits for what is in flight, and nothing new is taken', async (t) => {
  const rig = await NodeRig.start(t, nothing);
  const busy = rig.connect();
  busy.send(get);
  await rig.until(() => rig.seen.length === 1);
  const idle = rig.connect();
  await rig.until(() => rig.counts.accepted === 2);
  let drained = false;
  rig.acceptor.stopListening();
  const drain = rig.downstream.drain().then(() => {
    drained = true;
  });
  t.equal(await idle.closed(), '');
  t.equal(drained, false);
  reply(rig.seen[0].responder, 'last');
  t.match(await busy.answer(), { body: 'last', fields: /Connection: close/ });
  await drain;
  t.equal(await rig.connect().closed(), '');
  busy.destroy();
});

t.test(
  'a half-closed client gets what its response continues with byte by byte, and all of it',
  async (t) => {
    const rig = await NodeRig.start(t, nothing);
    const client = rig.connect();
    client.socket.end(get);
    await rig.until(() => client.received === 'HT');
    const { responder } = rig.seen[0];
    responder.sendInterim(head('103 Early Hints\r\nLink: </a>'));
    responder.sendHead(ofChunks());
    responder.sendBody(Buffer.from('hi'));
    await rig.until(() => client.received.endsWith('\r\nhi\r\n00'));
    responder.sendBody(Buffer.from('ho'));
    responder.finish();
    t.match(
      await client.closed(),
      /^HTTP\/1\.1 103 [\s\S]*\r\n\r\nHTTP\/1\.1 200 [\s\S]*\r\n\r\n2\r\nhi\r\n0+2\r\nho\r\n0\r\n\r\n$/,
    );
    t.equal(rig.seen[0].aborted, 0);
  },
);

t.test(
  'a half-closed client whose bytes wait for a response is probed for each of its requests',
  async (t) => {
    const rig = await NodeRig.start(t, nothing);
    const client = rig.connect();
    client.socket.end(get + get);
    await rig.until(() => client.received === 'H');
    reply(rig.seen[0].responder, 'one');
    await rig.until(() => rig.seen.length === 2 && client.received.endsWith('\r\n\r\noneH'));
    client.destroy();
    await rig.until(() => rig.seen[1].aborted === 1);
    t.equal(rig.downstream.active(), 0);
  },
);

t.test('a handover closes no connection whose response had not said that it is the last one', async (t) => {
  const rig = await NodeRig.start(t, ({ responder }) => {
    if (rig.seen.length > 1) responder.answer(200, 'next');
    else responder.sendHead(headOf('200 OK\r\nContent-Length: 2'));
  });
  const client = rig.connect();
  client.send('GET /1 HTTP/1.1\r\nhost: h\r\n\r\n');
  await rig.until(() => rig.seen.length === 1);
  const gone = rig.downstream.handOver();
  rig.seen[0]!.responder.sendBody(Buffer.from('ok'));
  rig.seen[0]!.responder.finish();
  t.equal((await client.answer()).body, 'ok');
  client.send('GET /2 HTTP/1.1\r\nhost: h\r\n\r\n');
  t.equal((await client.answer()).body, 'next');
  await client.closed();
  await gone;
});
