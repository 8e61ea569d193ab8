/**
 * How proxy threads share a port (docs/decisions/021): main's acceptor asks threads to listen and to stop.
 * Thread and acceptor speak over a message port of their own, which is what an engine's descriptor is here.
 */
import { closeSync } from 'node:fs';
import type { Server } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { limits } from '../../../core/limits.js';
import type { Address } from '../../../core/plan.js';
import { causeOf } from '../listen-address.js';

const backlog = limits.acceptQueue;

export type ToListener =
  /** `shared`: other threads listen on the same port (SO_REUSEPORT). */
  | { readonly say: 'listen'; readonly address: Address; readonly shared: boolean }
  /** Listens on a descriptor that is the thread's own from here on. */
  | { readonly say: 'listenOn'; readonly fd: number }
  | { readonly say: 'stop' };

export type FromListener =
  | { readonly say: 'listening' }
  | { readonly say: 'failed'; readonly cause: string }
  | { readonly say: 'stopped' };

/** How the threads of this platform share an address. */
export const Sharing = {
  /** Each binds for itself, and the kernel spreads connections over them. */
  REUSE_PORT: 0,
  /** Main binds, and each gets a descriptor of its own for the one socket. */
  COPIES: 1,
  /** One at a time listens: descriptors are no numbers on Windows. */
  NONE: 2,
} as const;
export type Sharing = (typeof Sharing)[keyof typeof Sharing];

export function sharingOf(address: Address): Sharing {
  if (process.platform === 'win32') return Sharing.NONE;
  return canReusePort(address) ? Sharing.REUSE_PORT : Sharing.COPIES;
}

/**
 * The option came with Node 22.12 and 23.1; elsewhere than on Linux the kernel does not spread connections,
 * or not evenly.
 */
function canReusePort(address: Address): boolean {
  if (address.kind === 'unix' || process.platform !== 'linux') return false;
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

/** The thread's end. */
export class ListeningThread {
  /** The acceptor's end, to be transferred to main. */
  readonly port: MessagePort;
  readonly #own: MessagePort;
  readonly #server: Server;
  #stopped = false;

  constructor(server: Server) {
    this.#server = server;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    this.#own = port2;
    this.#own.on('message', (message: ToListener) => {
      if (message.say === 'listen') this.#listen(message);
      else if (message.say === 'listenOn') this.#listenOn(message.fd);
      else this.stop();
    });
    server.on('listening', () => this.#say({ say: 'listening' }));
    server.on('error', (error: NodeJS.ErrnoException) => {
      // While it listens, an error is about one connection that could not be taken, as when descriptors run
      // out.
      if (!server.listening) this.#say({ say: 'failed', cause: causeOf(error) });
    });
  }

  /** Takes no more connections; those that there are stay. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    // The callback would wait for connections to end; the port is free when `close` has returned.
    this.#server.close();
    this.#say({ say: 'stopped' });
  }

  /** `stop`, without further events: the thread may end. */
  close(): void {
    this.stop();
    this.#own.close();
  }

  #listen({ address, shared }: Extract<ToListener, { say: 'listen' }>): void {
    if (this.#stopped) return;
    if (address.kind === 'unix') this.#server.listen({ path: address.path, backlog });
    else {
      const { host, port } = address;
      const options = { host, port, exclusive: true, reusePort: shared, backlog };
      this.#server.listen(options);
    }
  }

  #listenOn(fd: number): void {
    if (this.#stopped) closeSync(fd);
    else this.#server.listen({ fd }, backlog);
  }

  #say(message: FromListener): void {
    this.#own.postMessage(message);
  }
}
