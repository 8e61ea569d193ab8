import { once } from 'node:events';
import { type Failure, failureReasons } from '../../../core/errors.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { PipelinedCall } from '../../../core/upstream/pipelined-call.js';
import type { VersionPool } from '../../../core/upstream/pool.js';
import type { ResponseSink } from '../../../core/upstream/response-sink.js';
import { type RawPeer, RawServer, refusedPort } from '../../support/raw-server.js';
import { requestOf } from '../../support/request.js';
import t from '../../support/tap.js';
import { TestPool } from './exchange.js';

const timeoutMs = 10_000;

function answer(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`;
}

/** One call, the events of its sink, and a promise of its end. */
class Sent implements ResponseSink {
  readonly call = new PipelinedCall(this);
  body = '';
  status = 0;
  failure = '';
  sent = 0;
  onBody: () => void = () => {};
  readonly over: Promise<this>;
  #resolve: () => void = () => {};

  constructor(
    pool: VersionPool,
    target: string,
    changes: { method?: string; depth?: number; timeoutMs?: number } = {},
  ) {
    this.over = new Promise((resolve) => {
      this.#resolve = () => resolve(this);
    });
    const method = changes.method ?? 'GET';
    const request = requestOf({ method, target, totalMs: changes.timeoutMs ?? timeoutMs });
    this.call.depth = changes.depth ?? 16;
    this.call.start(pool, request);
  }

  batch(run: () => void): void {
    run();
  }
  onInterim(): void {}
  onHead(head: ResponseHead): void {
    this.status = head.status;
  }
  onResponseBody(bytes: Uint8Array): void {
    this.body += Buffer.from(bytes).toString('latin1');
    this.onBody();
  }
  onResponseTrailers(): void {}
  onSwitch(): void {}
  onDrain(): void {}
  onSent(): void {
    this.sent++;
  }
  onEnd(): void {
    this.#resolve();
  }
  onFailure(failure: Failure): void {
    this.failure = failureReasons[failure];
    this.#resolve();
  }
}

async function scene(
  t: import('../../support/tap.js').Test,
  script: (peer: RawPeer, index: number) => void | Promise<void>,
) {
  const server = await RawServer.listen(async (peer, index) => {
    try {
      await script(peer, index);
    } catch {
      // The connection ended.
    }
  });
  const pool = new TestPool([server.port]);
  t.teardown(async () => {
    pool.close();
    await server.close();
  });
  return { server, pool };
}

/** Answers each request with its target, for ever. */
async function echo(peer: RawPeer, fieldsOf: (target: string) => string = () => ''): Promise<void> {
  for (;;) {
    const target = (await peer.head()).split(' ')[1]!;
    peer.send(answer(target, fieldsOf(target)));
  }
}

t.test(
  'requests of one turn go out together on one connection, and each gets its own response',
  async (t) => {
    const reads: number[] = [];
    const { server, pool } = await scene(t, (peer) => {
      peer.socket.on('data', (bytes) => reads.push(bytes.length));
      return echo(peer);
    });
    const first = await new Sent(pool, '/first').over;
    t.equal(first.body, '/first');
    reads.length = 0;
    const sent = Array.from({ length: 10 }, (_, index) => new Sent(pool, `/${index}`));
    for (const [index, one] of sent.entries()) {
      await one.over;
      t.strictSame([one.body, one.status, one.failure, one.sent], [`/${index}`, 200, '', 1]);
      t.ok(
        one.call.figures.endUs >= one.call.figures.firstByteUs &&
          one.call.figures.firstByteUs >= one.call.figures.sentUs,
      );
    }
    t.equal(server.connections, 1);
    t.equal(reads.length, 1, 'one write');
  },
);

t.test('a connection takes as many as its depth, and the next ones go to another', async (t) => {
  const { server, pool } = await scene(t, (peer) => echo(peer));
  await Promise.all(Array.from({ length: 9 }, (_, index) => new Sent(pool, `/${index}`, { depth: 4 }).over));
  t.equal(server.connections, 3);
  t.equal(pool.open, 3);
});

t.test('a response to HEAD has no body, and the one behind it is whole', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    await peer.head();
    peer.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
    await echo(peer);
  });
  const [toHead, next] = [new Sent(pool, '/', { method: 'HEAD' }), new Sent(pool, '/next')];
  t.strictSame([(await toHead.over).failure, (await next.over).body], ['', '/next']);
});

t.test(
  'when a connection that worked closes, those without a byte of a response are sent once more',
  async (t) => {
    const { server, pool } = await scene(t, async (peer) => {
      for (let count = 1; ; count++) {
        const target = (await peer.head()).split(' ')[1]!;
        if (count < 3) peer.send(answer(target));
        else {
          peer.fin(answer(target, 'connection: close\r\n'));
          return;
        }
      }
    });
    const sent = Array.from({ length: 6 }, (_, index) => new Sent(pool, `/${index}`));
    for (const [index, one] of sent.entries())
      t.strictSame([(await one.over).body, one.failure, one.sent], [`/${index}`, '', 1]);
    t.equal(server.connections, 2);
    t.equal(pool.counted.retried, 3);
  },
);

t.test('a response that makes no sense fails as protocol, and those behind it go elsewhere', async (t) => {
  const { pool } = await scene(t, async (peer, index) => {
    if (index > 0) return echo(peer);
    await peer.head();
    peer.send(answer('/0'));
    await peer.head();
    peer.send('\x00nonsense\r\n\r\n');
  });
  const sent = [0, 1, 2].map((index) => new Sent(pool, `/${index}`));
  await Promise.all(sent.map(({ over }) => over));
  t.strictSame(
    sent.map(({ failure, body }) => [failure, body]),
    [
      ['', '/0'],
      ['protocol', ''],
      ['', '/2'],
    ],
  );
});

t.test('a response that is cut short fails as reset', async (t) => {
  const { pool } = await scene(t, async (peer, index) => {
    if (index > 0) return echo(peer);
    await peer.head();
    peer.send(answer('/0'));
    await peer.head();
    peer.fin('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
  });
  const sent = [0, 1, 2].map((index) => new Sent(pool, `/${index}`));
  await Promise.all(sent.map(({ over }) => over));
  t.strictSame(
    sent.map(({ failure }) => failure),
    ['', 'reset', ''],
  );
});

t.test('a new connection that is dropped without a byte fails all that it has, once', async (t) => {
  const { pool, server } = await scene(t, async (peer) => {
    await peer.head();
    peer.reset();
  });
  const sent = [0, 1, 2].map((index) => new Sent(pool, `/${index}`));
  await Promise.all(sent.map(({ over }) => over));
  t.ok(sent.every(({ failure, sent }) => failure === 'reset' && sent === 1));
  t.equal(server.connections, 1);
  t.equal(pool.open, 0);
});

t.test('a port that refuses fails as connect, before anything counts as sent', async (t) => {
  const pool = new TestPool([await refusedPort()]);
  const sent = [0, 1].map((index) => new Sent(pool, `/${index}`));
  await Promise.all(sent.map(({ over }) => over));
  t.ok(sent.every(({ failure, sent }) => failure === 'connect' && sent === 0));
  t.equal(pool.open, 0);
});

t.test('a request that times out takes none along, and nothing new is put behind it', async (t) => {
  let peers = 0;
  const { pool } = await scene(t, (peer) => (peers++ === 0 ? undefined : echo(peer)));
  const [late, other] = [
    new Sent(pool, '/late', { timeoutMs: 50 }),
    new Sent(pool, '/other', { timeoutMs: 400 }),
  ];
  t.equal((await late.over).failure, 'timeout');
  t.equal((await new Sent(pool, '/next').over).body, '/next', 'over another connection');
  t.equal((await other.over).failure, 'timeout');
  t.equal(pool.open, 1, 'the one that hung is closed when nobody waits for it any more');
});

t.test(
  'one that is given up within its response closes the connection, and before it is passed over',
  async (t) => {
    const { server, pool } = await scene(t, (peer) => echo(peer));
    await new Sent(pool, '/first').over;
    const [gone, kept] = [new Sent(pool, '/gone'), new Sent(pool, '/kept')];
    gone.call.cancel();
    t.equal((await kept.over).body, '/kept');
    t.equal(gone.body, '');
    const [flood, behind] = [new Sent(pool, '/flood'), new Sent(pool, '/behind')];
    flood.onBody = () => flood.call.cancel();
    t.equal((await behind.over).body, '/behind');
    t.ok(server.connections >= 2);
  },
);

t.test('bytes that nobody asked for close the connection', async (t) => {
  const { pool } = await scene(t, async (peer) => {
    await peer.head();
    peer.send(answer('/') + answer('more'));
    await once(peer.socket, 'close');
  });
  t.equal((await new Sent(pool, '/').over).body, '/');
  while (pool.open > 0) await new Promise(setImmediate);
  t.equal(pool.open, 0);
});

t.test('connections to an address that is gone close when they have nothing left to do', async (t) => {
  const answers: (() => void)[] = [];
  const server = await RawServer.listen(async (peer) => {
    for (;;) {
      const target = (await peer.head()).split(' ')[1];
      if (target === '/held') answers.push(() => peer.send(answer('held')));
      else peer.send(answer('ok'));
    }
  });
  t.teardown(() => server.close());
  const pool = new TestPool([server.port]);
  t.equal((await new Sent(pool, '/').over).body, 'ok');
  pool.follow([]);
  t.equal(pool.counted.closed, 1, 'one that is idle at once');
  const [target] = new TestPool([server.port]).endpoints;
  pool.follow([{ endpoint: target!.plan, address: target!.address, health: null }]);
  const held = new Sent(pool, '/held');
  while (answers.length === 0) await new Promise(setImmediate);
  pool.follow([]);
  t.equal(pool.counted.closed, 1);
  answers[0]!();
  t.equal((await held.over).body, 'held');
  while (pool.counted.closed < 2) await new Promise(setImmediate);
  t.equal((await new Sent(pool, '/').over).failure, 'no-endpoint');
});
