import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What one connection of a raw server does; `index` counts connections from 0. */
export type RawScript = (peer: RawPeer, index: number) => void | Promise<void>;

/** The server's end of one connection: bytes in, bytes out, and no HTTP at all. */
export class RawPeer {
  readonly socket: Socket;
  /** What arrived and was not taken yet, one char per byte. */
  #received = '';
  #ended = false;
  #wake: () => void = nothing;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => {
      this.#received += data.toString('latin1');
      this.#wake();
    });
    socket.on('error', nothing);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake();
      });
    }
  }

  /** Takes everything up to and with `mark`. */
  async take(mark: string): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(mark);
      if (at >= 0) return this.#cut(at + mark.length);
      await this.#more(`"${mark}"`);
    }
  }

  /** Takes one request head. */
  head(): Promise<string> {
    return this.take('\r\n\r\n');
  }

  async bytes(count: number): Promise<string> {
    while (this.#received.length < count) await this.#more(`${count} bytes`);
    return this.#cut(count);
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Sends and resolves when the kernel has it. */
  sent(text: string): Promise<void> {
    return new Promise((resolve) => this.socket.write(text, 'latin1', () => resolve()));
  }

  /** Sends one byte per write, each in a turn of the loop of its own, so that they arrive in many reads. */
  async trickle(text: string): Promise<void> {
    for (const byte of text) {
      await this.sent(byte);
      await new Promise(setImmediate);
    }
  }

  fin(text = ''): void {
    this.socket.end(text, 'latin1');
  }

  /** RST instead of FIN. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }

  #cut(count: number): string {
    const text = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return text;
  }

  async #more(wanted: string): Promise<void> {
    if (this.#ended) throw new Error(`the connection ended before ${wanted}; there was "${this.#received}"`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** A TCP server on a free port of 127.0.0.1 whose connections each run a script. */
export class RawServer {
  connections = 0;
  /** What scripts threw: a test that expects none checks that it is empty. */
  readonly errors: unknown[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(script: RawScript) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const peer = new RawPeer(socket);
      const index = this.connections++;
      Promise.resolve()
        .then(() => script(peer, index))
        .catch((error) => this.errors.push(error));
    });
  }

  static async listen(script: RawScript): Promise<RawServer> {
    const server = new RawServer(script);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Takes no more connections and cuts those that are open. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A port on which nobody listens: connecting to it is refused. */
export async function refusedPort(): Promise<number> {
  const server = await RawServer.listen(nothing);
  const { port } = server;
  await server.close();
  return port;
}

function nothing(): void {}
