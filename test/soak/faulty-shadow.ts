/**
 * A shadow that turns from one fault to another while it serves: every connection does what is in force at
 * its next request.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RawPeer } from '../support/raw-server.js';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const slowMs = 300;
const floodPiece = `10000\r\n${'.'.repeat(0x10000)}\r\n`;

/** What is done with a request whose head was read; `body` reads the rest of it. */
type Answer = (peer: RawPeer, body: () => Promise<void>) => Promise<void> | void;

const answers = {
  healthy: whole(ok),
  redirecting: whole('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n'),
  failing: whole('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno'),
  'slow by a third of a second': async (peer, body) => {
    await body();
    await new Promise((resolve) => setTimeout(resolve, slowMs));
    peer.send(ok);
  },
  hanging: (peer) => peer.closed(),
  'resetting before the head': (peer) => peer.reset(),
  'resetting in the head': async (peer) => {
    await peer.sent('HTTP/1.1 200 O');
    peer.reset();
  },
  'resetting in the body': async (peer, body) => {
    await body();
    await peer.sent('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort');
    peer.reset();
  },
  'closing short of its length': (peer) => peer.fin('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'),
  'closing in a chunk': (peer) =>
    peer.fin('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort'),
  'speaking no HTTP': whole('SSH-2.0-OpenSSH_9.2\r\n\r\n'),
  'switching protocols unasked': whole(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ),
  'continuing after its response': whole(`${ok}and more`),
  'answering before it has read': (peer) =>
    peer.send('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
  'closing after each response': (peer) =>
    peer.fin('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
  'flooding without an end': async (peer, body) => {
    await body();
    await peer.sent('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    while (!peer.socket.destroyed) await peer.sent(floodPiece);
  },
} as const satisfies Record<string, Answer>;

/** `refusing` is without a listener. */
export type ShadowFault = keyof typeof answers | 'refusing';
export const shadowFaults = [...Object.keys(answers), 'refusing'] as ShadowFault[];

export class FaultyShadow {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #fault: ShadowFault = 'healthy';
  /** Requests whose head arrived. */
  heads = 0;

  private constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // A script that waits for bytes of a connection that ended has nothing to report.
      this.#serve(new RawPeer(socket)).catch(() => socket.destroy());
    });
  }

  static async listen(): Promise<FaultyShadow> {
    const shadow = new FaultyShadow();
    shadow.#server.listen(0, '127.0.0.1');
    await once(shadow.#server, 'listening');
    shadow.#port = (shadow.#server.address() as AddressInfo).port;
    return shadow;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * `cut`: what is open is closed, so that a request under way meets the change; else the next request does.
   */
  async turn(fault: ShadowFault, cut: boolean): Promise<void> {
    const was = this.#fault;
    this.#fault = fault;
    if (fault !== 'refusing' && was === 'refusing') {
      this.#server.listen(this.#port, '127.0.0.1');
      await once(this.#server, 'listening');
    }
    if (cut || fault === 'refusing') for (const socket of this.#sockets) socket.destroy();
    if (fault === 'refusing' && was !== 'refusing') {
      this.#server.close();
      await once(this.#server, 'close');
    }
  }

  async close(): Promise<void> {
    await this.turn('refusing', true);
  }

  async #serve(peer: RawPeer): Promise<void> {
    for (;;) {
      const head = await peer.head();
      this.heads++;
      const { socket } = peer;
      if (this.#fault === 'refusing') return void socket.destroy();
      await answers[this.#fault](peer, () => readBody(peer, head));
      if (socket.destroyed || socket.writableEnded) return;
      // Whatever of the body was not read would be taken for a head.
      if (this.#fault !== 'healthy' && bodyLength(head) !== 0) return void socket.end();
    }
  }
}

function whole(response: string): Answer {
  return async (peer, body) => {
    await body();
    peer.send(response);
  };
}

/** Bytes, or -1 for chunks. */
function bodyLength(head: string): number {
  if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) return -1;
  return Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0);
}

async function readBody(peer: RawPeer, head: string): Promise<void> {
  const length = bodyLength(head);
  if (length >= 0) {
    await peer.bytes(length);
    return;
  }
  for (;;) {
    const bytes = Number.parseInt(await peer.take('\r\n'), 16);
    await peer.bytes(bytes + 2);
    if (bytes === 0) return;
  }
}
