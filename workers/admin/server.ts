import { once } from 'node:events';
import { chmod, unlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createConnection } from 'node:net';
import type { Hono } from 'hono';
import { limits } from '../../core/limits.js';
import type { Address } from '../../core/plan.js';
import { boundConnections, type ClosedFor } from './connections.js';

export interface AdminServer {
  /** The port that was bound; 0 for a unix socket. */
  readonly port: number;
  /** Stops accepting connections, lets current answers finish for a moment, then closes everything. */
  close(): Promise<void>;
}

/** Time that a current answer may take when the server closes. */
const CLOSE_GRACE_MS = 1000;
const KEEP_ALIVE_MS = 5000;
/** Interval of Node's checks for slow requests. */
const TIMEOUT_CHECK_MS = 1000;
/** Read and write for owner and group. */
const UNIX_MODE = 0o660;
/** The size of `sun_path` minus its final zero. */
const UNIX_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/**
 * `serveAdmin` serves the app that `open` returns at `address`. It calls `onConnectionClosed` for each
 * connection that the bounds close, and rejects with the system's error if the address can't be bound.
 */
export async function serveAdmin(
  open: () => Hono | Promise<Hono>,
  address: Address,
  onConnectionClosed: (why: ClosedFor) => void = () => {},
): Promise<AdminServer> {
  const server = createServer(
    {
      requestTimeout: limits.adminRequestMs,
      headersTimeout: limits.adminRequestMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      maxHeaderSize: limits.requestHeadBytes,
    },
    whenAsked(open),
  );
  const bounds = { connectionsMax: limits.adminConnections, answersBytesMax: limits.adminAnswersBytes };
  boundConnections(server, bounds, onConnectionClosed);
  await listen(server, address);
  const bound = server.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : 0,
    close: () => close(server),
  };
}

/**
 * `whenAsked` loads the app with the first request: it needs as much time and memory as a thread, and most
 * instances are ready long before anybody asks them something.
 */
function whenAsked(open: () => Hono | Promise<Hono>): RequestListener {
  let opened: Promise<RequestListener> | null = null;
  const load = async (): Promise<RequestListener> => (await import('./listener.js')).listenerOf(await open());
  return (incoming, outgoing) => {
    opened ??= load();
    opened.then(
      (listener) => listener(incoming, outgoing),
      (error: unknown) => outgoing.destroy(error as Error),
    );
  };
}

async function listen(server: Server, address: Address): Promise<void> {
  if (address.kind === 'unix' && Buffer.byteLength(address.path) > UNIX_PATH_BYTES_MAX) {
    // Node 20 would silently truncate the name.
    throw new Error(`the path of a unix socket may have ${UNIX_PATH_BYTES_MAX} bytes: ${address.path}`);
  }
  try {
    await bind(server, address);
  } catch (error) {
    if (address.kind !== 'unix' || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (await answers(address.path)) throw error;
    // A killed process leaves its socket file behind, on which nobody listens.
    await unlink(address.path);
    await bind(server, address);
  }
}

async function bind(server: Server, address: Address): Promise<void> {
  server.listen(
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  );
  // `once` rejects if 'error' comes first.
  await once(server, 'listening');
  // Whoever may write to the file may switch traffic.
  if (address.kind === 'unix') await chmod(address.path, UNIX_MODE);
}

async function answers(path: string): Promise<boolean> {
  const socket = createConnection({ path });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const grace = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearTimeout(grace);
}
