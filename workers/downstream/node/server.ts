import { createServer, type Server, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { ListenerPlan, ListenerTlsPlan } from '../../../core/plan.js';
import type { NodeConnection } from './connection.js';

/** Not in the public types: the handle of an accepted connection, and the option that takes it over. */
interface AcceptedSocket {
  _handle: object | null;
}
interface TakeOver {
  readonly handle: object;
  readonly onread: { readonly buffer: Buffer; readonly callback: (bytes: number) => boolean };
  readonly allowHalfOpen: true;
}
const TakingSocket = Socket as unknown as new (options: TakeOver) => Socket;

export interface ServerEvents {
  /** A new connection; the server attaches its socket to what is returned, or closes it at once for null. */
  onConnection(secure: boolean, canReset: boolean): NodeConnection | null;
  readBuffer(): Buffer;
}

/**
 * A server whose connections read into a buffer of ours. Node offers no such option for accepted connections, only for
 * sockets that are made: so the socket that it made is dropped before it has read a byte, and another one takes its
 * handle over. A connection with TLS reads in the ordinary way.
 */
export function newServer(listener: ListenerPlan, events: ServerEvents): Server {
  if (listener.tls !== null) return newTlsServer(listener.tls, events);
  const canReset = listener.address.kind === 'tcp';
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.on('connection', (accepted) => {
    const connection = events.onConnection(false, canReset);
    if (connection === null) {
      accepted.destroy();
      return;
    }
    const buffer = events.readBuffer();
    const callback = (bytes: number): boolean => {
      connection.receive(buffer, bytes);
      return true;
    };
    const socket = takeOver(accepted, { buffer, callback });
    if (socket === null) return;
    if (canReset) socket.setNoDelay(true);
    connection.attach(socket);
  });
  return server;
}

/** A socket in the place of one that was accepted paused, and reads into `buffer`; null: that one is gone already. */
export function takeOver(accepted: Socket, onread: TakeOver['onread']): Socket | null {
  const handle = (accepted as unknown as AcceptedSocket)._handle;
  if (handle === null) {
    accepted.destroy();
    return null;
  }
  (accepted as unknown as AcceptedSocket)._handle = null;
  return new TakingSocket({ handle, onread, allowHalfOpen: true });
}

function newTlsServer(tls: ListenerTlsPlan, events: ServerEvents): Server {
  const server = createTlsServer({ ...pemOf(tls), allowHalfOpen: true });
  server.on('secureConnection', (socket) => {
    const connection = events.onConnection(true, false);
    if (connection === null) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    connection.attach(socket);
    socket.on('data', (bytes: Buffer) => connection.receive(bytes, bytes.length));
  });
  return server;
}

/** Handshakes from now on show this certificate; connections that are open keep theirs. Throws if it can't be used. */
export function useCertificate(server: Server, tls: ListenerTlsPlan): void {
  (server as TlsServer).setSecureContext(pemOf(tls));
}

function pemOf({ cert, key }: ListenerTlsPlan): { cert: string; key: string } {
  return { cert: cert.pem, key: key.pem };
}
