/** A client of HTTP/2 that costs little itself: it asks for `/`, and counts. */
import { connect, type Socket } from 'node:net';
import { Flag, FRAME_HEAD_BYTES, FrameType, PREFACE, writeFrameHead } from '../../core/http2/frame.js';
import { FrameReader, type FrameSink } from '../../core/http2/frame-reader.js';

/** `:method: GET`, `:scheme: http` and `:path: /` of the static table, and `:authority` as a literal. */
const indexed = Buffer.from([0x82, 0x86, 0x84, 0x01]);
const nothing = Buffer.alloc(0);

/** One connection. It rejects what is awaited when it is closed. */
export class BareHttp2 implements FrameSink {
  readonly isOver = false;
  /** Bytes of the header blocks of the latest response. */
  headerBytes = 0;
  readonly #socket: Socket;
  readonly #block: Buffer;
  readonly #reader = new FrameReader(this, true);
  #stream = -1;
  #dataFlags: number = Flag.NONE;
  #resolve: (() => void) | null = null;
  #reject: ((error: Error) => void) | null = null;

  constructor(urlText: string) {
    const { hostname, port, host } = new URL(urlText);
    this.#block = Buffer.concat([indexed, Buffer.from([host.length]), Buffer.from(host)]);
    this.#socket = connect(Number(port), hostname);
    this.#socket.on('data', (bytes: Buffer) => this.#reader.feed(bytes, 0, bytes.length));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('the connection was closed')));
    this.#socket.write(Buffer.concat([PREFACE, frame(FrameType.SETTINGS, Flag.NONE, 0)]));
  }

  /** Sends a request, and does not wait for its response. */
  open(): void {
    this.#stream += 2;
    const flags = Flag.END_HEADERS | Flag.END_STREAM;
    this.#socket.write(frame(FrameType.HEADERS, flags, this.#stream, this.#block));
  }

  /** Resolves when the response is complete. */
  ask(): Promise<void> {
    this.headerBytes = 0;
    this.open();
    return this.#awaits();
  }

  /** Resolves when the server has answered a PING, and has therefore read everything before it. */
  ping(): Promise<void> {
    this.#socket.write(frame(FrameType.PING, Flag.NONE, 0, Buffer.alloc(8)));
    return this.#awaits();
  }

  close(): void {
    this.#socket.destroy();
  }

  onFrame(type: number, flags: number, _stream: number, _bytes: Buffer, start: number, end: number): void {
    const isAck = (flags & Flag.ACK) !== 0;
    if (type === FrameType.SETTINGS && !isAck) this.#socket.write(frame(FrameType.SETTINGS, Flag.ACK, 0));
    if (type === FrameType.PING && isAck) this.#resolve?.();
    if (type !== FrameType.HEADERS && type !== FrameType.CONTINUATION) return;
    this.headerBytes += end - start;
    if ((flags & Flag.END_STREAM) !== 0) this.#resolve?.();
  }

  onDataHead(flags: number): void {
    this.#dataFlags = flags;
  }

  onDataPiece(_bytes: Buffer, _start: number, _end: number, last: boolean): void {
    if (last && (this.#dataFlags & Flag.END_STREAM) !== 0) this.#resolve?.();
  }

  onBadFrame(): void {
    this.#socket.destroy();
  }

  #awaits(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer = nothing): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  writeFrameHead(head, 0, payload.length, type, flags, stream);
  return Buffer.concat([head, payload]);
}
