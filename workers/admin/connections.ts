/**
 * The bound on connections of the admin server. When it is reached, the connection that waits longest without
 * being answered gives way, so that connections which ask for nothing never keep a probe out.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  /** The request that is being answered. */
  request: IncomingMessage | null;
}

/** `onClosed` is called for each connection that is closed for another, or is refused. */
export function boundConnections(server: Server, max: number, onClosed: () => void): void {
  /** The one that has waited longest first. */
  const open = new Map<Socket, Connection>();
  server.on('connection', (socket: Socket) => {
    if (open.size >= max) {
      onClosed();
      const last = longestWaiting(open);
      (last ?? socket).destroy();
      if (last === null) return;
      open.delete(last);
    }
    open.set(socket, { request: null });
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const connection = open.get(socket);
    if (connection === undefined) return;
    connection.request = request;
    response.once('close', () => {
      connection.request = null;
      if (open.delete(socket) && !socket.destroyed) open.set(socket, connection);
    });
  });
}

/** One without a request, else one whose request is not whole; null where all are being answered. */
function longestWaiting(open: ReadonlyMap<Socket, Connection>): Socket | null {
  let incomplete: Socket | null = null;
  for (const [socket, { request }] of open) {
    if (request === null) return socket;
    if (!request.complete) incomplete ??= socket;
  }
  return incomplete;
}
