/**
 * One side of a connection of HTTP/2 that writes frames, right or wrong ones, and reads those of its peer as
 * text.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { FRAME_HEAD_BYTES, PREFACE, readUint24 } from '../../core/http2/frame.js';
import { HpackDecoder } from '../../core/http2/hpack-decoder.js';
import { HpackEncoder } from '../../core/http2/hpack-encoder.js';
import { LiteralCache } from '../../core/http2/literal-cache.js';
import { encodeList, type Pair } from '../core/http2/hpack-lists.js';
import { frame, framesText, settingsFrame } from '../core/http2/session-side.js';

const TABLE = 4096;
const patienceMs = 10_000;

export class RawHttp2 {
  readonly socket: Socket;
  /** One line for each frame: `HEADERS 1 :status=200`, `DATA 1 3 end`, `GOAWAY 0 NO_ERROR`. */
  readonly frames: string[] = [];
  isClosed = false;
  readonly #encoder = new HpackEncoder(TABLE, TABLE);
  readonly #decoder = new HpackDecoder(TABLE, new LiteralCache());
  #rest: Buffer = Buffer.alloc(0);
  #skip = 0;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('close', () => {
      this.isClosed = true;
      this.#awake();
    });
  }

  /** The server's side of a connection that was accepted; the preface of the client is left out. */
  static accepted(socket: Socket): RawHttp2 {
    const server = new RawHttp2(socket);
    server.#skip = PREFACE.length;
    return server;
  }

  /** Connects, and says nothing. */
  static async open(port: number, allowHalfOpen = false): Promise<RawHttp2> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
    const client = new RawHttp2(socket);
    await once(socket, 'connect');
    return client;
  }

  /** Connects, and sends the preface and SETTINGS, and acknowledges those of the server. */
  static async connect(
    port: number,
    settings: readonly (readonly [number, number])[] = [],
  ): Promise<RawHttp2> {
    const client = await RawHttp2.open(port, true);
    client.send(PREFACE, settingsFrame(...settings), frame(4, 1, 0));
    return client;
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** HEADERS with a whole block. */
  headers(stream: number, pairs: readonly Pair[], ends = true): Buffer {
    return frame(1, ends ? 5 : 4, stream, this.block(pairs));
  }

  block(pairs: readonly Pair[]): Buffer {
    return Buffer.from(encodeList(this.#encoder, pairs));
  }

  /** Resolves when a frame matches; with the line. */
  async until(pattern: RegExp): Promise<string> {
    return this.#when(() => this.frames.find((line) => pattern.test(line)), String(pattern));
  }

  /** Resolves when so many frames match; with their lines. */
  async untilAll(pattern: RegExp, count: number): Promise<string[]> {
    const matching = () => this.frames.filter((line) => pattern.test(line));
    await this.#when(() => (matching().length >= count ? '' : undefined), `${count} of ${pattern}`);
    return matching();
  }

  /** Resolves when the peer has closed the connection. */
  async ended(): Promise<void> {
    this.socket.once('end', () => this.socket.end());
    if (this.socket.readableEnded) this.socket.end();
    await this.#when(() => (this.isClosed ? '' : undefined), 'the end');
  }

  #take(bytes: Buffer): void {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    const all = Buffer.concat([this.#rest, bytes.subarray(skipped)]);
    let end = 0;
    while (all.length - end >= FRAME_HEAD_BYTES) {
      const next = end + FRAME_HEAD_BYTES + readUint24(all, end);
      if (next > all.length) break;
      end = next;
    }
    this.frames.push(...framesText(all.subarray(0, end), this.#decoder));
    this.#rest = all.subarray(end);
    this.#awake();
  }

  #awake(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #when(found: () => string | undefined, what: string): Promise<string> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#awake();
    }, patienceMs);
    try {
      for (;;) {
        const line = found();
        if (line !== undefined) return line;
        if (isLate || this.isClosed)
          throw new Error(
            `${what} did not come${this.isClosed ? ', the connection closed' : ''}:\n${this.frames.join('\n')}`,
          );
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What a raw server does with each connection, by its number. */
export type RawScript2 = (peer: RawHttp2, index: number) => void | Promise<void>;

/** A server on a free port of the loopback whose connections each run a script, in frames. */
export class RawHttp2Server {
  readonly peers: RawHttp2[] = [];
  /** What scripts threw after their connection had ended is left out. */
  readonly errors: unknown[] = [];
  readonly #server = createServer();

  static async listen(script: RawScript2): Promise<RawHttp2Server> {
    const server = new RawHttp2Server();
    server.#server.on('connection', (socket) => {
      const peer = RawHttp2.accepted(socket);
      const index = server.peers.push(peer) - 1;
      Promise.resolve()
        .then(() => script(peer, index))
        .catch((error) => peer.isClosed || server.errors.push(error));
    });
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The server's SETTINGS, and the acknowledgement of the client's. */
export function hello(...settings: readonly (readonly [number, number])[]): Buffer {
  return Buffer.concat([settingsFrame(...settings), frame(4, 1, 0)]);
}
