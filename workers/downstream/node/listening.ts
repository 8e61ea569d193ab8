/**
 * How proxy threads share a port (docs/decisions/019): main's acceptor holds no socket, it tells threads to listen and
 * to stop. Thread and acceptor speak over a message port of their own, which is what an engine's descriptor is here.
 */
import type { Server } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Address } from '../../../core/plan.js';
import { causeOf } from '../listen-address.js';

export type ToListener =
  /** `shared`: other threads listen on the same port (SO_REUSEPORT). */
  { readonly say: 'listen'; readonly address: Address; readonly shared: boolean } | { readonly say: 'stop' };

export type FromListener =
  | { readonly say: 'listening' }
  | { readonly say: 'failed'; readonly cause: string }
  | { readonly say: 'stopped' };

/** Whether threads can listen on one port side by side: the option came with Node 22.12 and 23.1. */
export function canSharePort(address: Address): boolean {
  if (address.kind === 'unix' || process.platform === 'darwin') return false;
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
      else this.stop();
    });
    server.on('listening', () => this.#say({ say: 'listening' }));
    server.on('error', (error: NodeJS.ErrnoException) => {
      // While it listens, an error is about one connection that could not be taken, as when descriptors run out.
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

  /** `stop`, and nothing more is said: the thread may end. */
  close(): void {
    this.stop();
    this.#own.close();
  }

  #listen({ address, shared }: Extract<ToListener, { say: 'listen' }>): void {
    if (this.#stopped) return;
    if (address.kind === 'unix') this.#server.listen({ path: address.path });
    else {
      const { host, port } = address;
      const options = { host, port, exclusive: true, reusePort: shared };
      this.#server.listen(options);
    }
  }

  #say(message: FromListener): void {
    this.#own.postMessage(message);
  }
}
