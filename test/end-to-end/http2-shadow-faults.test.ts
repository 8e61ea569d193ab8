// Runs over one engine: copies are sent behind the engines.
/** Shadows of HTTP/2 that misbehave: no client notices, and the law is exact. */
import { frame, uint32 } from '../core/http2/session-side.js';
import { type Asked, askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { hello, type RawHttp2, RawHttp2Server, type RawScript2 } from '../support/raw-http2.js';
import { refusedPort } from '../support/raw-server.js';
import t from '../support/tap.js';
import { reviews, sum, UmbraProcess } from '../support/umbra.js';
import { type ShadowFault, told } from './shadow-fault.js';

const requests = 60;
const concurrency = 8;
const shortTimeout = '400ms';
const longTimeout = '20s';
const REFUSED = 7;
const INTERNAL = 2;
const CALM = 11;
const INT31_MAX = 2 ** 31 - 1;

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

const rst = (stream: number, code: number): Buffer => frame(3, 0, stream, uint32(code));
const goaway = (last: number, code = 0): Buffer => frame(7, 0, 0, uint32(last, code));

/** Does `act` with each stream once its request has ended; true continues. */
function streams(act: (peer: RawHttp2, stream: number, index: number) => boolean): RawScript2 {
  return async (peer, index) => {
    peer.send(hello([4, 1024 * 1024]), frame(8, 0, 0, uint32(2 ** 30)));
    for (let stream = 1; ; stream += 2) {
      await peer.until(new RegExp(`^(HEADERS|DATA) ${stream} .*end$`));
      if (!act(peer, stream, index)) return;
    }
  };
}

/** Does it as soon as a stream is opened. */
function heads(act: (peer: RawHttp2, stream: number) => boolean): RawScript2 {
  return async (peer) => {
    peer.send(hello([4, 1024 * 1024]), frame(8, 0, 0, uint32(2 ** 30)));
    for (let stream = 1; ; stream += 2) {
      await peer.until(new RegExp(`^HEADERS ${stream} `));
      if (!act(peer, stream)) return;
    }
  };
}

const head = (peer: RawHttp2, stream: number): Buffer => peer.headers(stream, [[':status', '200']], false);
const end = (stream: number): Buffer => frame(0, 1, stream, Buffer.from('ok'));
const answer = (peer: RawHttp2, stream: number): void => peer.send(head(peer, stream), end(stream));

/** Frames that follow each other a few milliseconds apart. */
function paced(peer: RawHttp2, [first, ...rest]: readonly Buffer[]): void {
  if (first === undefined || peer.isClosed) return;
  peer.send(first);
  setTimeout(paced, 5, peer, rest);
}

const faults: readonly ShadowFault<RawScript2>[] = [
  { name: 'refuses connections', script: null, reasons: ['connect'], rests: true },
  { name: 'accepts and says nothing', script: () => {}, reasons: ['connect'], rests: true },
  {
    name: 'closes each connection as it comes',
    script: (peer) => void peer.socket.end(),
    reasons: ['reset', 'connect'],
    rests: true,
  },
  {
    name: 'resets each connection as it comes',
    script: (peer) => void peer.socket.resetAndDestroy(),
    reasons: ['reset', 'connect'],
    rests: true,
  },
  { name: 'reads and never answers', script: streams(() => true), reasons: ['timeout'], rests: true },
  {
    name: 'has a window of 0',
    script: (peer) => peer.send(hello([4, 0])),
    reasons: ['timeout', 'unread'],
    rests: true,
  },
  {
    name: 'reads nothing after SETTINGS',
    script: (peer) => {
      peer.send(hello());
      peer.socket.pause();
    },
    reasons: ['timeout', 'unread'],
    rests: true,
  },
  { name: 'allows no streams', script: (peer) => peer.send(hello([3, 0])), reasons: [], rests: true },
  {
    name: 'resets every stream',
    script: heads((peer, stream) => {
      peer.send(rst(stream, INTERNAL));
      return true;
    }),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'refuses every stream',
    script: heads((peer, stream) => {
      peer.send(rst(stream, REFUSED));
      return true;
    }),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'refuses every second stream',
    script: streams((peer, stream) => {
      if (stream % 4 === 1) peer.send(rst(stream, REFUSED));
      else answer(peer, stream);
      return true;
    }),
    reasons: ['reset'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'answers, then sends GOAWAY and closes',
    script: streams((peer, stream) => {
      answer(peer, stream);
      peer.send(goaway(stream));
      return false;
    }),
    // Only bodies that were not kept can fail.
    reasons: ['reset'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends GOAWAY that leaves out all streams',
    script: heads((peer) => {
      peer.send(goaway(0));
      return false;
    }),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'sends GOAWAY before its SETTINGS are acknowledged',
    script: (peer) => peer.send(hello(), goaway(0)),
    reasons: ['reset', 'connect', 'overloaded'],
    rests: true,
  },
  {
    name: 'stops within its response',
    script: streams((peer, stream) => {
      peer.send(head(peer, stream), frame(0, 0, stream, Buffer.from('o')));
      return true;
    }),
    reasons: ['timeout'],
    rests: true,
  },
  {
    name: 'closes within its response',
    script: streams((peer, stream) => {
      peer.send(head(peer, stream));
      peer.socket.end();
      return false;
    }),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'answers slowly, in pieces',
    script: streams((peer, stream) => {
      paced(peer, [
        head(peer, stream),
        frame(0, 0, stream, Buffer.from('o')),
        frame(0, 0, stream),
        end(stream),
      ]);
      return true;
    }),
    reasons: [],
  },
  {
    name: 'sends GOAWAY while the request comes, and answers',
    script: heads((peer, stream) => {
      peer.send(goaway(stream));
      answer(peer, stream);
      return false;
    }),
    reasons: ['reset'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends GOAWAY between head and body',
    script: streams((peer, stream) => {
      peer.send(head(peer, stream), goaway(stream), end(stream));
      return false;
    }),
    reasons: ['reset'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends GOAWAY within a response, and leaves that one out',
    script: streams((peer, stream) => {
      peer.send(head(peer, stream), goaway(Math.max(0, stream - 2)), end(stream));
      return false;
    }),
    reasons: ['reset', 'protocol'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends GOAWAY twice, as in a drain',
    script: streams((peer, stream) => {
      peer.send(goaway(INT31_MAX), head(peer, stream), goaway(stream), end(stream));
      return false;
    }),
    reasons: ['reset'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends GOAWAY with an error',
    script: streams((peer, stream) => {
      peer.send(head(peer, stream), goaway(stream, CALM));
      peer.socket.end();
      return false;
    }),
    reasons: ['reset'],
    rests: true,
  },
  {
    name: 'sends GOAWAY with its SETTINGS, and serves what comes anyway',
    script: async (peer) => {
      peer.send(hello([4, 1024 * 1024]), goaway(INT31_MAX), frame(8, 0, 0, uint32(2 ** 30)));
      for (let stream = 1; ; stream += 2) {
        await peer.until(new RegExp(`^(HEADERS|DATA) ${stream} .*end$`));
        answer(peer, stream);
      }
    },
    reasons: ['reset', 'connect', 'overloaded'],
    mayComplete: true,
    rests: true,
  },
  {
    name: 'sends what is no HTTP/2',
    script: streams((peer) => {
      peer.send(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
      return false;
    }),
    reasons: ['protocol'],
    rests: true,
  },
  {
    name: 'sends a malformed head',
    script: streams((peer, stream) => {
      peer.send(peer.headers(stream, [['no-status', '1']]));
      return true;
    }),
    reasons: ['protocol'],
    rests: true,
  },
  {
    name: 'answers before the request is whole',
    script: heads((peer, stream) => {
      answer(peer, stream);
      return true;
    }),
    reasons: [],
  },
];

t.test('whatever a shadow of HTTP/2 does, clients get what they would get without it', async (t) => {
  const v1 = await Origin.listen((received, response) => {
    response.setHeader('x-answer-to', received.target);
    response.end(`${received.method} ${received.target} ${received.bodySha}`);
  });
  const expected = (await askMany(v1.port, requests, concurrency, asked)).map(told);
  const umbra = await UmbraProcess.start(reviews(v1.port, null));
  t.teardown(async () => {
    await umbra.stop();
    await v1.close();
  });
  let before = { eligible: 0, completed: 0, dropped: 0, failed: {} as Record<string, number> };
  for (const fault of faults) {
    await t.test(`v2 ${fault.name}`, async (t) => {
      const server = fault.script === null ? null : await RawHttp2Server.listen(fault.script);
      const port = server?.port ?? (await refusedPort());
      const time = fault.reasons.includes('timeout') ? shortTimeout : longTimeout;
      const config = reviews(v1.port, port, {
        mirror: { timeouts: { request: time, idle: time, total: time } },
        v2: {
          protocol: 'http2',
          connections: { max: 4, connectTimeout: '500ms', queue: { timeout: '300ms' } },
        },
      });
      t.equal((await umbra.admin('PUT', '/api/config', config)).status, 200);
      t.strictSame((await askMany(umbra.port, requests, concurrency, asked)).map(told), expected);
      const now = mirrorTo(await lawHolds(t, umbra), 'v2');
      t.equal(now.eligible - before.eligible, requests);
      const dropped = sum(now.dropped) - before.dropped;
      const failures = Object.entries(now.failed)
        .filter(([reason, count]) => count > (before.failed[reason] ?? 0))
        .map(([reason]) => reason);
      t.strictSame(
        failures.filter((reason) => !fault.reasons.includes(reason)),
        [],
        `failed as ${failures}, ${dropped} dropped, ${now.completed - before.completed} completed`,
      );
      if (fault.rests !== true) t.equal(dropped, 0, 'nothing was dropped');
      if (fault.reasons.length > 0 && fault.mayComplete !== true) {
        t.equal(now.completed, before.completed, 'no copy completed');
        t.ok(failures.length > 0, 'it was tried');
      }
      if (fault.reasons.length === 0 && fault.rests !== true)
        t.equal(now.completed - before.completed, requests, 'every copy completed');
      before = { ...now, dropped: sum(now.dropped) };
      await server?.close();
    });
  }
});
