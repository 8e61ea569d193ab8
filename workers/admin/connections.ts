/**
 * The bounds on connections of the admin server, and on answers that clients do not read. When a bound is
 * reached, the connection that waits longest without being answered gives way, or the one that does not read
 * its answer: those which ask for nothing, or take nothing, never keep a probe out.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  /** The request that is being answered. */
  request: IncomingMessage | null;
  response: ServerResponse | null;
}

/** What closed a connection for others, or refused it. */
export type ClosedFor = 'connections' | 'answers';

export interface ConnectionBounds {
  readonly connectionsMax: number;
  /** Bytes of answers, over all connections, that the kernel has not taken. */
  readonly answersBytesMax: number;
}

/** `onClosed` is called for each connection that is closed for another, or is refused. */
export function boundConnections(
  server: Server,
  { connectionsMax, answersBytesMax }: ConnectionBounds,
  onClosed: (why: ClosedFor) => void,
): void {
  /** The one that has waited longest first. */
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
    // Before one more answer is made.
    for (let biggest = fullest(open, answersBytesMax); biggest !== null; ) {
      onClosed('answers');
      open.delete(biggest);
      biggest.destroy();
      biggest = fullest(open, answersBytesMax);
    }
  });
}

/**
 * One without a request, else one whose request is not whole, else one that has its whole answer and does not
 * read it; null where all are being answered.
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

/** The one that holds most, where all together hold more than they may. */
function fullest(open: ReadonlyMap<Socket, Connection>, bytesMax: number): Socket | null {
  let bytes = 0;
  let fullest: Socket | null = null;
  for (const socket of open.keys()) {
    bytes += socket.writableLength;
    if (socket.writableLength > (fullest?.writableLength ?? 0)) fullest = socket;
  }
  return bytes > bytesMax ? fullest : null;
}
