/**
 * Bodies in pieces of all sizes, to a server that reads at once or after a while: what goes past the outbox
 * must not overtake what is in it.
 */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { currentRead } from '../../../core/current-read.js';
import { Framing } from '../../../core/http/message.js';
import { limits } from '../../../core/limits.js';
import { RawServer } from '../../support/raw-server.js';
import t from '../../support/tap.js';
import { Exchange, TestPool } from './exchange.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** The body without framing, as its hash and its length. */
interface Body {
  readonly hash: string;
  readonly bytes: number;
}

function sum(pieces: readonly Uint8Array[]): Body {
  const hash = createHash('sha1');
  for (const piece of pieces) hash.update(piece);
  return { hash: hash.digest('hex'), bytes: pieces.reduce((bytes, piece) => bytes + piece.length, 0) };
}

class Reader {
  readonly bodies: Body[] = [];
  /** Bytes of the body of each request. */
  wanted = 0;
  /** A connection is read only when `readNow` is called, which is there once the connection is. */
  waits = false;
  readNow: (() => void) | null = null;

  static async listen(): Promise<{ reader: Reader; server: RawServer }> {
    const reader = new Reader();
    const server = await RawServer.listen(async (peer) => {
      peer.socket.removeAllListeners('data');
      peer.socket.pause();
      if (reader.waits)
        await new Promise<void>((resolve) => {
          reader.readNow = resolve;
        });
      const pieces: Buffer[] = [];
      peer.socket.on('data', (data: Buffer) => {
        pieces.push(data);
        const all = Buffer.concat(pieces);
        const head = all.indexOf('\r\n\r\n');
        if (head < 0 || all.length < head + 4 + reader.wanted) return;
        pieces.length = 0;
        reader.bodies.push(sum([all.subarray(head + 4)]));
        peer.send(ok);
      });
      peer.socket.resume();
    });
    return { reader, server };
  }
}

t.test('pieces of every size arrive in order, however late the server reads', async (t) => {
  const { reader, server } = await Reader.listen();
  const sizes = fc.constantFrom(
    1,
    300,
    limits.passedBytes - 1,
    limits.passedBytes,
    limits.replayBytes + 1,
    limits.writeBlockBytes - 200,
    limits.writeBlockBytes,
    limits.writeBlockBytes + 1,
    5 * limits.writeBlockBytes,
    4 * 1024 * 1024,
  );
  const body = fc.array(sizes, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(body, fc.boolean(), fc.boolean(), fc.nat(255), async (lengths, waits, isRead, first) => {
      const pool = new TestPool([server.port]);
      const pieces = lengths.map((length, i) =>
        Buffer.alloc(length, Buffer.from([first + i, i, first, 7 * i + 1, 0])),
      );
      const sent = sum(pieces);
      reader.wanted = sent.bytes;
      reader.waits = waits;
      reader.readNow = null;
      reader.bodies.length = 0;
      const e = new Exchange();
      e.send(pool, { method: 'POST', framing: Framing.LENGTH, contentLength: sent.bytes, totalMs: 20_000 });
      let next = 0;
      const write = (): void => {
        // The caller's memory is its own again once the read is over, or else once `write` has returned.
        const lent: Buffer[] = [];
        if (isRead) currentRead.begin();
        for (let more = true; more && next < pieces.length; ) {
          const piece = Buffer.from(pieces[next]!);
          more = e.call.write(piece, ++next === pieces.length);
          if (isRead) lent.push(piece);
          else piece.fill(0xff);
        }
        if (isRead) currentRead.end();
        for (const piece of lent) piece.fill(0xff);
      };
      e.hooks.set('drain', write);
      write();
      if (waits) {
        while (reader.readNow === null) await new Promise(setImmediate);
        (reader.readNow as () => void)();
      }
      await e.end();
      pool.close();
      return e.failure === '' && JSON.stringify(reader.bodies) === JSON.stringify([sent]);
    }),
    { numRuns: 60 },
  );
  await server.close();
  t.pass();
});

t.test(
  'a large piece takes no block of the thread: it goes out behind the head from where it lies',
  async (t) => {
    const { reader, server } = await Reader.listen();
    const pool = new TestPool([server.port]);
    t.teardown(async () => {
      pool.close();
      await server.close();
    });
    const piece = Buffer.alloc(limits.writeBlockBytes, 'x');
    reader.wanted = piece.length;
    const { arena } = pool.resources;
    const takes = t.capture(arena, 'take', arena.take);
    const post = async (): Promise<number> => {
      const e = new Exchange();
      e.send(pool, {
        method: 'POST',
        framing: Framing.LENGTH,
        contentLength: piece.length,
        totalMs: 20_000,
      });
      e.call.write(piece, true);
      await e.end();
      t.equal(e.failure, '');
      return takes().length;
    };
    t.equal(await post(), 2, 'held in two blocks until there is a connection');
    t.equal(await post(), 1, 'the head alone');
    t.equal(arena.heldBytes, 0);
  },
);
