import { writeSync, writevSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Where a handle keeps its descriptor. */
const kept = Symbol('umbra.descriptor');

/**
 * The descriptor is not in the public types, but as old as Node; without it, writes take the ordinary way.
 */
interface Handle {
  readonly fd?: number;
  [kept]?: number;
}
type SocketWithHandle = Socket & { readonly _handle?: Handle | null };

/**
 * Writes as much of `bytes[start, end)` as the kernel takes at once and returns how much; 0 also where there
 * is no descriptor to write to, or an error: the socket's own `write` of the same bytes then reports it. The
 * memory is free when this returns. For a connected socket without TLS (what goes past it would go out in
 * clear) that holds no bytes back (these would be overtaken), by the thread that owns it. It spares what
 * `write` makes for each call, a request object and a callback in a later turn (docs/decisions/054).
 */
export function writeNow(socket: Socket, bytes: Uint8Array, start: number, end: number): number {
  const fd = descriptorOf(socket);
  if (fd < 0) return 0;
  try {
    return writeSync(fd, bytes, start, end - start);
  } catch {
    // Most often EAGAIN: the kernel is full. A connection that is broken shows it at the socket's own write.
    return 0;
  }
}

/**
 * The same for several parts in one system call, so that the end of one is not a packet of its own: as many
 * as the kernel takes (IOV_MAX, 1024 on Linux).
 */
export function writePartsNow(socket: Socket, parts: readonly Uint8Array[]): number {
  const fd = descriptorOf(socket);
  if (fd < 0) return 0;
  try {
    return writevSync(fd, parts);
  } catch {
    return 0;
  }
}

/**
 * `fd` is a getter into the runtime, which costs as much as a tenth of a write, so its first answer is kept
 * with the handle. A socket drops its handle in the call that closes the descriptor, so a number that the
 * kernel may have given to somebody else is never found.
 */
function descriptorOf(socket: Socket): number {
  const handle = (socket as SocketWithHandle)._handle;
  if (handle === null || handle === undefined) return -1;
  const fd = handle[kept];
  if (fd !== undefined) return fd;
  const found = handle.fd ?? -1;
  if (found >= 0) handle[kept] = found;
  return found;
}
