import { connect, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Cause, type EndpointError, errorOf, noError, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { limits } from '../limits.js';
import type { VersionPlan } from '../plan.js';
import { writeNow, writePartsNow } from '../write-now.js';
import { Deadline } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import type { UpstreamResources } from './resources.js';
import type { TlsConnector } from './tls.js';

/**
 *   CONNECTING --connected, TLS included--> READY --lost, expired or destroyed--> CLOSED
 *        \--refused, timed out---------------------------------------------------->/
 */
const State = { CONNECTING: 0, READY: 1, CLOSED: 2 } as const;
type State = (typeof State)[keyof typeof State];

const http1: string[] = ['http/1.1'];

/** The connection that owns a socket. After `destroy` it gets only `onReleased`. */
export interface SocketOwner {
  /** The socket is connected, and the TLS handshake, if there is one, is complete. */
  onReady(): void;
  /** Bytes were read to the start of `buffer`. Returns true to continue reading. */
  onRead(bytes: number): boolean;
  /** The endpoint sends no more (FIN). While connecting, that is a failed connect instead. */
  onFin(): void;
  /**
   * The socket failed: `connect`, `tls` or `out-of-resources` while it was connecting, `reset` later. The
   * owner destroys it.
   */
  onLost(failure: Failure): void;
  /** The time of `expireAfter` has passed. */
  onExpired(): void;
  /** libuv has released the bytes that were being written. This is the last event. */
  onReleased(): void;
}

/** The services of the pool that a socket needs. */
export interface SocketHome {
  readonly plan: VersionPlan;
  readonly resources: UpstreamResources;
  readonly tls: TlsConnector;
}

/**
 * One socket to one endpoint, for both kinds of connections. It connects within `connectTimeoutMs`, completes
 * TLS, reads into one buffer, expires while idle, and reports its end once.
 */
export class UpstreamSocket {
  /** The buffer with the bytes of `onRead`. */
  readonly buffer: Buffer;
  #state: State = State.CONNECTING;
  /** The TCP connection is established. A failure before READY is then one of the handshake. */
  #handshaking = false;
  /** The error of Node's socket, once there is one. */
  #error: EndpointError = noError;
  readonly #secure: boolean;
  readonly #owner: SocketOwner;
  readonly #home: SocketHome;
  readonly #endpoint: Endpoint;
  /** The connect timeout, then the idle expiry. */
  readonly #deadline: Deadline;
  /** By how many milliseconds the connect timeout was extended, because the thread stood still. */
  extendedMs = 0;
  /** `Deadlines.stalledMs` when the connection began. */
  readonly #stalledBeforeMs: number;
  readonly #socket: Socket;

  /** `protocols` are offered in the handshake of TLS. */
  constructor(home: SocketHome, endpoint: Endpoint, owner: SocketOwner, protocols: string[] = http1) {
    const { resources, plan } = home;
    this.#owner = owner;
    this.#home = home;
    this.#endpoint = endpoint;
    this.#secure = endpoint.plan.secure;
    this.buffer = resources.readBuffers.of(protocols !== http1 && !this.#secure);
    this.#deadline = new Deadline(() => this.#onDue());
    this.#socket = this.#connect(protocols);
    this.#socket.setNoDelay(true);
    if (this.#secure) this.#listenToTls(this.#socket as TLSSocket);
    else this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('end', () => this.#onFin());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = errorOf(error, this.#handshaking && this.#state === State.CONNECTING);
      this.#onLost();
    });
    this.#socket.on('close', () => {
      resources.deadlines.clear(this.#deadline);
      this.#onLost();
      this.#owner.onReleased();
    });
    this.#stalledBeforeMs = resources.deadlines.stalledMs;
    resources.deadlines.set(this.#deadline, plan.connectTimeoutMs, resources.clock());
  }

  /**
   * `extend` sets `deadline` of the connect timeout again, for as long as the thread has stood still since
   * the connection began. Handshakes of TLS and HTTP/2 need this thread's answers, so such time is not the
   * endpoint's. False: it did not stand still since it was asked last.
   */
  extend(deadline: Deadline): boolean {
    const { deadlines, clock } = this.#home.resources;
    const moreMs = deadlines.stalledMs - this.#stalledBeforeMs - this.extendedMs;
    if (moreMs <= 0) return false;
    this.extendedMs += moreMs;
    deadlines.set(deadline, moreMs, clock());
    return true;
  }

  get isReady(): boolean {
    return this.#state === State.READY;
  }

  get isClosed(): boolean {
    return this.#state === State.CLOSED;
  }

  /**
   * Bytes that the kernel has not taken. It is exact right after a write, which begins with `uv_try_write`.
   */
  get heldBytes(): number {
    return this.#socket.writableLength;
  }

  /** The protocol that the endpoint has selected in the handshake; empty for none. */
  get selected(): string {
    return (this.#secure && (this.#socket as TLSSocket).alpnProtocol) || '';
  }

  /** Node's socket, for a tunnel. */
  get raw(): Socket {
    return this.#socket;
  }

  /** `write` writes `bytes`, which must not change until `onWritten` is called or `heldBytes` is 0. */
  write(bytes: Buffer, onWritten: () => void): void {
    this.#socket.write(bytes, onWritten);
  }

  /** Writes a wire string. */
  writeText(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Bytes may go to the kernel past Node's socket: it is open, and does not encrypt. */
  get isDirect(): boolean {
    return !this.#secure && this.#state !== State.CLOSED;
  }

  /**
   * `writeDirect` writes as much of `bytes[start, end)` as the kernel takes now and returns the number of
   * bytes. With TLS that is 0.
   */
  writeDirect(bytes: Uint8Array, start: number, end: number): number {
    return this.isDirect ? writeNow(this.#socket, bytes, start, end) : 0;
  }

  /** `writePartsDirect` does the same for several parts in one system call. */
  writePartsDirect(parts: readonly Uint8Array[]): number {
    return this.isDirect ? writePartsNow(this.#socket, parts) : 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Calls `onExpired` after `timeoutMs`, unless `keep` comes first. */
  expireAfter(timeoutMs: number, nowUs: number): void {
    this.#home.resources.deadlines.set(this.#deadline, timeoutMs, nowUs);
  }

  /** `keep` cancels the expiry, because the socket is in use. */
  keep(): void {
    this.#home.resources.deadlines.clear(this.#deadline);
  }

  /** Closes at once. */
  destroy(): void {
    this.#state = State.CLOSED;
    this.#home.resources.deadlines.clear(this.#deadline);
    this.#socket.destroy();
  }

  /** Closes when all that was written has left, or after `limits.lingerMs`. */
  finish(): void {
    if (this.#state !== State.READY) {
      this.destroy();
      return;
    }
    this.#state = State.CLOSED;
    this.expireAfter(limits.lingerMs, this.#home.resources.clock());
    this.#socket.destroySoon();
  }

  #connect(protocols: string[]): Socket {
    const { address, plan, tlsSession } = this.#endpoint;
    const callback = (bytes: number): boolean => this.#owner.onRead(bytes);
    const onread = { buffer: this.buffer, callback };
    if (this.#secure && address.kind === 'tcp')
      return this.#home.tls.open(plan, address, tlsSession, protocols, onread);
    const options: TcpNetConnectOpts | IpcNetConnectOpts =
      address.kind === 'unix'
        ? { path: address.path, onread }
        : { host: address.host, port: address.port, onread };
    return connect(options);
  }

  #listenToTls(socket: TLSSocket): void {
    const { resources, plan } = this.#home;
    socket.on('connect', () => {
      this.#handshaking = true;
    });
    socket.on('secureConnect', () => {
      resources.counters.handshakeDone(plan, socket.isSessionReused());
      this.#onConnect();
    });
    // With TLS 1.3, tickets arrive after the handshake, and each is valid for one connection. The newest is
    // kept.
    socket.on('session', (session: Buffer) => {
      this.#endpoint.tlsSession = session;
    });
  }

  #onConnect(): void {
    if (this.#state !== State.CONNECTING) return;
    this.#state = State.READY;
    this.keep();
    this.#owner.onReady();
  }

  #onDue(): void {
    if (this.#state === State.READY) {
      this.#owner.onExpired();
      return;
    }
    if (this.#state === State.CLOSED) {
      this.#socket.destroy();
      return;
    }
    if (this.extend(this.#deadline)) return;
    this.#error = plainErrors[this.#handshaking ? Cause.TLS_TIMEOUT : Cause.CONNECT_TIMEOUT]!;
    this.#onLost();
  }

  #onFin(): void {
    if (this.#state !== State.READY) {
      this.#onLost();
      return;
    }
    this.#endpoint.lastError = plainErrors[Cause.CONNECTION_CLOSED]!;
    this.#owner.onFin();
  }

  #onLost(): void {
    if (this.#state === State.CLOSED) return;
    const isHandshake = this.#handshaking && this.#state === State.CONNECTING;
    if (this.#error === noError)
      this.#error = plainErrors[isHandshake ? Cause.TLS_CLOSED : Cause.CONNECTION_CLOSED]!;
    this.#endpoint.lastError = this.#error;
    if (this.#state === State.READY) this.#owner.onLost(Failure.RESET);
    else if (this.#error.cause === Cause.OUT_OF_RESOURCES) this.#owner.onLost(Failure.OUT_OF_RESOURCES);
    else this.#owner.onLost(this.#handshaking ? Failure.TLS : Failure.CONNECT);
  }
}
