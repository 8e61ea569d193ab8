import { connect, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Failure } from '../errors.js';
import type { ResponseFault } from '../http/response-fault.js';
import { Fed, ResponseReader } from '../http/response-reader.js';
import { writeBothNow, writeNow } from '../write-now.js';
import type { UpstreamCall } from './client.js';
import { Deadline } from './deadlines.js';
import type { Endpoint } from './endpoint.js';
import type { VersionPool } from './pool.js';
import type { UpstreamResources } from './resources.js';
import { type TunnelOwner, UpstreamTunnel } from './tunnel.js';

/**
 *   CONNECTING --connected--> READY --lost, spent or too long idle--> CLOSED
 *        \--refused, timed out----------------------------------------->/
 * A READY connection is busy while it has a call, and else idle in its pool.
 */
const State = { CONNECTING: 0, READY: 1, CLOSED: 2 } as const;
type State = (typeof State)[keyof typeof State];

/** One socket to one endpoint: carries one call at a time and hands the bytes that come back to its reader. */
export class UpstreamConnection implements TunnelOwner {
  readonly endpoint: Endpoint;
  /** The call whose exchange runs here, or that waits for the connect; null while idle. */
  call: UpstreamCall | null;
  /** Exchanges that ended here with the connection intact: above 0, it is a reused one. */
  exchanges = 0;
  /** The socket holds on to bytes that the kernel has not taken: nothing more is written until it has. */
  writing = false;
  /** Set by the call as it ends: all of the request was written. */
  requestWhole = false;

  #state: State = State.CONNECTING;
  #fed: Fed = Fed.MORE;
  #readBytes = 0;
  #paused = false;
  /** Set when the connection left HTTP. */
  #tunnel: UpstreamTunnel | null = null;
  /** A block of a call that is gone, from which the kernel is still taking bytes. */
  #keptBlock: Buffer | null = null;
  readonly #pool: VersionPool;
  readonly #resources: UpstreamResources;
  readonly #buffer: Buffer;
  readonly #reader: ResponseReader;
  readonly #socket: Socket;
  readonly #secure: boolean;
  /** The TCP connection is there: what fails before READY is the handshake. */
  #shaking = false;
  /** The connect timeout, then the idle expiry. */
  readonly #deadline: Deadline;
  // Bound once per connection, so that a read or a write makes no closure.
  readonly #runFeed: () => void;
  readonly #runFinish: () => void;
  readonly #onWritten: () => void;

  /** Begins to connect, for `call`. */
  constructor(pool: VersionPool, endpoint: Endpoint, resources: UpstreamResources, call: UpstreamCall) {
    this.endpoint = endpoint;
    this.call = call;
    endpoint.pending++;
    this.#pool = pool;
    this.#resources = resources;
    this.#buffer = resources.readBuffer();
    this.#reader = new ResponseReader(call);
    this.#deadline = new Deadline(() => this.#lose(Failure.TIMEOUT));
    this.#runFeed = () => this.#feed();
    this.#runFinish = () => {
      this.#fed = this.#reader.finish();
    };
    this.#onWritten = () => this.#written();
    this.#secure = endpoint.plan.secure;
    this.#socket = openSocket(pool, endpoint, this.#buffer, (bytes) => this.#onRead(bytes));
    this.#socket.setNoDelay(true);
    if (this.#secure) this.#listenToTls(this.#socket as TLSSocket);
    else this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('end', () => this.#onFin());
    this.#socket.on('error', () => this.#lose(Failure.RESET));
    this.#socket.on('close', () => this.#onClose());
    resources.deadlines.set(this.#deadline, pool.plan.connectTimeoutMs, resources.clock());
  }

  /** Why the last response was refused, if it was. */
  get fault(): ResponseFault {
    return this.#reader.fault;
  }

  /** Reserves an idle connection for `call`. */
  assign(call: UpstreamCall): void {
    this.#resources.deadlines.clear(this.#deadline);
    this.call = call;
    this.endpoint.pending++;
  }

  /** The request of its call is about to be written: the next bytes read are the response. */
  begin(call: UpstreamCall, toHead: boolean, wantsContinue: boolean, upgrades: boolean): void {
    this.requestWhole = false;
    this.#reader.reset(call, toHead, wantsContinue, upgrades);
  }

  /** Its call is over, or goes on elsewhere. Bytes that still come have no taker. */
  detach(): void {
    if (this.call === null) return;
    this.call = null;
    this.endpoint.pending--;
    this.#reader.stop();
  }

  /** Idle from `nowUs` on, for at most the version's `idleMs`. */
  rest(nowUs: number): void {
    this.#resources.deadlines.set(this.#deadline, this.#pool.plan.idleMs, nowUs);
  }

  /**
   * Writes `block[start, end)`. True: the kernel took it all. False: the block must stay as it is until the
   * call's `onWritten`; until then `writing` is set and nothing else may be written.
   */
  write(block: Buffer, start: number, end: number): boolean {
    if (this.#state === State.CLOSED) return true;
    const taken = this.writeDirect(block, start, end);
    if (taken === end - start) return true;
    this.#socket.write(block.subarray(start + taken, end), this.#onWritten);
    // Right after the call the socket knows whether the kernel took everything (uv_try_write came first).
    this.writing = this.#socket.writableLength > 0;
    return !this.writing;
  }

  /**
   * Writes as much of `block[start, end)` as the kernel takes now and returns how much; the rest stays with the
   * caller. For bodies that come faster than the event loop turns: while an engine delivers one piece after the other in
   * a single turn, a write that waits in the socket could not go on although the upstream reads (docs/decisions/008).
   * Must not be called while `writing` is set.
   */
  writeDirect(block: Uint8Array, start: number, end: number): number {
    if (this.#secure || this.#state === State.CLOSED) return 0;
    return writeNow(this.#socket, block, start, end);
  }

  /** `writeDirect` of `block[start, end)` and `piece` behind it. */
  writeBothDirect(block: Buffer, start: number, end: number, piece: Uint8Array): number {
    if (this.#secure || this.#state === State.CLOSED) return 0;
    return writeBothNow(this.#socket, block.subarray(start, end), piece);
  }

  /** Keeps a block of a call that is gone until the kernel has done with it. */
  keepBlock(block: Buffer): void {
    this.#keptBlock = block;
  }

  /** Stops reading: at most the rest of the read that is being delivered still comes. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** Closes at once. Its call, if it had one, was detached before. */
  close(): void {
    if (this.#state === State.CLOSED) return;
    this.#shut();
    this.#pool.serveWaiters();
  }

  closeTunnel(): void {
    if (this.#state !== State.CLOSED) this.#shut();
  }

  #onConnect(): void {
    if (this.#state !== State.CONNECTING) return;
    this.#state = State.READY;
    this.#resources.deadlines.clear(this.#deadline);
    this.#pool.connected(this);
  }

  #listenToTls(socket: TLSSocket): void {
    socket.on('connect', () => {
      this.#shaking = true;
    });
    socket.on('secureConnect', () => {
      this.#resources.counters.handshakeDone(this.#pool.plan, socket.isSessionReused());
      this.#onConnect();
    });
    // With TLS 1.3 tickets come after the handshake, and each is good for one connection: the newest is kept.
    socket.on('session', (session: Buffer) => {
      this.endpoint.tlsSession = session;
    });
  }

  /** Delivers one read to the call, all of it within the sink's batch. Returns whether to go on reading. */
  #onRead(bytes: number): boolean {
    if (this.#tunnel !== null) {
      this.#tunnel.onData(this.#buffer.subarray(0, bytes));
      return !this.#paused;
    }
    const { call } = this;
    if (call === null) {
      // Bytes without a request are not a response to anything (RFC 9112, section 9.2).
      this.close();
      return false;
    }
    this.#readBytes = bytes;
    call.onRead();
    call.batch(this.#runFeed);
    if (this.#fed === Fed.WHOLE || this.#fed === Fed.EXCESS) this.#settle();
    else if (this.#fed === Fed.SWITCHED) this.#switch(call);
    return !this.#paused;
  }

  #feed(): void {
    this.#fed = this.#reader.feed(this.#buffer, 0, this.#readBytes);
    if (this.#fed === Fed.REFUSED) this.#lose(Failure.PROTOCOL);
  }

  /** The upstream accepted the upgrade: the connection leaves the pool, and what follows the 101 is the tunnel's. */
  #switch(call: UpstreamCall): void {
    if (this.#state === State.CLOSED) return;
    const rest = this.#buffer.subarray(this.#reader.switchedAt, this.#readBytes);
    const tunnel = new UpstreamTunnel(this, this.#socket);
    this.#tunnel = tunnel;
    this.detach();
    this.#pool.letGo(this);
    call.onSwitch(this.#reader.head, tunnel);
    if (!tunnel.attached) tunnel.destroy();
    else if (rest.length > 0) tunnel.onData(rest);
    this.#pool.serveWaiters();
  }

  /** After a whole response: back to the pool if both sides are done and the upstream did not say otherwise. */
  #settle(): void {
    if (this.#state === State.CLOSED) return;
    const reusable = this.#fed === Fed.WHOLE && this.#reader.head.keepAlive && this.requestWhole;
    if (!reusable) {
      this.close();
      return;
    }
    this.resume();
    this.exchanges++;
    this.#pool.release(this);
  }

  #onFin(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.onEnd();
      return;
    }
    const { call } = this;
    if (call !== null && this.#state === State.READY) {
      call.batch(this.#runFinish);
      if (this.#fed === Fed.WHOLE) {
        this.close();
        return;
      }
    }
    this.#lose(Failure.RESET);
  }

  /** The socket is done for. Tells the call, which may begin anew elsewhere, before waiters get the freed place. */
  #lose(failure: Failure): void {
    if (this.#state === State.CLOSED) return;
    if (this.#tunnel !== null) {
      this.#shut();
      this.#tunnel.onClosed();
      return;
    }
    const connecting = this.#state === State.CONNECTING;
    const { call } = this;
    this.detach();
    this.#shut();
    if (connecting)
      this.#pool.connectFailed(this.endpoint, call, this.#shaking ? Failure.TLS : Failure.CONNECT);
    else if (call !== null) call.onLost(this, failure);
    this.#pool.serveWaiters();
  }

  #shut(): void {
    this.#state = State.CLOSED;
    this.#resources.deadlines.clear(this.#deadline);
    this.#reader.stop();
    this.#socket.destroy();
    if (this.#tunnel === null) this.#pool.forget(this);
    else this.#resources.counters.connectionClosed(this.#pool.plan);
  }

  #written(): void {
    if (!this.writing || this.#socket.writableLength > 0 || this.#state === State.CLOSED) return;
    this.writing = false;
    this.call?.onWritten();
  }

  /** Only now has libuv let go of bytes that were being written. */
  #onClose(): void {
    this.#lose(Failure.RESET);
    this.writing = false;
    if (this.#keptBlock !== null) this.#resources.arena.giveBack(this.#keptBlock);
    this.#keptBlock = null;
  }
}

/** Begins to connect; the reads go into `buffer`. */
export function openSocket(
  pool: VersionPool,
  endpoint: Endpoint,
  buffer: Buffer,
  callback: (bytes: number) => boolean,
): Socket {
  const onread = { buffer, callback };
  const { address } = endpoint;
  if (endpoint.plan.secure && address.kind === 'tcp') {
    return pool.tls.open(endpoint.plan, address, endpoint.tlsSession, onread);
  }
  const options: TcpNetConnectOpts | IpcNetConnectOpts =
    address.kind === 'unix'
      ? { path: address.path, onread }
      : { host: address.host, port: address.port, onread };
  return connect(options);
}
