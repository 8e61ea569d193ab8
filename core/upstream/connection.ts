import { currentRead } from '../current-read.js';
import { Failure } from '../errors.js';
import { keepAliveSeconds } from '../http/keep-alive.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { Endpoint, IdleConnection } from './endpoint.js';
import type { OutboxTarget } from './outbox.js';
import { type SocketHome, type SocketOwner, UpstreamSocket } from './socket.js';
import { type TunnelOwner, UpstreamTunnel } from './tunnel.js';

/** The user of a connection: a call whose exchange runs on it, or which waits for the connect. */
export interface ConnectionUser extends ReaderSink {
  /** The connection is connected; the user begins its exchange. */
  onConnection(connection: UpstreamConnection): void;
  /** The connection could not be made and is closed. */
  onNoConnection(endpoint: Endpoint, failure: Failure): void;
  /** Runs `run`, which delivers the content of one read. */
  batch(run: () => void): void;
  /** Bytes of the response were read at `nowUs` and are about to be delivered. */
  onRead(nowUs: number): void;
  /** The socket has written everything it held: `writing` is false again. */
  onWritten(): void;
  /** The connection was lost before the response was complete, and is closed. */
  onLost(connection: UpstreamConnection, failure: Failure): void;
  /** The endpoint switched protocols. `head` is its 101, and the connection is `tunnel` from now on. */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void;
}

/** Holds a private connection between two exchanges. */
export interface ConnectionHolder {
  hold(connection: UpstreamConnection): void;
}

/** The pool that opened a connection. */
export interface ConnectionHome extends SocketHome {
  /** The connection has no exchange and can take one. */
  release(connection: UpstreamConnection): void;
  /** A connection to this endpoint could not be made. */
  noConnection(endpoint: Endpoint, failure: Failure): void;
  /**
   * The connection left HTTP. It no longer uses a place of the pool, but counts as open until it is closed.
   */
  exclude(connection: UpstreamConnection): void;
  /** The connection is closed. */
  forget(connection: UpstreamConnection): void;
  /** A place may have become free. */
  serveWaiters(): void;
}

/**
 * `UpstreamConnection` is one connection to one endpoint. It carries one exchange at a time and passes the
 * response's bytes to its reader. It is busy while it has a user, and otherwise idle in its pool.
 * core/upstream/socket has the states of the socket.
 */
export class UpstreamConnection implements SocketOwner, TunnelOwner, OutboxTarget, IdleConnection {
  readonly endpoint: Endpoint;
  /** Null while idle. */
  user: ConnectionUser | null;
  /** Exchanges that ended here with the connection intact. Above 0, the connection is reused. */
  exchanges = 0;
  /** The socket holds bytes that the kernel has not taken. Nothing more may be written until it has. */
  writing = false;
  /** The connection carries the login of one client, so the pool gives it to no other. */
  isPrivate = false;
  /** With `isPrivate`, set by the user when its exchange ends. Null: the connection is closed. */
  holder: ConnectionHolder | null = null;
  /** Set by the user when its exchange ends: the whole request was written. */
  requestWhole = false;
  /** When the connection was ready, or its latest bytes were read. */
  readUs = 0;

  #fed: Fed = Fed.MORE;
  #readBytes = 0;
  #paused = false;
  /**
   * The time for which the endpoint announced to keep the idle connection, minus a margin, in milliseconds;
   * -1 when it announced none.
   */
  #keptMs = -1;
  /** The start and the end of the idle time. */
  #idleSinceUs = 0;
  #idleUntilUs = 0;
  /** Set when the connection leaves HTTP. */
  #tunnel: UpstreamTunnel | null = null;
  /** A block of a previous user that the kernel is still reading. */
  #keptBlock: Buffer | null = null;
  readonly #home: ConnectionHome;
  readonly #reader: ResponseReader;
  // Bound once per connection, so that a read or a write creates no closure.
  readonly #runFeed: () => void;
  readonly #runFinish: () => void;
  readonly #onWritten: () => void;
  readonly #socket: UpstreamSocket;

  /** Starts to connect for `user`. */
  constructor(home: ConnectionHome, endpoint: Endpoint, user: ConnectionUser) {
    this.endpoint = endpoint;
    this.user = user;
    endpoint.pending++;
    this.#home = home;
    this.#reader = new ResponseReader(user);
    this.#runFeed = () => this.#feed();
    this.#runFinish = () => {
      this.#fed = this.#reader.finish();
    };
    this.#onWritten = () => this.#written();
    this.#socket = new UpstreamSocket(home, endpoint, this);
  }

  /** Why the last response was rejected, if it was. */
  get fault(): ResponseFault {
    return this.#reader.fault;
  }

  get isClosed(): boolean {
    return this.#socket.isClosed;
  }

  isOf(home: ConnectionHome): boolean {
    return this.#home === home;
  }

  /** Reserves an idle connection for `user`. */
  assign(user: ConnectionUser): void {
    this.#socket.keep();
    this.user = user;
    this.endpoint.pending++;
  }

  /**
   * `begin` is called before the user's request is written. The next bytes that are read are its response.
   */
  begin(sink: ReaderSink, toHead: boolean, wantsContinue: boolean, upgrades: boolean): void {
    this.requestWhole = false;
    this.#reader.reset(sink, toHead, wantsContinue, upgrades);
  }

  /** `detach` ends the exchange on this connection. Bytes that still arrive are not delivered. */
  detach(): void {
    if (this.user === null) return;
    this.user = null;
    this.endpoint.pending--;
    this.#reader.stop();
  }

  /** `rest` makes the connection idle from `nowUs` on, for at most `idleMs`. */
  rest(idleMs: number, nowUs: number): void {
    const restMs = this.#keptMs < 0 ? idleMs : Math.min(idleMs, this.#keptMs);
    this.#idleSinceUs = nowUs;
    this.#idleUntilUs = nowUs + restMs * 1e3;
    this.#socket.expireAfter(restMs, nowUs);
  }

  /**
   * `isExpired` returns true when the idle connection must not be used, because the endpoint may be closing
   * it.
   */
  isExpired(nowUs: number): boolean {
    return nowUs >= this.#idleUntilUs;
  }

  /**
   * `isFresh` returns true when the idle connection may carry a request that is not idempotent and can't be
   * sent again. Either the endpoint announced that it keeps the connection, or the connection was used a
   * moment ago.
   */
  isFresh(nowUs: number): boolean {
    return this.#keptMs >= 0 || nowUs - this.#idleSinceUs <= limits.freshConnectionMs * 1e3;
  }

  /**
   * `write` writes `block[start, end)` and returns true when the kernel took it all. Otherwise the block must
   * not change until the user's `onWritten`; until then `writing` is set and nothing else may be written.
   */
  write(block: Buffer, start: number, end: number): boolean {
    const socket = this.#socket;
    if (socket.isClosed) return true;
    const taken = socket.writeDirect(block, start, end);
    if (taken === end - start) return true;
    socket.write(block.subarray(start + taken, end), this.#onWritten);
    this.writing = socket.heldBytes > 0;
    return !this.writing;
  }

  get isDirect(): boolean {
    return this.#socket.isDirect;
  }

  /**
   * `writeParts` writes as much as the kernel takes now and returns the number of bytes; the rest stays with
   * the caller. It is for bodies that arrive faster than the event loop turns: while an engine delivers many
   * pieces in one turn, a write that waits in the socket can't continue although the upstream reads
   * (docs/decisions/008). It must not be called while `writing` is set.
   */
  writeParts(parts: readonly Uint8Array[]): number {
    return this.#socket.writePartsDirect(parts);
  }

  /** `keepBlock` keeps a block of a previous user until the kernel has read it. */
  keepBlock(block: Buffer): void {
    this.#keptBlock = block;
  }

  /** `pause` stops reading. At most the rest of the current read is still delivered. */
  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** `close` closes at once. A user was detached before. */
  close(): void {
    if (this.#socket.isClosed) return;
    this.#shut();
    this.#home.serveWaiters();
  }

  /** `discard` closes an idle connection whose place the caller uses, so no waiter gets it. */
  discard(): void {
    this.#shut();
  }

  closeTunnel(): void {
    if (!this.#socket.isClosed) this.#shut();
  }

  // From the socket.

  /** `onReady` releases a connection whose user has left meanwhile. */
  onReady(): void {
    this.readUs = this.#home.resources.clock();
    if (this.user === null) this.#home.release(this);
    else this.user.onConnection(this);
  }

  /** `onRead` delivers one read to the user within the sink's batch. */
  onRead(bytes: number): boolean {
    if (this.#tunnel !== null) {
      this.#tunnel.onData(this.#socket.buffer.subarray(0, bytes));
      return !this.#paused;
    }
    const { user } = this;
    if (user === null) {
      // Bytes without a request belong to no response (RFC 9112, section 9.2).
      this.close();
      return false;
    }
    this.#readBytes = bytes;
    this.readUs = this.#home.resources.clock();
    user.onRead(this.readUs);
    user.batch(this.#runFeed);
    if (this.#fed === Fed.WHOLE || this.#fed === Fed.EXCESS) this.#settle();
    else if (this.#fed === Fed.SWITCHED) this.#switch(user);
    return !this.#paused;
  }

  onFin(): void {
    if (this.#tunnel !== null) {
      this.#tunnel.onEnd();
      return;
    }
    if (this.user !== null) {
      this.user.batch(this.#runFinish);
      if (this.#fed === Fed.WHOLE) {
        this.close();
        return;
      }
    }
    this.#lose(Failure.RESET);
  }

  onLost(failure: Failure): void {
    this.#lose(failure);
  }

  onExpired(): void {
    this.close();
  }

  onReleased(): void {
    this.writing = false;
    if (this.#keptBlock !== null) this.#home.resources.arena.giveBack(this.#keptBlock);
    this.#keptBlock = null;
  }

  #feed(): void {
    currentRead.begin();
    try {
      this.#fed = this.#reader.feed(this.#socket.buffer, 0, this.#readBytes);
    } finally {
      currentRead.end();
    }
    if (this.#fed === Fed.REFUSED) this.#lose(Failure.PROTOCOL);
  }

  /**
   * `#switch` is called when the endpoint accepted the upgrade. The connection leaves the pool, and the bytes
   * after the 101 belong to the tunnel.
   */
  #switch(user: ConnectionUser): void {
    const socket = this.#socket;
    if (socket.isClosed) return;
    const rest = socket.buffer.subarray(this.#reader.switchedAt, this.#readBytes);
    const tunnel = new UpstreamTunnel(this, socket.raw);
    this.#tunnel = tunnel;
    this.detach();
    this.#home.exclude(this);
    user.onSwitch(this.#reader.head, tunnel);
    if (!tunnel.attached) tunnel.destroy();
    else if (rest.length > 0) tunnel.onData(rest);
    this.#home.serveWaiters();
  }

  /**
   * `#settle` handles a complete response: the connection returns to the pool if both sides are done and the
   * endpoint keeps it.
   */
  #settle(): void {
    if (this.#socket.isClosed) return;
    const reusable = this.#fed === Fed.WHOLE && this.#reader.head.keepAlive && this.requestWhole;
    if (!reusable || (this.isPrivate && this.holder === null)) {
      this.close();
      return;
    }
    const seconds = keepAliveSeconds(this.#reader.head);
    this.#keptMs = seconds < 0 ? -1 : Math.max(0, seconds * 1e3 - limits.keepAliveMarginMs);
    this.resume();
    this.exchanges++;
    if (this.isPrivate) {
      this.rest(this.#home.plan.idleMs, this.readUs);
      this.holder!.hold(this);
    } else {
      this.#home.release(this);
    }
  }

  /**
   * `#lose` closes after a failure. The user, which may continue elsewhere, is called before a waiter gets
   * the free place.
   */
  #lose(failure: Failure): void {
    if (this.#socket.isClosed) return;
    if (this.#tunnel !== null) {
      this.#shut();
      this.#tunnel.onClosed();
      return;
    }
    const wasReady = this.#socket.isReady;
    const { user } = this;
    this.detach();
    this.#shut();
    if (!wasReady) {
      this.#home.noConnection(this.endpoint, failure);
      user?.onNoConnection(this.endpoint, failure);
    } else {
      user?.onLost(this, failure);
    }
    this.#home.serveWaiters();
  }

  #shut(): void {
    this.#reader.stop();
    this.#socket.destroy();
    const { resources, plan } = this.#home;
    if (this.#tunnel === null) this.#home.forget(this);
    else resources.counters.connectionClosed(plan);
  }

  #written(): void {
    if (!this.writing || this.#socket.heldBytes > 0 || this.#socket.isClosed) return;
    this.writing = false;
    this.user?.onWritten();
  }
}
