/**
 * A server of HTTP/2 that answers GET with 295 bytes, 32 requests a turn on one connection in memory: our
 * session against `node:http2`, with the frame reader alone as the floor. Requests and responses repeat, as
 * those of one client do. CPU time for each request, the least of several rounds.
 *
 *   node dist/bench/core/http2.js
 */
import { performServerHandshake } from 'node:http2';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { nowUs } from '../../core/clock.js';
import { FRAME_HEAD_BYTES, PREFACE } from '../../core/http2/frame.js';
import { FrameReader } from '../../core/http2/frame-reader.js';
import { HpackEncoder } from '../../core/http2/hpack-encoder.js';
import { ServerSession, type ServerSessionOwner } from '../../core/http2/server-session.js';
import { SessionResources } from '../../core/http2/session-resources.js';
import type { Stream } from '../../core/http2/stream.js';
import { WriteArena } from '../../core/upstream/write-arena.js';
import type { WriteTarget } from '../../core/write-queue.js';
import { encodeList, type Pair } from '../../test/core/http2/hpack-lists.js';
import { frame, settingsFrame, uint32 } from '../../test/core/http2/session-side.js';
import { type Measured, printTable } from './measure.js';

const STREAMS = 32;
const TURNS = 200;
const ROUNDS = 7;
const TABLE = 4096;
const body = Buffer.alloc(295, 'x');
const DATA_BYTES = FRAME_HEAD_BYTES + body.length;

const request: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/reviews/7'],
  [':authority', 'shop.example.com'],
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
  ['accept', 'application/json'],
  ['accept-encoding', 'gzip, deflate, br'],
  ['accept-language', 'en-US,en;q=0.5'],
];
const response = {
  server: 'nginx/1.22.1',
  date: 'Tue, 05 Aug 2025 10:00:00 GMT',
  'content-type': 'application/json; charset=utf-8',
  'content-length': '295',
  'cache-control': 'no-store',
};
const lines = Object.entries(response)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** What a client sends, turn by turn. */
class Requests {
  readonly #encoder = new HpackEncoder(TABLE, TABLE);
  #next = 1;

  begin(): Buffer {
    return Buffer.concat([PREFACE, settingsFrame(), frame(4, 1, 0)]);
  }

  turn(): Buffer {
    const frames = [frame(8, 0, 0, uint32(STREAMS * body.length))];
    for (let count = 0; count < STREAMS; count++, this.#next += 2)
      frames.push(frame(1, 5, this.#next, encodeList(this.#encoder, request)));
    return Buffer.concat(frames);
  }
}

/** One server: gets what a client sends in a turn, and resolves with the bytes of its answers. */
interface Rival {
  readonly name: string;
  serve(bytes: Buffer): number | Promise<number>;
}

class Ours implements Rival, ServerSessionOwner, WriteTarget {
  readonly name = 'core/http2';
  readonly writing = false;
  readonly isDirect = false;
  readonly #session = new ServerSession(this, new SessionResources(nowUs, new WriteArena()), 16 * 1024);
  #bytes = 0;

  constructor() {
    this.#session.attach(this);
  }

  serve(bytes: Buffer): number {
    this.#bytes = 0;
    this.#session.receive(bytes, 0, bytes.length);
    this.#session.flush();
    return this.#bytes;
  }

  write(_block: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    return true;
  }

  writeParts(): number {
    return 0;
  }

  onRequest(stream: Stream): void {
    this.#session.sendAnswer(stream, 200, lines, false);
    this.#session.write(stream, body, true);
  }

  onRefused(): void {}
  onOutput(): void {}
  onSettings(): void {}
  onGoaway(): void {}
  onPong(): void {}
  onStreamClosed(): void {}
  onGuard(): void {}
  onOver(): void {}
}

class Nodes extends Duplex implements Rival {
  readonly name = 'node:http2, stream API (the rival)';
  #bytes = 0;

  constructor() {
    super();
    const session = performServerHandshake(this);
    session.on('stream', (stream) => {
      stream.respond({ ':status': 200, ...response });
      stream.end(body);
    });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#bytes += chunk.length;
    done();
  }

  async serve(bytes: Buffer): Promise<number> {
    this.#bytes = 0;
    this.push(bytes);
    // The answers are whole when all bodies are.
    const expected = bytes.length > 1000 ? STREAMS * DATA_BYTES : 1;
    while (this.#bytes < expected) await turn();
    return this.#bytes;
  }
}

/** What any server must at least do: cut the bytes into frames. */
class Floor implements Rival {
  readonly name = 'frames alone (the floor)';
  #frames = 0;
  readonly #reader = new FrameReader(
    {
      isOver: false,
      onFrame: () => {
        this.#frames++;
      },
      onDataHead: () => {},
      onDataPiece: () => {},
      onBadFrame: () => {},
    },
    false,
  );

  serve(bytes: Buffer): number {
    this.#reader.feed(bytes, 0, bytes.length);
    return this.#frames;
  }
}

async function measure(make: () => Rival): Promise<Measured> {
  let best = Number.POSITIVE_INFINITY;
  let name = '';
  for (let round = 0; round < ROUNDS; round++) {
    const server = make();
    const requests = new Requests();
    name = server.name;
    await server.serve(requests.begin());
    const turns = Array.from({ length: TURNS }, () => requests.turn());
    const before = process.cpuUsage();
    for (const bytes of turns) await server.serve(bytes);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / (TURNS * STREAMS));
  }
  return { name, nsPerRun: best };
}

const rows: Measured[] = [];
for (const make of [() => new Floor(), () => new Ours(), () => new Nodes()]) rows.push(await measure(make));
printTable('one request and its response', rows);
