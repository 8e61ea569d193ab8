/**
 * How threads get descriptors of their own for one listening socket where they can't bind it side by side
 * (docs/decisions/021). Node has no `dup`, but a handle that is sent to another process arrives there as a
 * new descriptor of the same socket; so it is sent to a process of a few lines, which sends it back as often
 * as it was asked and ends.
 */
import { fork } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import type { Address } from '../../../core/plan.js';
import { entryFile } from '../../protocol/entry.js';

/** A bound socket as Node keeps it; not in the public types. */
interface SocketHandle {
  readonly fd: number;
  getsockname?(out: { port?: number }): number;
  close(): void;
}
/** What `net` gives `cluster`: a socket that is bound and does not listen, or a negative error number. */
type CreateServerHandle = (
  address: string,
  port: number,
  type: number,
  fd: number,
  flags: number,
) => SocketHandle | number;
const createServerHandle = (net as unknown as { _createServerHandle: CreateServerHandle })
  ._createServerHandle;

/** In place of a port, a family or a descriptor. */
const NONE = -1;

const echo = fileURLToPath(entryFile('downstream/node/descriptor-echo'));

interface Waiting {
  readonly resolve: (fd: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One bound socket, held by main for as long as umbra listens: what connects while no thread is there waits
 * in its queue.
 */
export class DescriptorCopies {
  /** The real one; 0 for a unix socket. */
  readonly port: number;
  readonly #handle: SocketHandle;
  #waiting: Waiting[] = [];
  #closed = false;

  private constructor(handle: SocketHandle, port: number) {
    this.#handle = handle;
    this.port = port;
  }

  /** Binds. Rejects with an error that has a `code`, as `net` gives it. */
  static async bind(address: Address): Promise<DescriptorCopies> {
    return DescriptorCopies.#of(
      address.kind === 'unix' ? bindUnix(address.path) : await bindTcp(address.host, address.port),
    );
  }

  /**
   * Copies a socket that is this process's already; it is closed with the copies. Throws as `bind` rejects.
   */
  static adopt(fd: number): DescriptorCopies {
    return DescriptorCopies.#of(orThrow(createServerHandle('', 0, NONE, fd, 0)));
  }

  static #of(handle: SocketHandle): DescriptorCopies {
    const name: { port?: number } = {};
    // Only here does an address that is in use show.
    const failed = handle.getsockname?.(name) ?? 0;
    if (failed < 0) {
      handle.close();
      throw errorOf(failed);
    }
    return new DescriptorCopies(handle, name.port ?? 0);
  }

  /**
   * A descriptor that is the caller's to close, from any thread. This thread keeps an object for it that does
   * nothing more until the process ends: to close the object would close the number.
   */
  take(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#waiting.length === 1) setImmediate(() => this.#copy());
    });
  }

  /** The socket is gone when the copies are closed too. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  /** One process for all who wait. */
  #copy(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#closed) {
      for (const { reject } of waiting) reject(new Error('the socket is closed'));
      return;
    }
    const { NODE_OPTIONS: _unwanted, ...env } = process.env;
    const child = fork(echo, [], { env, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const fail = (): void => {
      for (const { reject } of waiting.splice(0)) reject(new Error('its descriptor could not be copied'));
    };
    child.on('error', fail);
    child.on('exit', fail);
    child.on('message', (_message, handle) => {
      waiting.shift()?.resolve((handle as unknown as SocketHandle).fd);
      if (waiting.length === 0) child.disconnect();
    });
    for (const _one of waiting) child.send('copy', this.#handle as never);
  }
}

function bindUnix(path: string): SocketHandle {
  return orThrow(createServerHandle(path, NONE, NONE, NONE, 0));
}

async function bindTcp(host: string, port: number): Promise<SocketHandle> {
  const { address, family } = await lookup(host);
  return orThrow(createServerHandle(address, port, family, NONE, 0));
}

function orThrow(handle: SocketHandle | number): SocketHandle {
  if (typeof handle === 'number') throw errorOf(handle);
  return handle;
}

function errorOf(number: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(code), { code });
}
