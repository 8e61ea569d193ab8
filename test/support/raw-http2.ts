/** A client of HTTP/2 that writes frames, right or wrong ones, and reads those of the server as text. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FRAME_HEAD_BYTES, PREFACE, readUint24 } from '../../core/http2/frame.js';
import { HpackDecoder } from '../../core/http2/hpack-decoder.js';
import { HpackEncoder } from '../../core/http2/hpack-encoder.js';
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
  readonly #decoder = new HpackDecoder(TABLE);
  #rest: Buffer = Buffer.alloc(0);
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

  /** Resolves when the server has closed the connection. */
  async ended(): Promise<void> {
    this.socket.once('end', () => this.socket.end());
    if (this.socket.readableEnded) this.socket.end();
    await this.#when(() => (this.isClosed ? '' : undefined), 'the end');
  }

  #take(bytes: Buffer): void {
    const all = Buffer.concat([this.#rest, bytes]);
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
