import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import type { Address, ListenerPlan } from '../../../core/plan.js';
import { addressName, causeOf, prepareSocketPath } from '../listen-address.js';
import { DescriptorCopies } from './descriptor-copies.js';
import { type FromListener, Sharing, sharingOf, type ToListener } from './listening.js';

/** Between two attempts to listen, once umbra has served. */
const retryMs = 50;

interface Child {
  readonly port: MessagePort;
  state: 'waiting' | 'asked' | 'listening' | 'gone';
}

/**
 * One address as main sees it: tells proxy threads to listen on it, in the way that the platform has (docs/decisions/021).
 * Where there is none, one listens at a time, and when it leaves the next one takes over. All methods are for the main thread.
 */
export class NodeAcceptor {
  /** The real one, also where 0 was asked for; 0 for a unix socket. */
  readonly port: number;
  readonly #address: Address;
  readonly #sharing: Sharing;
  /** With `Sharing.COPIES`. */
  readonly #copies: DescriptorCopies | null;
  readonly #children = new Map<number, Child>();
  #stopped = false;
  #settled: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;

  private constructor(address: Address, port: number, sharing: Sharing, copies: DescriptorCopies | null) {
    this.#address = address.kind === 'tcp' ? { ...address, port } : address;
    this.#sharing = sharing;
    this.#copies = copies;
    this.port = port;
  }

  /** Makes sure that the address is free, and finds the port where 0 was asked for. Rejects with an Error of one line. */
  static async listen(listener: ListenerPlan): Promise<NodeAcceptor> {
    const { address } = listener;
    const sharing = sharingOf(address);
    if (address.kind === 'unix') await prepareSocketPath(address.path);
    if (sharing === Sharing.COPIES) {
      const copies = await bind(address);
      return new NodeAcceptor(address, copies.port, sharing, copies);
    }
    const port = address.kind === 'unix' ? 0 : await findPort(address.host, address.port);
    return new NodeAcceptor(address, port, sharing, null);
  }

  addChild(index: number, port: MessagePort): void {
    const child: Child = { port, state: 'waiting' };
    this.#children.set(index, child);
    port.on('message', (message: FromListener) => this.#onMessage(child, message));
    port.on('close', () => this.#onGone(index, child));
    port.unref();
    this.#ask();
  }

  removeChild(index: number): void {
    const child = this.#children.get(index);
    if (child !== undefined) this.#say(child, { say: 'stop' });
  }

  /** Resolves when the children that were added take connections; rejects with an Error of one line if they can't. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settled = { resolve, reject };
      this.#settle();
    });
  }

  stopListening(): void {
    this.#stopped = true;
    for (const child of this.#children.values()) this.#say(child, { say: 'stop' });
    this.#copies?.close();
    if (this.#address.kind === 'unix') rmSync(this.#address.path, { force: true });
  }

  close(): void {
    this.stopListening();
  }

  /** Tells those to listen who may. */
  #ask(): void {
    if (this.#stopped) return;
    for (const child of this.#children.values()) {
      if (child.state !== 'waiting') {
        if (this.#sharing === Sharing.NONE && child.state !== 'gone') return;
        continue;
      }
      child.state = 'asked';
      if (this.#copies !== null) {
        this.#sayDescriptor(child, this.#copies);
        continue;
      }
      const shared = this.#sharing === Sharing.REUSE_PORT;
      this.#say(child, { say: 'listen', address: this.#address, shared });
      if (!shared) return;
    }
  }

  #sayDescriptor(child: Child, copies: DescriptorCopies): void {
    copies.take().then(
      // Also to a child that was told to stop: the descriptor is its to close.
      (fd) => this.#say(child, { say: 'listenOn', fd }),
      (error: Error) => {
        if (!this.#stopped) this.#onFailed(child, error.message);
      },
    );
  }

  #onMessage(child: Child, message: FromListener): void {
    if (message.say === 'listening') {
      child.state = 'listening';
      this.#settle();
    } else if (message.say === 'failed') {
      this.#onFailed(child, message.cause);
    } else {
      child.state = 'gone';
      this.#ask();
    }
  }

  /** At the start it is told; later the address may still be a dying thread's, so it is tried again. */
  #onFailed(child: Child, cause: string): void {
    if (this.#settled !== null) {
      child.state = 'gone';
      this.#settled.reject(new Error(`cannot listen on ${addressName(this.#address)}: ${cause}`));
      this.#settled = null;
      return;
    }
    child.state = 'waiting';
    setTimeout(() => this.#ask(), retryMs).unref();
  }

  #onGone(index: number, child: Child): void {
    child.state = 'gone';
    if (this.#children.get(index) === child) this.#children.delete(index);
    this.#ask();
  }

  #settle(): void {
    if (this.#settled === null) return;
    for (const child of this.#children.values()) if (child.state === 'asked') return;
    this.#settled.resolve();
    this.#settled = null;
  }

  #say(child: Child, message: ToListener): void {
    child.port.postMessage(message);
  }
}

async function bind(address: Address): Promise<DescriptorCopies> {
  try {
    return await DescriptorCopies.bind(address);
  } catch (error) {
    const cause = causeOf(error as NodeJS.ErrnoException);
    throw new Error(`cannot listen on ${addressName(address)}: ${cause}`, { cause: error });
  }
}

/**
 * Binds once without sharing, so that another process on the address is found, shared or not, and port 0 becomes a real
 * one. The port is free for an instant before the threads have it: nothing in Node lets one be handed over.
 */
function findPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const address: Address = { kind: 'tcp', host, port };
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`cannot listen on ${addressName(address)}: ${causeOf(error)}`)),
    );
    server.listen({ host, port, exclusive: true }, () => {
      const bound = server.address();
      server.close(() => {
        if (bound === null || typeof bound === 'string')
          reject(new Error(`no port for ${addressName(address)}`));
        else resolve(bound.port);
      });
    });
  });
}
