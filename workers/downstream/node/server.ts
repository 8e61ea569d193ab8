/**
 * The server of one listener on one proxy thread: accepts connections, and reads plain ones into a buffer of
 * ours.
 */
import { createServer, type Server } from 'node:net';
import { createSecureContext, type SecureContext, type TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { ListenerPlan, ListenerTlsPlan, Protocol } from '../../../core/plan.js';
import { type AcceptedHandle, acceptHandles, handleOf, secureSocketOn, socketOn } from './accepted-handle.js';
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
  /** The buffer that a connection reads into. `isHttp2`: a plain one, which may speak HTTP/2. */
  readBuffer(isHttp2: boolean): Buffer;
}

/** Accepts for one listener. Whoever owns it makes `server` listen. */
export class NodeServer {
  readonly server: Server;
  readonly #events: ServerEvents;
  readonly #isTcp: boolean;
  readonly #ticketKeys: Buffer | null;
  /** Null for a plain listener. */
  #context: SecureContext | null;
  /** What handshakes offer; null: nothing, and clients speak HTTP/1. */
  #offered: string[] | null;

  constructor({ address, tls, protocols }: ListenerPlan, ticketKeys: Buffer | null, events: ServerEvents) {
    this.#events = events;
    this.#ticketKeys = ticketKeys;
    this.#isTcp = address.kind === 'tcp';
    this.#context = tls === null ? null : contextOf(tls, ticketKeys);
    this.#offered = offeredNames(protocols);
    this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    this.server.on('connection', (accepted) => {
      const handle = handleOf(accepted);
      if (handle !== null) this.#attach(handle);
    });
    this.server.on('listening', () => acceptHandles(this.server, (handle) => this.#attach(handle)));
  }

  /**
   * Handshakes from now on show this certificate; open connections keep theirs. Throws if it can't be used.
   */
  useCertificate(tls: ListenerTlsPlan): void {
    this.#context = contextOf(tls, this.#ticketKeys);
  }

  /** Handshakes from now on offer these. */
  useProtocols(protocols: readonly Protocol[]): void {
    this.#offered = offeredNames(protocols);
  }

  /**
   * A connection over TLS is counted, and its time runs, from before the handshake: a client that never ends
   * its handshake is bounded like one that never ends its head. `tls.Server` reports a connection only after
   * it.
   */
  #attach(handle: AcceptedHandle): void {
    const secureContext = this.#context;
    const isSecure = secureContext !== null;
    let taken: AcceptedSocket | null = null;
    const buffer = this.#events.readBuffer(!isSecure && this.#offered !== null);
    const callback = (bytes: number): boolean => {
      taken!.reader.receive(buffer, bytes);
      return true;
    };
    const onread = { buffer, callback };
    const connection = this.#events.onConnection(isSecure);
    if (connection === null) {
      // A refused client must not cost a state of TLS.
      socketOn(handle, onread).destroy();
      return;
    }
    const socket = isSecure
      ? secureSocketOn(handle, this.#tlsOptions(secureContext), onread)
      : socketOn(handle, onread);
    if (this.#isTcp) socket.setNoDelay(true);
    taken = new AcceptedSocket(socket, isSecure, this.#isTcp && !isSecure, connection);
    connection.attach(taken);
    if (!isSecure) return;
    const secure = socket as TLSSocket;
    // What `tls.Server` waits for, too.
    secure.on('secure', () => connection.onHandshakeDone(secure.alpnProtocol === ALPN_HTTP2));
  }

  #tlsOptions(secureContext: SecureContext): TLSSocketOptions {
    if (this.#offered === null) return { isServer: true, secureContext };
    return { isServer: true, secureContext, ALPNProtocols: this.#offered };
  }
}

/** In the order of our liking; null where HTTP/1 alone is spoken: a client that offers others gets it. */
function offeredNames(protocols: readonly Protocol[]): string[] | null {
  if (!protocols.includes('h2')) return null;
  return protocols.includes('http1') ? [ALPN_HTTP2, ALPN_HTTP1] : [ALPN_HTTP2];
}

/** Contexts with the same `ticketKeys` resume each other's sessions, whatever their thread or certificate. */
function contextOf({ cert, key }: ListenerTlsPlan, ticketKeys: Buffer | null): SecureContext {
  const ours = ticketKeys === null ? {} : { ticketKeys };
  return createSecureContext({ cert: cert.pem, key: key.pem, sessionIdContext: 'umbra', ...ours });
}
