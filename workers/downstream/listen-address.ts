/** Addresses that listeners bind to: their names in messages, and what stands in the way of binding. */
import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Address } from '../../core/plan.js';

const IN_USE = 'the address is in use';

/** `sun_path` less its final NUL on Linux, the larger one. uWS writes past the end of a longer one: the process dies. */
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
 * Makes sure that a listener may bind to `path`, and removes what a process left behind that did not end in order: a socket
 * on which nothing answers. uWS itself removes whatever is there, a file or another process's live socket.
 */
export async function prepareSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > UNIX_PATH_BYTES_MAX) {
    throw new Error(`cannot listen on unix:${path}: the path is longer than ${UNIX_PATH_BYTES_MAX} bytes`);
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`cannot listen on unix:${path}: a file that is no socket is there`);
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
