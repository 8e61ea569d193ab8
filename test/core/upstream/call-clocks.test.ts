import { Framing } from '../../../core/http/message.js';
import { type RawPeer, RawServer } from '../../support/raw-server.js';
import type { RequestChanges } from '../../support/request.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
/** A deadline is late by at most one tick of the wheel, and never early. */
const tickMs = 32;

/** A pool whose clock stands still between calls of `pass`. */
class Timed {
  nowUs = 1e9;
  readonly pool: TestPool;

  private constructor(port: number) {
    this.pool = new TestPool([port], {}, undefined, () => this.nowUs);
  }

  static async serving(
    teardown: (fn: () => Promise<void>) => void,
    script: (peer: RawPeer) => void | Promise<void>,
  ): Promise<Timed> {
    const server = await RawServer.listen(script);
    const timed = new Timed(server.port);
    teardown(async () => {
      timed.pool.close();
      await server.close();
    });
    return timed;
  }

  pass(ms: number): void {
    this.nowUs += ms * 1e3;
    this.pool.resources.deadlines.advance();
  }

  send(changes: RequestChanges): Exchange {
    return new Exchange().send(this.pool, { totalMs: 0, ...changes });
  }

  post(contentLength: number, changes: RequestChanges): Exchange {
    return this.send({ method: 'POST', framing: Framing.LENGTH, contentLength, ...changes });
  }
}

async function answerAll(peer: RawPeer): Promise<void> {
  for (;;) {
    await peer.head();
    peer.send(OK);
  }
}

t.test('the time of a request begins when it is whole, however long its client takes', async (t) => {
  let answer: () => void = () => undefined;
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    await peer.bytes(4);
    answer = () => peer.send(OK);
  });
  const e = timed.post(4, { requestMs: 2000 });
  e.call.write(Buffer.from('ab'), false);
  await e.until('sent');
  timed.pass(4000);
  e.call.write(Buffer.from('cd'), true);
  timed.pass(1900);
  t.equal(e.failure, '');
  timed.pass(100 + tickMs);
  t.equal(e.failure, 'timeout');
  answer();
});

t.test('the time of a request ends with the head of the response', async (t) => {
  let finish: () => void = () => undefined;
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(HEAD);
    finish = () => peer.send('x'.repeat(100));
  });
  const e = await timed.send({ requestMs: 1000 }).until('head');
  timed.pass(60_000);
  finish();
  t.equal((await e.end()).failure, '');
});

t.test('the time for a request may run on to the end of the response', async (t) => {
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(HEAD);
  });
  const e = await timed.send({ requestMs: 1000, requestUntilEnd: true }).until('head');
  timed.pass(900);
  t.equal(e.failure, '');
  timed.pass(100 + tickMs);
  t.equal(e.failure, 'timeout');
});

t.test('a response that stalls fails when no byte came for the idle time', async (t) => {
  let more: () => void = () => undefined;
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(HEAD);
    more = () => peer.send('x');
  });
  const e = await timed.send({ requestMs: 15_000, idleMs: 1000 }).until('head');
  for (let i = 0; i < 3; i++) {
    timed.pass(900);
    t.equal(e.failure, '');
    const { responseBytes } = e.call.figures;
    more();
    while (e.call.figures.responseBytes === responseBytes) await new Promise(setImmediate);
  }
  timed.pass(1000 + tickMs);
  t.equal(e.failure, 'timeout');
});

t.test('a client that does not read is not the stall of the version', async (t) => {
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    peer.send(`${HEAD}x`);
  });
  const e = await timed.send({ idleMs: 1000 }).until('body');
  e.call.pauseResponse();
  for (let i = 0; i < 5; i++) timed.pass(1000 + tickMs);
  t.equal(e.failure, '');
  e.call.resumeResponse();
  timed.pass(900);
  t.equal(e.failure, '');
  timed.pass(1000 + 2 * tickMs);
  t.equal(e.failure, 'timeout');
});

t.test('a version that does not read the request fails as unread, and is to blame', async (t) => {
  const timed = await Timed.serving(t.teardown, (peer) => {
    peer.socket.removeAllListeners('data');
    peer.socket.pause();
  });
  const e = timed.send({ method: 'POST', framing: Framing.CHUNKED, idleMs: 1000, requestMs: 500 });
  e.call.write(Buffer.alloc(1), false);
  await e.until('sent');
  while (e.call.write(Buffer.alloc(1024 * 1024), false));
  timed.pass(900);
  t.equal(e.failure, '', 'the request is not whole, so its own time has not begun');
  timed.pass(100 + tickMs);
  t.equal(e.failure, 'unread');
});

t.test('a client that owes the rest of its request is to blame when the whole time is over', async (t) => {
  const timed = await Timed.serving(t.teardown, answerAll);
  const e = timed.post(4, { totalMs: 1000, idleMs: 100 });
  e.call.write(Buffer.from('ab'), false);
  await e.until('sent');
  timed.pass(900);
  t.equal(e.failure, '', 'nothing is idle but the client');
  timed.pass(100 + tickMs);
  t.equal(e.failure, 'slow-client');
  t.equal(timed.pool.counted.ejections, 0);
});

t.test('the whole time is over for a version that owes the answer', async (t) => {
  const timed = await Timed.serving(t.teardown, async (peer) => void (await peer.head()));
  const e = await timed.send({ totalMs: 1000 }).until('sent');
  timed.pass(1000 + tickMs);
  t.equal(e.failure, 'timeout');
});

t.test('without times nothing is bounded', async (t) => {
  let answer: () => void = () => undefined;
  const timed = await Timed.serving(t.teardown, async (peer) => {
    await peer.head();
    answer = () => peer.send(OK);
  });
  const e = await timed.send({}).until('sent');
  timed.pass(24 * 3_600_000);
  t.equal(e.failure, '');
  while (String(answer) === String(() => undefined)) await new Promise(setImmediate);
  answer();
  t.equal((await e.end()).body, 'ok');
});

t.test('no clock is left when an exchange is over', async (t) => {
  const timed = await Timed.serving(t.teardown, answerAll);
  const times = { requestMs: 1000, requestUntilEnd: false, firstByteMs: 1000, idleMs: 1000, totalMs: 1000 };
  await timed.send(times).end();
  const idle = timed.pool.resources.deadlines.count;
  t.equal(idle, 1, 'the expiry of the idle connection');
  for (let i = 0; i < 10; i++) await timed.send(times).end();
  t.equal(timed.pool.resources.deadlines.count, idle);
});
