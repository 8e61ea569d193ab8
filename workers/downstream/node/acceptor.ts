import { chmodSync, rmSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import type { Address, ListenerPlan } from '../../../core/plan.js';
import type { InheritedSocket } from '../inherited.js';
import { addressName, causeOf, findPort, prepareSocketPath } from '../listen-address.js';
import { SocketFile } from '../socket-file.js';
import { DescriptorCopies } from './descriptor-copies.js';
import { type FromListener, Sharing, sharingOf, type ToListener } from './listening.js';

/** Between two attempts to listen, once umbra has served. */
const retryMs = 50;

interface Child {
  readonly port: MessagePort;
  state: 'waiting' | 'asked' | 'listening' | 'gone';
}

/**
 * One address as main sees it: asks proxy threads to listen on it, in the way that the platform has
 * (docs/decisions/021). Where there is none, one listens at a time, and when it leaves the next one takes
 * over. All methods are for the main thread.
 */
export class NodeAcceptor {
  /** The real one, also where 0 was asked for; 0 for a unix socket. */
  readonly port: number;
  readonly #address: Address;
  readonly #sharing: Sharing;
  readonly #socketMode: number | null;
  /** The socket, its file and its mode are systemd's. */
  readonly #inherited: boolean;
  /** With `Sharing.COPIES`. */
  readonly #copies: DescriptorCopies | null;
  readonly #children = new Map<number, Child>();
  #stopped = false;
  #settled: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;

  private constructor(
    address: Address,
    port: number,
    sharing: Sharing,
    copies: DescriptorCopies | null,
    socketMode: number | null,
    inherited = false,
  ) {
    this.#socketMode = socketMode;
    this.#inherited = inherited;
    this.#address = address.kind === 'tcp' ? { ...address, port } : address;
    this.#sharing = sharing;
    this.#copies = copies;
    this.port = port;
  }

  /**
   * Makes sure that the address is free, and finds the port where 0 was asked for. Rejects with an Error of
   * one line.
   */
  static async listen(listener: ListenerPlan, takeover = false): Promise<NodeAcceptor> {
    const { address, socketMode } = listener;
    const sharing = sharingOf(address);
    if (takeover) {
      if (address.kind === 'tcp' && canTakeOver(address))
        return new NodeAcceptor(address, address.port, sharing, null, null);
      throw new Error(
        `cannot take over ${addressName(address)}: the node engine can that for a port on Linux with Node 22.12 or later alone`,
      );
    }
    if (address.kind === 'unix') await prepareSocketPath(new SocketFile(address.path, socketMode), false);
    if (sharing === Sharing.COPIES) {
      const copies = await bind(address);
      setMode(address, socketMode);
      return new NodeAcceptor(address, copies.port, sharing, copies, socketMode);
    }
    const port = address.kind === 'unix' ? 0 : await findPort(address.host, address.port);
    return new NodeAcceptor(address, port, sharing, null, socketMode);
  }

  /**
   * Listens on a socket that is open already. What connects while nobody is there, before this process or
   * after it, waits in its queue.
   */
  static adopt({ address }: ListenerPlan, { fd }: InheritedSocket): NodeAcceptor {
    const copies = DescriptorCopies.adopt(fd);
    return new NodeAcceptor(address, copies.port, Sharing.COPIES, copies, null, true);
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

  /**
   * Resolves when the children that were added take connections; rejects with an Error of one line if they
   * can't.
   */
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
    if (this.#address.kind === 'unix' && !this.#inherited) rmSync(this.#address.path, { force: true });
  }

  close(): void {
    this.stopListening();
  }

  /** Asks those to listen that may. */
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
      // Also to a child that was asked to stop: the descriptor is its to close.
      (fd) => this.#say(child, { say: 'listenOn', fd }),
      (error: Error) => {
        if (!this.#stopped) this.#onFailed(child, error.message);
      },
    );
  }

  #onMessage(child: Child, message: FromListener): void {
    if (message.say === 'listening') {
      setMode(this.#address, this.#socketMode);
      child.state = 'listening';
      this.#settle();
    } else if (message.say === 'failed') {
      this.#onFailed(child, message.cause);
    } else {
      child.state = 'gone';
      this.#ask();
    }
  }

  /**
   * Reports a failure at the start; later the address may still be a dying thread's, so it is tried again.
   */
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

function setMode(address: Address, mode: number | null): void {
  if (address.kind === 'unix' && mode !== null) chmodSync(address.path, mode);
}

async function bind(address: Address): Promise<DescriptorCopies> {
  try {
    return await DescriptorCopies.bind(address);
  } catch (error) {
    const cause = causeOf(error as NodeJS.ErrnoException);
    throw new Error(`cannot listen on ${addressName(address)}: ${cause}`, { cause: error });
  }
}

/** `canTakeOver` returns whether the node engine can bind `address` beside another process that has it. */
export function canTakeOver(address: Address): boolean {
  return sharingOf(address) === Sharing.REUSE_PORT;
}
