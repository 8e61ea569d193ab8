// Runs over one engine: copies are sent behind the engines.
import { type Asked, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { type RawPeer, type RawScript, RawServer, refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, sum, UmbraProcess } from '../support/umbra.js';
import { type ShadowFault, told } from './shadow-fault.js';

const requests = 60;
const concurrency = 8;
/**
 * Time limit of copies that nothing else ends. All others have time enough, or a slow machine would end them
 * in its own way.
 */
const shortTimeout = '400ms';
const longTimeout = '20s';
const hugeBytes = 20 * 1024 * 1024;
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** Requests with and without bodies, some larger than what is kept for a second sending. */
function asked(index: number): Asked {
  const target = `/reviews/${index}`;
  if (index % 3 === 0) return { target };
  return {
    target,
    method: 'POST',
    body: Buffer.alloc(index % 3 === 1 ? 100 : 40_000, `${index} `),
    chunkBytes: index % 2 === 0 ? 9_000 : null,
  };
}

/** Answers each request on the connection with `answer`, in turn. */
function serving(answer: (peer: RawPeer) => Promise<boolean> | boolean): RawScript {
  return async (peer) => {
    try {
      for (;;) {
        const head = await peer.head();
        const length = /content-length: (\d+)/i.exec(head);
        if (/transfer-encoding: chunked/i.test(head)) await peer.take('0\r\n\r\n');
        else if (length !== null) await peer.bytes(Number(length[1]));
        if (!(await answer(peer))) return;
      }
    } catch {
      // The connection ended.
    }
  };
}

const faults: readonly ShadowFault<RawScript>[] = [
  { name: 'refuses connections', script: null, reasons: ['connect'], rests: true },
  { name: 'accepts, reads and never answers', script: serving(() => true), reasons: ['timeout'] },
  {
    name: 'accepts and never reads',
    script: (peer) => void peer.socket.pause(),
    reasons: ['timeout', 'unread'],
  },
  {
    name: 'resets each connection as it comes',
    script: (peer) => peer.reset(),
    reasons: ['reset', 'connect'],
    rests: true,
  },
  {
    name: 'closes each connection as it comes',
    script: (peer) => peer.fin(),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'resets after the head of its response',
    script: serving(async (peer) => {
      await peer.sent('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
      peer.reset();
      return false;
    }),
    reasons: ['reset'],
  },
  {
    name: 'resets in the middle of its response',
    script: serving(async (peer) => {
      await peer.sent(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`);
      peer.reset();
      return false;
    }),
    reasons: ['reset'],
  },
  {
    name: 'ends its response short of its length',
    script: serving((peer) => {
      peer.fin('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort');
      return false;
    }),
    reasons: ['reset'],
  },
  {
    name: 'answers with garbage',
    script: serving((peer) => {
      peer.send('\x00\xffwhat is this?\r\n\r\n');
      return true;
    }),
    reasons: ['protocol'],
  },
  {
    name: 'switches to another protocol unasked',
    script: serving((peer) => {
      peer.send('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
      return true;
    }),
    reasons: ['protocol'],
  },
  {
    name: 'redirects',
    script: serving((peer) => {
      peer.send(
        'HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
      );
      return true;
    }),
    // An answer like any other: it is not followed, or the copy would fail at the closed port.
    reasons: [],
  },
  {
    name: 'speaks before it is asked',
    // A request may be on its way when the first response arrives: then that one is taken, and the connection
    // dropped.
    script: (peer) => peer.send(ok + ok),
    reasons: ['reset', 'protocol'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'never ends its response',
    script: serving(async (peer) => {
      peer.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      const piece = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      while (!peer.socket.destroyed) {
        await peer.sent(piece);
        await new Promise(setImmediate);
      }
      return false;
    }),
    reasons: ['timeout'],
  },
  {
    name: 'sends the head of its response forever',
    script: serving(async (peer) => {
      peer.send('HTTP/1.1 200 OK\r\n');
      while (!peer.socket.destroyed) await peer.sent(`x-more: ${'x'.repeat(1000)}\r\n`);
      return false;
    }),
    // On a slow machine the time is over before the head has become too large.
    reasons: ['protocol', 'timeout'],
  },
  {
    name: 'closes its connection after each response without a word',
    script: serving((peer) => {
      peer.fin(ok);
      return false;
    }),
    // Only a body that is too large to be kept for a second sending can fail.
    reasons: ['reset'],
    mayComplete: true,
  },
  {
    name: 'closes its connection after each response and says so',
    script: serving((peer) => {
      peer.fin('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
      return false;
    }),
    reasons: [],
  },
];

t.test('whatever v2 does, clients get what they would get without it', async (t) => {
  const v1 = await Origin.listen((received, response) => {
    response.setHeader('x-answer-to', received.target);
    response.end(`${received.method} ${received.target} ${received.bodySha}`);
  });
  const expected = (await askMany(v1.port, requests, concurrency, asked)).map(told);
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  t.strictSame(
    (await askMany(umbra.port, requests, concurrency, asked)).map(told),
    expected,
    'without a mirror',
  );
  let failedBefore: Record<string, number> = {};
  let countedBefore = 0;
  let droppedBefore = 0;
  for (const fault of faults) {
    await t.test(`v2 ${fault.name}`, async (t) => {
      const server = fault.script === null ? null : await RawServer.listen(fault.script);
      const port = server?.port ?? (await refusedPort());
      const time = fault.reasons.includes('timeout') ? shortTimeout : longTimeout;
      const mirror = { timeouts: { request: time, idle: time, total: time } };
      const replaced = await umbra.admin('PUT', '/api/config', reviews(v1.port, port, { mirror }));
      t.equal(replaced.status, 200);
      t.strictSame((await askMany(umbra.port, requests, concurrency, asked)).map(told), expected);
      const { eligible, dropped, failed, completed } = mirrorTo(await lawHolds(t, umbra), 'v2');
      t.equal(eligible - countedBefore, requests);
      const left = sum(dropped) - droppedBefore;
      t.equal(dropped['no-endpoint'], sum(dropped), 'nothing was dropped for another reason');
      if (fault.rests !== true) t.equal(left, 0, 'nothing was dropped');
      const now = Object.fromEntries(
        Object.entries(failed).map(([reason, count]) => [reason, count - (failedBefore[reason] ?? 0)]),
      );
      const failures = Object.keys(now).filter((reason) => now[reason] > 0);
      if (fault.reasons.length === 0) t.strictSame(failures, [], 'every copy was completed');
      else {
        if (fault.mayComplete !== true) t.equal(sum(now) + left, requests, 'no copy completed');
        t.strictSame(
          failures.filter((reason) => !fault.reasons.includes(reason)),
          [],
          `failed as ${failures}`,
        );
        if (fault.rests === true && fault.mayComplete !== true) t.ok(failures.length > 0, 'it was tried');
      }
      t.equal(completed + sum(failed) + sum(dropped), eligible);
      droppedBefore = sum(dropped);
      failedBefore = failed;
      countedBefore = eligible;
      await server?.close();
    });
  }
  t.equal((await umbra.stop()).code, 0);
  await v1.close();
});

t.test('a huge response of v2 is read and thrown away', async (t) => {
  const v1 = await Origin.listen();
  const huge = Buffer.alloc(hugeBytes, 'x');
  const v2 = await Origin.listen((_received, response) => void response.end(huge));
  const umbra = await UmbraProcess.start(reviews(v1.port, v2.port));
  const answers = await askMany(umbra.port, 8, 4, () => ({}));
  t.ok(answers.every(({ status, body }) => status === 200 && body.toString() === 'ok\n'));
  const stats = await lawHolds(t, umbra);
  t.equal(mirrorTo(stats, 'v2').completed, 8);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
