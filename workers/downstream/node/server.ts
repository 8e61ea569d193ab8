/**
 * The server of one listener on one proxy thread: accepts connections, and reads plain ones into a buffer of
 * ours.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { ListenerPlan, ListenerTlsPlan, Protocol } from '../../../core/plan.js';
import { type AcceptedHandle, acceptHandles, type OnRead, socketOn, takeOver } from './accepted-handle.js';
import { AcceptedSocket } from './client-connection.js';
import type { NodeConnection } from './connection.js';

/** RFC 7301, section 6, and RFC 9113, section 3.2. */
const ALPN_HTTP2 = 'h2';
const ALPN_HTTP1 = 'http/1.1';

export interface ServerEvents {
  /**
   * A connection was accepted. The server attaches its socket to what is returned, or closes it at once for
   * null.
   */
  onConnection(secure: boolean): NodeConnection | null;
  readBuffer(): Buffer;
}

/** Accepts for one listener. Whoever owns it makes `server` listen. */
export class NodeServer {
  readonly server: Server;
  readonly #events: ServerEvents;
  readonly #canReset: boolean;
  /** Null for a plain listener. */
  #context: SecureContext | null;
  /** What handshakes offer; null: nothing, and clients speak HTTP/1. */
  #offered: string[] | null;

  constructor({ address, tls, protocols }: ListenerPlan, events: ServerEvents) {
    this.#events = events;
    this.#canReset = address.kind === 'tcp';
    this.#context = tls === null ? null : contextOf(tls);
    this.#offered = offeredNames(protocols);
    this.server = createServer({ pauseOnConnect: tls === null, allowHalfOpen: true });
    this.server.on('connection', (accepted) => {
      if (this.#context === null) this.#attachPlain((onread) => takeOver(accepted, onread));
      else this.#attachSecure(accepted, this.#context);
    });
    if (tls !== null) return;
    const attach = (handle: AcceptedHandle): void => this.#attachPlain((onread) => socketOn(handle, onread));
    this.server.on('listening', () => acceptHandles(this.server, attach));
  }

  /**
   * Handshakes from now on show this certificate; open connections keep theirs. Throws if it can't be used.
   */
  useCertificate(tls: ListenerTlsPlan): void {
    this.#context = contextOf(tls);
  }

  /** Handshakes from now on offer these. */
  useProtocols(protocols: readonly Protocol[]): void {
    this.#offered = offeredNames(protocols);
  }

  /** `open` returns the socket, or null if it is gone already. */
  #attachPlain(open: (onread: OnRead) => Socket | null): void {
    let taken: AcceptedSocket | null = null;
    const buffer = this.#events.readBuffer();
    const callback = (bytes: number): boolean => {
      taken!.reader.receive(buffer, bytes);
      return true;
    };
    const socket = open({ buffer, callback });
    if (socket === null) return;
    const connection = this.#events.onConnection(false);
    if (connection === null) {
      socket.destroy();
      return;
    }
    if (this.#canReset) socket.setNoDelay(true);
    taken = new AcceptedSocket(socket, false, this.#canReset, connection);
    connection.attach(taken);
  }

  /**
   * The connection is counted, and its time runs, from before the handshake: a client that never ends its
   * handshake is bounded like one that never ends its head. `tls.Server` reports a connection only after it.
   */
  #attachSecure(accepted: Socket, secureContext: SecureContext): void {
    const connection = this.#events.onConnection(true);
    if (connection === null) {
      accepted.destroy();
      return;
    }
    if (this.#canReset) accepted.setNoDelay(true);
    const ALPNProtocols = this.#offered ?? undefined;
    const socket = new TLSSocket(accepted, { isServer: true, secureContext, ALPNProtocols });
    const taken = new AcceptedSocket(socket, true, false, connection);
    connection.attach(taken);
    // What `tls.Server` waits for, too.
    socket.on('secure', () => connection.onHandshakeDone(socket.alpnProtocol === ALPN_HTTP2));
    socket.on('data', (bytes: Buffer) => taken.reader.receive(bytes, bytes.length));
  }
}

/** In the order of our liking; null where HTTP/1 alone is spoken: a client that offers others gets it. */
function offeredNames(protocols: readonly Protocol[]): string[] | null {
  if (!protocols.includes('h2')) return null;
  return protocols.includes('http1') ? [ALPN_HTTP2, ALPN_HTTP1] : [ALPN_HTTP2];
}

function contextOf({ cert, key }: ListenerTlsPlan): SecureContext {
  return createSecureContext({ cert: cert.pem, key: key.pem, sessionIdContext: 'umbra' });
}
