import { Framing } from '../../../core/http/message.js';
import { writeRequestHead } from '../../../core/http/request-writer.js';
import { limits } from '../../../core/limits.js';
import { type RawPeer, type RawScript, RawServer } from '../../support/raw-server.js';
import { requestOf } from '../../support/request.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function serving(
  teardown: (fn: () => Promise<void>) => void,
  script: RawScript,
): Promise<{ pool: TestPool; server: RawServer }> {
  const server = await RawServer.listen(script);
  const pool = new TestPool([server.port]);
  teardown(async () => {
    pool.close();
    await server.close();
  });
  return { pool, server };
}

t.test('the request arrives as it was written, in every framing', async (t) => {
  const seen: string[] = [];
  const { pool, server } = await serving(t.teardown, async (peer) => {
    for (const end of ['\r\n\r\n', 'lo', '0\r\n\r\n']) {
      seen.push((await peer.head()) + (end === '\r\n\r\n' ? '' : await peer.take(end)));
      peer.send(OK);
    }
  });
  await new Exchange().get(pool).end();
  await new Exchange().post(pool, Framing.LENGTH, 5, ['h', '', 'el', 'lo']).end();
  await new Exchange().post(pool, Framing.CHUNKED, 0, ['hel', '', 'lo', '']).end();
  t.strictSame(seen, [
    'GET / HTTP/1.1\r\nHost: origin\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: origin\r\nContent-Length: 5\r\n\r\nhello',
    'POST / HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n',
  ]);
  t.strictSame(server.errors, []);
});

t.test('bytes of all values pass unchanged in both directions', async (t) => {
  const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('');
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    const body = await peer.bytes(256);
    peer.send(`HTTP/1.1 200 OK\r\nX: \xe9\xff\r\nContent-Length: 256\r\n\r\n${body}`);
  });
  const e = await new Exchange().post(pool, Framing.LENGTH, 256, [all]).end();
  t.equal(e.body, all);
  t.equal(e.head, '200 OK\r\nX: \xe9\xff');
});

t.test('the figures of an exchange are there when it ends', async (t) => {
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    await peer.take('0\r\n\r\n');
    peer.send('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
  });
  const e = await new Exchange().post(pool, Framing.CHUNKED, 0, ['12345']).end();
  const { call } = e;
  t.equal(call.figures.status, 404);
  t.equal(call.figures.requestBytes, 5);
  t.equal(call.figures.responseBytes, 3);
  t.ok(call.figures.headSeen);
  t.ok(
    call.figures.sentUs > 0 &&
      call.figures.sentUs <= call.figures.firstByteUs &&
      call.figures.firstByteUs <= call.figures.endUs,
  );
  t.equal(call.figures.endpoint?.address.kind, 'tcp');
});

t.test('one call object carries many exchanges, also from within its own end', async (t) => {
  const { pool, server } = await serving(t.teardown, async (peer) => {
    for (;;) {
      await peer.head();
      peer.send(OK);
    }
  });
  const e = new Exchange();
  let left = 10;
  const done = new Promise<void>((resolve) => {
    e.hooks.set('end', () => {
      if (--left === 0) resolve();
      else e.get(pool);
    });
  });
  e.get(pool);
  await done;
  t.equal(e.body, 'ok'.repeat(10));
  t.ok(server.connections <= 2, 'a call begun within onEnd may find its connection not yet back');
});

t.test('HEAD has no body whatever the fields say, and its connection is reused', async (t) => {
  const { pool } = await serving(t.teardown, async (peer) => {
    t.match(await peer.head(), /^HEAD \/ /);
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n');
    await peer.head();
    peer.send(OK);
  });
  const e = await new Exchange().get(pool, 'HEAD').end();
  t.strictSame(e.events, ['sent', 'head', 'end']);
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.equal(pool.counted.opened, 1);
});

t.test('an early response to an unfinished upload is delivered and costs the connection', async (t) => {
  const { pool, server } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
  });
  const e = new Exchange();
  e.send(pool, { method: 'POST', framing: Framing.LENGTH, contentLength: 100 });
  e.call.write(Buffer.from('first'), false);
  await e.end();
  t.equal(e.head, '413 Content Too Large');
  t.equal(e.body, 'big');
  t.equal(e.call.write(Buffer.from('more'), true), true, 'what is written later is swallowed');
  t.equal(pool.open, 0);
  t.equal(server.connections, 1);
});

t.test('a body that misses its Content-Length is malformed, after write has returned', async (t) => {
  const { pool } = await serving(t.teardown, () => undefined);
  for (const pieces of [['too short'], ['far too long for it']]) {
    const e = new Exchange().post(pool, Framing.LENGTH, 12, pieces);
    t.notOk(e.over);
    await e.end();
    t.equal(e.failure, 'malformed-body');
  }
});

t.test('cancel at each stage brings no more events and leaks nothing', async (t) => {
  const gone: Promise<void>[] = [];
  const { pool, server } = await serving(t.teardown, async (peer: RawPeer) => {
    gone.push(peer.closed());
    await peer.head();
    await peer.sent('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
    await peer.closed();
  });

  const held = new Exchange().post(pool, Framing.LENGTH, 5, []);
  held.call.cancel();

  const connecting = new Exchange().get(pool);
  t.equal(pool.open, 1);
  connecting.call.cancel();
  while (pool.idle === 0) await new Promise(setImmediate);
  t.equal(server.connections, 1, 'a connection on which nothing was sent is left to the next call');

  const sent = new Exchange().get(pool);
  t.equal(pool.idle, 0);
  sent.call.cancel();
  t.equal(pool.open, 0);

  for (const stage of ['head', 'body']) {
    const e = new Exchange();
    e.hooks.set(stage, () => e.call.cancel());
    e.get(pool);
    await e.until(stage);
    t.equal(pool.open, 0, stage);
    t.equal(e.events.at(-1), stage);
  }
  await Promise.all(gone);
  for (const e of [held, connecting]) t.strictSame(e.events, []);
  t.strictSame(sent.events, ['sent']);
  t.equal(pool.resources.deadlines.count, 0);
  t.equal(pool.resources.arena.heldBytes, 0);
  t.equal(pool.counted.opened, pool.counted.closed);
});

t.test('a cancelled call can be started again in the same event', async (t) => {
  const { pool } = await serving(t.teardown, async (peer, index) => {
    await peer.head();
    peer.send(index === 0 ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno' : OK);
  });
  const e = new Exchange();
  e.hooks.set('body', () => {
    if (!e.body.endsWith('no')) return;
    e.call.cancel();
    e.get(pool);
  });
  await e.get(pool).end();
  t.equal(e.body, 'nook');
  t.equal(e.call.figures.status, 200);
});

t.test('all events of one read are delivered within one batch', async (t) => {
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n');
  });
  const e = new Exchange();
  let batches = 0;
  let inside = false;
  const outside: string[] = [];
  e.on('batch-start', () => {
    batches++;
    inside = true;
  });
  e.on('batch-end', () => {
    inside = false;
  });
  for (const event of ['head', 'body', 'end']) e.hooks.set(event, () => inside || outside.push(event));
  await e.get(pool).end();
  t.equal(batches, 1);
  t.strictSame(outside, []);
  t.strictSame(e.events, ['sent', 'head', 'body', 'body', 'end']);
});

t.test('a large upload to a slow reader holds a bounded number of bytes and arrives whole', async (t) => {
  const piece = Buffer.alloc(64 * 1024, 'x');
  const pieces = 400;
  const length = piece.length * pieces;
  let received = 0;
  let start: (() => void) | null = null;
  const { pool } = await serving(t.teardown, async (peer) => {
    peer.socket.removeAllListeners('data');
    peer.socket.pause();
    await new Promise<void>((resolve) => {
      start = resolve;
    });
    peer.socket.on('data', (data) => {
      received += data.length;
      if (received >= length) peer.send(OK);
    });
    peer.socket.resume();
  });
  const e = new Exchange();
  const changes = { method: 'POST', framing: Framing.LENGTH, contentLength: length, totalMs: 20_000 };
  const request = requestOf(changes);
  e.call.start(pool, request);
  let written = 0;
  let most = 0;
  const write = (): void => {
    while (written < pieces) {
      const more = e.call.write(piece, ++written === pieces);
      most = Math.max(most, pool.resources.arena.heldBytes);
      if (!more) return;
    }
  };
  e.hooks.set('drain', write);
  write();
  while (start === null) await new Promise(setImmediate);
  (start as () => void)();
  await e.end();
  t.equal(e.failure, '');
  t.equal(received - writeRequestHead(request).length, length);
  t.ok(e.drains > 0);
  t.ok(most <= 4 * limits.writeBlockBytes, `held ${most} bytes`);
  t.equal(pool.resources.arena.heldBytes, 0);
});

t.test('an owner that ignores backpressure fails with overloaded at the limit', async (t) => {
  const { pool } = await serving(t.teardown, (peer) => {
    peer.socket.removeAllListeners('data');
    peer.socket.pause();
  });
  const piece = Buffer.alloc(64 * 1024, 'x');
  const e = new Exchange();
  e.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 20_000 });
  let most = 0;
  // A quarter more than what may be held, for what the kernel takes.
  const pieces = (1.25 * limits.heldBodyBytes) / piece.length;
  for (let i = 0; i < pieces; i++) {
    e.call.write(piece, false);
    most = Math.max(most, pool.resources.arena.heldBytes);
  }
  t.notOk(e.over);
  await e.end();
  t.equal(e.failure, 'overloaded');
  t.ok(most <= limits.heldBodyBytes + 2 * limits.writeBlockBytes);
});

t.test(
  'a block from which the kernel still takes bytes comes back only when its socket is closed',
  async (t) => {
    const { pool } = await serving(t.teardown, (peer) => {
      peer.socket.removeAllListeners('data');
      peer.socket.pause();
    });
    const e = new Exchange();
    e.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 20_000 });
    e.call.write(Buffer.alloc(1), false);
    await e.until('sent');
    const piece = Buffer.alloc(limits.directWriteBytes / 2);
    while (e.call.write(piece, false));
    e.call.write(piece, false);
    e.call.cancel();
    t.equal(pool.resources.arena.heldBytes, limits.writeBlockBytes, 'the others come back at once');
    while (pool.resources.arena.heldBytes > 0) await new Promise(setImmediate);
    t.equal(pool.open, 0);
  },
);

t.test('a thread that holds as much as it may refuses further bodies with overloaded', async (t) => {
  const server = await RawServer.listen((peer) => {
    peer.socket.removeAllListeners('data');
    peer.socket.pause();
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port], {}, 4 * limits.writeBlockBytes);
  const e = new Exchange();
  e.send(pool, { method: 'POST', framing: Framing.CHUNKED, totalMs: 20_000 });
  for (let i = 0; i < 10; i++) e.call.write(Buffer.alloc(limits.writeBlockBytes), false);
  await e.end();
  t.equal(e.failure, 'overloaded');
  t.equal(pool.resources.arena.heldBytes, 0);
});

t.test('a paused response stops within one read and arrives whole after resuming', async (t) => {
  const length = 20 * 1024 * 1024;
  const { pool } = await serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
    peer.socket.write(Buffer.alloc(length, 'y'));
  });
  const e = new Exchange();
  let pauses = 0;
  let paused = false;
  let whilePaused = 0;
  let bytes = 0;
  e.onResponseBody = (piece: Uint8Array) => {
    bytes += piece.length;
    if (paused) whilePaused++;
    if (bytes / (1024 * 1024) < pauses + 1) return;
    pauses++;
    paused = true;
    e.call.pauseResponse();
    // Many turns of the loop: were the socket still read, there would be bytes.
    let turns = 20;
    const wait = (): void => {
      if (turns-- > 0) setImmediate(wait);
      else {
        paused = false;
        e.call.resumeResponse();
      }
    };
    setImmediate(wait);
  };
  await e.get(pool).end();
  t.equal(e.failure, '');
  t.equal(bytes, length);
  t.ok(pauses >= 19);
  t.equal(whilePaused, 0);
  t.equal(pool.idle, 1);
});

t.test('a connection whose response ended while paused can be used again', async (t) => {
  const { pool, server } = await serving(t.teardown, async (peer) => {
    for (;;) {
      await peer.head();
      peer.send(OK);
    }
  });
  const e = new Exchange();
  e.hooks.set('head', () => e.call.pauseResponse());
  await e.get(pool).end();
  t.equal((await new Exchange().get(pool).end()).body, 'ok');
  t.equal(server.connections, 1);
});
