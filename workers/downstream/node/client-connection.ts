import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Failure } from '../../../core/errors.js';
import type { Guard } from '../../../core/http2/floods.js';
import type { ListenerLimits, Protocol } from '../../../core/plan.js';
import type { ClientTimeout, RequestHandler } from '../downstream.js';
import type { NodeResources } from './resources.js';

/** What a client's socket reports. */
export interface SocketReader {
  /** One read: `bytes[0, end)`, which dies with the call. Never while an earlier one is being read. */
  receive(bytes: Buffer, end: number): void;
  /** The client has sent its FIN: it may still read. */
  onFin(): void;
  /** The socket is gone. */
  onClose(): void;
}

/** A client's socket, and who reads it: another one once it is known which protocol the client speaks. */
export class AcceptedSocket {
  readonly socket: Socket;
  /** Over TLS. */
  readonly secure: boolean;
  /** A plain TCP connection. */
  readonly canReset: boolean;
  reader: SocketReader;

  constructor(socket: Socket, secure: boolean, canReset: boolean, reader: SocketReader) {
    this.socket = socket;
    this.secure = secure;
    this.canReset = canReset;
    this.reader = reader;
    socket.on('end', () => this.reader.onFin());
    socket.on('error', () => {});
    socket.on('close', () => this.reader.onClose());
  }
}

/** One client's connection, as its engine sees it, whatever the protocol. */
export interface ClientConnection extends SocketReader {
  /** Ends in order: at once if it is idle, else when its responses are whole. */
  drain(): void;
  /** A process has taken over: ends once the client has heard of it. */
  handOver(): void;
  /** Ends at once. `reason`: of the requests under way, if the proxy still has them. */
  destroy(reset: boolean, reason?: Failure): void;
}

/** What a connection needs of its engine. */
export interface ConnectionOwner {
  readonly handler: RequestHandler;
  readonly resources: NodeResources;
  /** Limits of the plan in force. */
  readonly limits: ListenerLimits;
  readonly protocols: readonly Protocol[];
  /** Responses from now on are the last of their connections. */
  readonly draining: boolean;
  /**
   * Idle connections are closed. At a takeover they are not: a request may be on its way, and its response
   * says that it is the last one.
   */
  readonly closesIdle: boolean;
  onRequestBegan(): void;
  /** The response is over, and the socket has released it; or the connection is gone. */
  onRequestEnded(): void;
  onRefused(): void;
  onTimedOut(what: ClientTimeout): void;
  /** The TLS handshake is done, or the connection ended before it was. */
  onHandshakeEnded(isSecure: boolean): void;
  onTunnelOpened(): void;
  onTunnelClosed(): void;
  /** The client of `before`, which has read nothing for itself, speaks HTTP/2. Returns who reads on. */
  onHttp2(before: ClientConnection, accepted: AcceptedSocket): SocketReader;
  onHttp2Request(): void;
  onHttp2Guard(guard: Guard): void;
  onHttp2Closed(): void;
  onClosed(connection: ClientConnection): void;
}

const UINT32 = 2 ** 32;

let lastKey = randomInt(UINT32);

/** Keys begin at a random number, so that those of several threads are not the same ones. */
export function nextKey(): number {
  lastKey = (lastKey + 1) >>> 0;
  if (lastKey === 0) lastKey = 1;
  return lastKey;
}
