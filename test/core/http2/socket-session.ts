/** Sessions on sockets of the loopback, for tests against the HTTP/2 of Node. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { nowUs } from '../../../core/clock.js';
import type { RequestHead } from '../../../core/http/message.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { ClientSession } from '../../../core/http2/client-session.js';
import { ServerSession, type ServerSessionOwner } from '../../../core/http2/server-session.js';
import type { Session, SessionOwner } from '../../../core/http2/session.js';
import { SessionResources } from '../../../core/http2/session-resources.js';
import { ignoringSink, type Stream, type StreamSink } from '../../../core/http2/stream.js';
import { WriteArena } from '../../../core/upstream/write-arena.js';
import { writeNow } from '../../../core/write-now.js';
import type { WriteTarget } from '../../../core/write-queue.js';

const resources = new SessionResources(nowUs, new WriteArena());

/** A socket as an owner of a session drives it: flushed once a turn. */
export class SocketOwner implements SessionOwner, WriteTarget {
  readonly isDirect = true;
  readonly socket: Socket;
  session: Session | null = null;
  readonly goaways: number[] = [];
  overCode: number | null = null;
  #flushing = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
  }

  begin(session: Session): void {
    this.session = session;
    const { socket } = this;
    session.attach(this);
    session.flush();
    socket.on('data', (bytes: Buffer) => session.receive(bytes, 0, bytes.length));
    socket.on('drain', () => session.flush());
    socket.on('error', () => {});
    socket.on('close', () => session.lost());
  }

  get writing(): boolean {
    return this.socket.writableLength > 0;
  }

  write(block: Buffer, start: number, end: number): boolean {
    this.socket.write(block.subarray(start, end));
    return !this.writing;
  }

  /** One part at a time is as good as all of them, for a test. */
  writeParts(parts: readonly Uint8Array[]): number {
    let taken = 0;
    for (const part of parts) {
      const count = writeNow(this.socket, part, 0, part.length);
      taken += count;
      if (count < part.length) break;
    }
    return taken;
  }

  onOutput(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      this.session!.flush();
      if (this.session!.isOver) this.socket.end();
    });
  }

  onSettings(): void {}
  onPong(): void {}
  onStreamClosed(): void {}
  onGuard(): void {}
  onGoaway(code: number): void {
    this.goaways.push(code);
  }
  onOver(code: number): void {
    this.overCode = code;
  }
}

/** What a server does with a request; what it returns takes the rest of it. */
export type Handle = (session: ServerSession, stream: Stream, head: RequestHead) => Partial<StreamSink>;

class ServerOwner extends SocketOwner implements ServerSessionOwner {
  readonly #handle: Handle;

  constructor(socket: Socket, handle: Handle) {
    super(socket);
    this.#handle = handle;
  }

  onRequest(stream: Stream, head: RequestHead): void {
    stream.sink = { ...ignoringSink, ...this.#handle(this.session as ServerSession, stream, head) };
  }

  onRefused(stream: Stream): void {
    (this.session as ServerSession).sendAnswer(stream, 400, '', true);
  }
}

export interface TestServer {
  readonly url: string;
  readonly owners: SocketOwner[];
  close(): void;
}

export async function listen(handle: Handle): Promise<TestServer> {
  const owners: SocketOwner[] = [];
  const server: Server = createServer((socket) => {
    const owner = new ServerOwner(socket, handle);
    owners.push(owner);
    owner.begin(new ServerSession(owner, resources, 64 * 1024));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    owners,
    close: () => {
      for (const { socket } of owners) socket.destroy();
      server.close();
    },
  };
}

/** A session to a server on a port of the loopback. */
export async function connectTo(port: number): Promise<{ owner: SocketOwner; session: ClientSession }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const owner = new SocketOwner(socket);
  const session = new ClientSession(owner, resources);
  owner.begin(session);
  return { owner, session };
}

/** A response as it came, once it is over. */
export interface Received {
  readonly status: number;
  readonly interims: readonly number[];
  readonly fields: string;
  readonly body: Buffer;
  readonly trailers: string;
  /** The code of a reset; null: the response is whole. */
  readonly code: number | null;
  readonly unprocessed: boolean;
}

/** Collects a response; `onData` is called with each piece. */
export class Collector implements StreamSink {
  readonly received: Promise<Received>;
  writable: () => void = () => {};
  onPiece: (piece: Uint8Array) => void = () => {};
  #resolve: (received: Received) => void = () => {};
  readonly #interims: number[] = [];
  readonly #pieces: Buffer[] = [];
  #status = 0;
  #fields = '';
  #trailers = '';

  constructor() {
    this.received = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  onInterim(head: ResponseHead): void {
    this.#interims.push(head.status);
  }

  onHead(head: ResponseHead): void {
    this.#status = head.status;
    const out = Buffer.alloc(80_000);
    this.#fields = out.toString('latin1', 0, head.writeForward(out, 0));
  }

  onData(piece: Uint8Array, last: boolean): void {
    this.#pieces.push(Buffer.from(piece));
    this.onPiece(piece);
    if (last) this.#end(null, false);
  }

  onTrailers(lines: string): void {
    this.#trailers = lines;
  }

  onWritable(): void {
    this.writable();
  }

  onReset(code: number, unprocessed: boolean): void {
    this.#end(code, unprocessed);
  }

  #end(code: number | null, unprocessed: boolean): void {
    this.#resolve({
      status: this.#status,
      interims: this.#interims,
      fields: this.#fields,
      body: Buffer.concat(this.#pieces),
      trailers: this.#trailers,
      code,
      unprocessed,
    });
  }
}
