/**
 * The server of one listener on one proxy thread: accepts connections, and reads plain ones into a buffer of
 * ours.
 */
import { createServer, type Server, Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
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
  /**
   * A connection was accepted. The server attaches its socket to what is returned, or closes it at once for
   * null.
   */
  onConnection(secure: boolean, canReset: boolean): NodeConnection | null;
  readBuffer(): Buffer;
}

/** Accepts for one listener. Whoever owns it makes `server` listen. */
export class NodeServer {
  readonly server: Server;
  readonly #events: ServerEvents;
  readonly #canReset: boolean;
  /** Null for a plain listener. */
  #context: SecureContext | null;

  constructor({ address, tls }: ListenerPlan, events: ServerEvents) {
    this.#events = events;
    this.#canReset = address.kind === 'tcp';
    this.#context = tls === null ? null : contextOf(tls);
    this.server = createServer({ pauseOnConnect: tls === null, allowHalfOpen: true });
    this.server.on('connection', (accepted) => {
      if (this.#context === null) this.#attachPlain(accepted);
      else this.#attachSecure(accepted, this.#context);
    });
  }

  /**
   * Handshakes from now on show this certificate; open connections keep theirs. Throws if it can't be used.
   */
  useCertificate(tls: ListenerTlsPlan): void {
    this.#context = contextOf(tls);
  }

  /**
   * Node offers no buffer of ours for accepted connections, only for sockets that are made. So the socket
   * that it made is dropped before it has read a byte, and another one takes its handle over.
   */
  #attachPlain(accepted: Socket): void {
    let connection: NodeConnection | null = null;
    const buffer = this.#events.readBuffer();
    const callback = (bytes: number): boolean => {
      connection!.receive(buffer, bytes);
      return true;
    };
    const socket = takeOver(accepted, { buffer, callback });
    if (socket === null) return;
    connection = this.#events.onConnection(false, this.#canReset);
    if (connection === null) {
      socket.destroy();
      return;
    }
    if (this.#canReset) socket.setNoDelay(true);
    connection.attach(socket);
  }

  /**
   * The connection is counted, and its time runs, from before the handshake: a client that never ends its
   * handshake is bounded like one that never ends its head. `tls.Server` reports a connection only after it.
   */
  #attachSecure(accepted: Socket, secureContext: SecureContext): void {
    const connection = this.#events.onConnection(true, false);
    if (connection === null) {
      accepted.destroy();
      return;
    }
    if (this.#canReset) accepted.setNoDelay(true);
    const socket = new TLSSocket(accepted, { isServer: true, secureContext });
    connection.attach(socket);
    // What `tls.Server` waits for, too.
    socket.on('secure', () => connection.onHandshakeDone());
    socket.on('data', (bytes: Buffer) => connection.receive(bytes, bytes.length));
  }
}

/**
 * A socket in the place of one that was accepted paused, and reads into `buffer`; null if that one is gone
 * already.
 */
export function takeOver(accepted: Socket, onread: TakeOver['onread']): Socket | null {
  const handle = (accepted as unknown as AcceptedSocket)._handle;
  if (handle === null) {
    accepted.destroy();
    return null;
  }
  (accepted as unknown as AcceptedSocket)._handle = null;
  return new TakingSocket({ handle, onread, allowHalfOpen: true });
}

function contextOf({ cert, key }: ListenerTlsPlan): SecureContext {
  return createSecureContext({ cert: cert.pem, key: key.pem, sessionIdContext: 'umbra' });
}
