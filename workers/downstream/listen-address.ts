/** Addresses that listeners bind to: their names in messages, and what stands in the way of binding. */
import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Address } from '../../core/plan.js';
import type { SocketFile } from './socket-file.js';

const IN_USE = 'the address is in use';

/**
 * `sun_path` less its final NUL on Linux, the larger one. uWS writes past the end of a longer one: the
 * process dies.
 */
const UNIX_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/** In words, what the system calls by a code. */
const causes = new Map([
  ['EADDRINUSE', IN_USE],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EADDRNOTAVAIL', 'no interface of this machine has that address'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the host name could not be resolved'],
  ['ENOENT', 'no such directory'],
  ['EINVAL', 'the address is not valid'],
]);

/** Why an address can't be bound, in words where we have some. */
export function causeOf(error: NodeJS.ErrnoException): string {
  return causes.get(error.code ?? '') ?? error.message;
}

/** `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`. */
export function addressName(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/**
 * Makes sure that a listener may bind to `file`, and removes what a process left behind that did not end in
 * order: a socket on which nothing answers. uWS itself removes whatever is there. With `takeover` a socket on
 * which somebody answers stays, to be replaced. Rejects with an Error of one line.
 */
export async function prepareSocketPath(file: SocketFile, takeover: boolean): Promise<void> {
  const { path, bindPath } = file;
  if (Buffer.byteLength(bindPath) > UNIX_PATH_BYTES_MAX) {
    const most = UNIX_PATH_BYTES_MAX - (Buffer.byteLength(bindPath) - Buffer.byteLength(path));
    throw new Error(`cannot listen on unix:${path}: the path is longer than ${most} bytes`);
  }
  // Only a process of our own number can have left it, and that one is gone.
  rmSync(bindPath, { force: true });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || (takeover && found.isSocket())) return;
  if (!found.isSocket())
    throw new Error(`cannot listen on unix:${path}: a file that is not a socket is there`);
  const answers = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
  if (answers) throw new Error(`cannot listen on unix:${path}: ${IN_USE}`);
  rmSync(path, { force: true });
}

/**
 * Binds once without sharing, so that another process on the address is found, shared or not, and port 0
 * becomes a real one. The port is free for an instant before the listeners have it.
 */
export function findPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const address: Address = { kind: 'tcp', host, port };
    const server = net.createServer();
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

/** An address as people write it, with the port that was really bound. */
export function addressUrl(scheme: 'http' | 'https', address: Address, port: number): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${port}`;
}
