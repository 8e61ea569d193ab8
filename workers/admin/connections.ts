/**
 * The bounds on connections of the admin server, and on answers that clients do not read. At a bound, the
 * connection that has waited longest without being answered is closed, or the one that does not read its
 * answer. So idle or unread connections never keep a probe out.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  /** The request that is being answered. */
  request: IncomingMessage | null;
  response: ServerResponse | null;
}

/** The bound that closed or refused a connection. */
export type ClosedFor = 'connections' | 'answers';

export interface ConnectionBounds {
  readonly connectionsMax: number;
  /** Bytes of answers, over all connections, that the kernel has not taken. */
  readonly answersBytesMax: number;
}

/**
 * `boundConnections` calls `onClosed` for each connection that is refused, or closed in favour of another.
 */
export function boundConnections(
  server: Server,
  { connectionsMax, answersBytesMax }: ConnectionBounds,
  onClosed: (why: ClosedFor) => void,
): void {
  /** The longest waiting connection first. */
  const open = new Map<Socket, Connection>();
  server.on('connection', (socket: Socket) => {
    if (open.size >= connectionsMax) {
      onClosed('connections');
      const last = longestWaiting(open);
      (last ?? socket).destroy();
      if (last === null) return;
      open.delete(last);
    }
    open.set(socket, { request: null, response: null });
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const connection = open.get(socket);
    if (connection === undefined) return;
    connection.request = request;
    connection.response = response;
    response.once('close', () => {
      connection.request = null;
      connection.response = null;
      if (open.delete(socket) && !socket.destroyed) open.set(socket, connection);
    });
    // Checked before another answer is made.
    for (let biggest = fullest(open, answersBytesMax); biggest !== null; ) {
      onClosed('answers');
      open.delete(biggest);
      biggest.destroy();
      biggest = fullest(open, answersBytesMax);
    }
  });
}

/**
 * `longestWaiting` returns a connection without a request, else one whose request is incomplete, else one
 * that does not read its complete answer. It returns null when all are being answered.
 */
function longestWaiting(open: ReadonlyMap<Socket, Connection>): Socket | null {
  let incomplete: Socket | null = null;
  let unread: Socket | null = null;
  for (const [socket, { request, response }] of open) {
    if (request === null) return socket;
    if (!request.complete) incomplete ??= socket;
    if (response?.writableEnded) unread ??= socket;
  }
  return incomplete ?? unread;
}

/** `fullest` returns the connection that holds most, if all together exceed the bound. */
function fullest(open: ReadonlyMap<Socket, Connection>, bytesMax: number): Socket | null {
  let bytes = 0;
  let fullest: Socket | null = null;
  for (const socket of open.keys()) {
    bytes += socket.writableLength;
    if (socket.writableLength > (fullest?.writableLength ?? 0)) fullest = socket;
  }
  return bytes > bytesMax ? fullest : null;
}
