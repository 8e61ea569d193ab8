import { ResponseFault } from '../../../core/http/response-fault.js';
import { type RawScript, RawServer } from '../../support/raw-server.js';
import t, { type Test } from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

/** Runs one GET against a server whose connections run `script`. */
async function exchange(
  t: Test,
  script: RawScript,
  timeoutMs?: number,
): Promise<{ e: Exchange; pool: TestPool; server: RawServer }> {
  const server = await RawServer.listen(script);
  const pool = new TestPool([server.port]);
  t.teardown(async () => {
    pool.close();
    await server.close();
  });
  const e = await new Exchange().get(pool, 'GET', timeoutMs).end();
  return { e, pool, server };
}

/** One GET and what it must come to, for faults that need no more than a script. */
const faults: readonly {
  what: string;
  script: RawScript;
  failure: string;
  events: string[];
  fault?: ResponseFault;
}[] = [
  {
    what: 'a reset before the head',
    script: async (peer) => {
      await peer.head();
      peer.reset();
    },
    failure: 'reset',
    events: ['sent', 'failure'],
  },
  {
    what: 'a FIN before the head',
    script: async (peer) => {
      await peer.head();
      peer.fin();
    },
    failure: 'reset',
    events: ['sent', 'failure'],
  },
  {
    what: 'a FIN within the head',
    script: async (peer) => {
      await peer.head();
      peer.fin('HTTP/1.1 200 OK\r\nContent-Le');
    },
    failure: 'reset',
    events: ['sent', 'failure'],
  },
  {
    what: 'a FIN short of Content-Length',
    script: async (peer) => {
      await peer.head();
      peer.fin('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    },
    failure: 'reset',
    events: ['sent', 'head', 'body', 'failure'],
  },
  {
    what: 'a chunked body that is cut before its last chunk',
    script: async (peer) => {
      await peer.head();
      peer.fin('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
    },
    failure: 'reset',
    events: ['sent', 'head', 'body', 'failure'],
  },
  {
    what: 'a chunked body that is cut within its trailer section',
    script: async (peer) => {
      await peer.head();
      peer.fin('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n');
    },
    failure: 'reset',
    events: ['sent', 'head', 'body', 'failure'],
  },
  {
    what: 'a 101 that nobody asked for',
    script: async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
    },
    failure: 'protocol',
    events: ['sent', 'failure'],
    fault: ResponseFault.UNASKED_UPGRADE,
  },
  {
    what: 'bytes that are no response',
    script: async (peer) => {
      await peer.head();
      peer.send('SSH-2.0-OpenSSH\r\n');
    },
    failure: 'protocol',
    events: ['sent', 'failure'],
    fault: ResponseFault.STATUS_LINE,
  },
  {
    what: 'a head of 1 MB',
    script: async (peer) => {
      await peer.head();
      peer.send(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1024 * 1024)}\r\n\r\n`);
    },
    failure: 'protocol',
    events: ['sent', 'failure'],
    fault: ResponseFault.HEAD_TOO_LARGE,
  },
  {
    what: 'a head of 10,000 fields',
    script: async (peer) => {
      await peer.head();
      peer.send(`HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(10_000)}\r\n`);
    },
    failure: 'protocol',
    events: ['sent', 'failure'],
    fault: ResponseFault.TOO_MANY_FIELDS,
  },
  {
    what: 'interim responses without end',
    script: async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1000));
    },
    failure: 'protocol',
    events: ['sent', 'failure'],
    fault: ResponseFault.TOO_MANY_INTERIMS,
  },
  {
    what: 'a chunk whose data does not end where its size says',
    script: async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n');
    },
    failure: 'protocol',
    events: ['sent', 'head', 'body', 'failure'],
    fault: ResponseFault.CHUNK_END,
  },
];

for (const { what, script, failure, events, fault } of faults) {
  t.test(`${what} fails with ${failure} and costs the connection`, async (t) => {
    const { e, pool } = await exchange(t, script);
    t.equal(e.failure, failure);
    t.strictSame(e.events, events);
    t.equal(e.call.figures.fault, fault ?? ResponseFault.NONE);
    t.equal(e.call.figures.headSeen, events.includes('head'));
    t.equal(pool.open, 0);
    t.equal(pool.resources.deadlines.count, pool.counted.ejected);
    t.equal(pool.resources.arena.heldBytes, 0);
  });
}

t.test('a reset within the head fails with reset', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.trickle('HTTP/1.1 200 OK\r\nX');
    peer.reset();
  });
  t.teardown(() => server.close());
  const e = await new Exchange().get(new TestPool([server.port])).end();
  t.equal(e.failure, 'reset');
  t.strictSame(e.events, ['sent', 'failure']);
});

t.test('a reset within the body fails with reset after what had come', async (t) => {
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await peer.take('never').catch(() => undefined);
  });
  t.teardown(() => server.close());
  const e = new Exchange().get(new TestPool([server.port]));
  await e.until('body');
  await server.close();
  await e.end();
  t.equal(e.failure, 'reset');
  t.equal(e.body, 'hello');
  t.notOk(e.events.includes('end'));
});

t.test('a reset within a body that ends with the connection is a failure, a FIN is its end', async (t) => {
  const { e } = await exchange(t, async (peer) => {
    await peer.head();
    peer.fin('HTTP/1.1 200 OK\r\n\r\nall there is');
  });
  t.equal(e.failure, '');
  t.equal(e.body, 'all there is');
  t.ok(e.call.figures.endUs >= e.call.figures.sentUs);

  let peerToReset: { reset(): void } | null = null;
  const server = await RawServer.listen(async (peer) => {
    await peer.head();
    await peer.sent('HTTP/1.1 200 OK\r\n\r\nnot all');
    peerToReset = peer;
  });
  t.teardown(() => server.close());
  const cut = new Exchange().get(new TestPool([server.port]));
  await cut.until('body');
  peerToReset!.reset();
  await cut.end();
  t.equal(cut.failure, 'reset');
  t.equal(cut.body, 'not all');
});

t.test('a response that comes one byte at a time is the same response', async (t) => {
  const { e, pool } = await exchange(t, async (peer) => {
    await peer.head();
    await peer.trickle(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n',
    );
  });
  t.equal(e.failure, '');
  t.strictSame(e.interims, ['103 Early Hints\r\nLink: </a>']);
  t.equal(e.head, '200 OK\r\nX-A: b');
  t.equal(e.body, 'hello!');
  t.equal(pool.idle, 1);
});

t.test('interim responses come before the final head; a 100 that nobody asked for does not', async (t) => {
  const { e } = await exchange(t, async (peer) => {
    await peer.head();
    peer.send(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    );
  });
  t.strictSame(e.events, ['sent', 'interim', 'head', 'end']);
  t.equal(e.head, '204 No Content');
});

t.test('bytes after a whole response are ignored and cost the connection', async (t) => {
  const { e, pool, server } = await exchange(t, async (peer) => {
    await peer.head();
    peer.send(
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL',
    );
  });
  t.equal(e.body, 'ok');
  t.equal(pool.idle, 0);
  const second = await new Exchange().get(pool).end();
  t.equal(second.body, 'ok');
  t.equal(server.connections, 2);
});

t.test('bytes on an idle connection are no answer to the next request', async (t) => {
  let send: (() => void) | null = null;
  const { e, pool, server } = await exchange(t, async (peer, index) => {
    await peer.head();
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${index}`);
    send = () => peer.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL');
  });
  t.equal(e.body, '0');
  t.equal(pool.idle, 1);
  send!();
  while (pool.idle > 0) await new Promise(setImmediate);
  const second = await new Exchange().get(pool).end();
  t.equal(second.body, '1');
  t.equal(server.connections, 2);
});

t.test('a response that never ends is cut by the timeout of the exchange', async (t) => {
  const { e, pool } = await exchange(
    t,
    async (peer) => {
      await peer.head();
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      while (!peer.socket.destroyed) {
        await peer.sent('1\r\nx\r\n');
        await new Promise(setImmediate);
      }
    },
    100,
  );
  t.equal(e.failure, 'timeout');
  t.ok(e.body.length > 0);
  t.equal(pool.open, 0);
});

t.test('a response that never begins is cut by the timeout of the exchange', async (t) => {
  const { e, pool } = await exchange(t, () => undefined, 50);
  t.equal(e.failure, 'timeout');
  t.strictSame(e.events, ['sent', 'failure']);
  t.equal(pool.open, 0);
});
