import { Failure } from '../errors.js';
import { keepAliveSeconds } from '../http/keep-alive.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { Endpoint, IdleConnection } from './endpoint.js';
import type { WriteTarget } from './outbox.js';
import { type SocketHome, type SocketOwner, UpstreamSocket } from './socket.js';
import { type TunnelOwner, UpstreamTunnel } from './tunnel.js';

/** Whom a connection serves: a call whose exchange runs on it, or that waits for its connect. */
export interface ConnectionUser extends ReaderSink {
  /** The connection is connected; the user begins its exchange. */
  onConnection(connection: UpstreamConnection): void;
  /** The connection could not be made; it is closed. */
  onNoConnection(endpoint: Endpoint, failure: Failure): void;
  /** Runs `run`, in which what one read brought is delivered. */
  batch(run: () => void): void;
  /** Bytes of the response were read and are about to be delivered. */
  onRead(): void;
  /** The socket has written all that it held: `writing` is false again. */
  onWritten(): void;
  /** The connection was lost before the response was whole; it is closed. */
  onLost(connection: UpstreamConnection, failure: Failure): void;
  /** The endpoint switched protocols: `head` is its 101, and the connection is `tunnel` from here on. */
  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void;
}

/** Who holds a private connection between two exchanges. */
export interface ConnectionHolder {
  hold(connection: UpstreamConnection): void;
}

/** Where a connection belongs: the pool that opened it. */
export interface ConnectionHome extends SocketHome {
  /** The connection has no exchange and can take one. */
  release(connection: UpstreamConnection): void;
  /** No connection to this endpoint could be made. */
  noConnection(endpoint: Endpoint, failure: Failure): void;
  /** The connection left HTTP: it takes no place any more, and counts as open until it is closed. */
  exclude(connection: UpstreamConnection): void;
  /** The connection is closed. */
  forget(connection: UpstreamConnection): void;
  /** A place may have become free. */
  serveWaiters(): void;
}

/**
 * One connection to one endpoint: carries one exchange at a time and hands the bytes that come back to its
 * reader. It is busy while it has a user, and else idle in its pool. The states of the socket are in
 * core/upstream/socket.
 */
export class UpstreamConnection implements SocketOwner, TunnelOwner, WriteTarget, IdleConnection {
  readonly endpoint: Endpoint;
  /** Null while idle. */
  user: ConnectionUser | null;
  /** Exchanges that ended here with the connection intact: above 0, it is a reused one. */
  exchanges = 0;
  /** The socket holds on to bytes that the kernel has not taken: nothing more is written until it has. */
  writing = false;
  /** The connection carries the login of one client: the pool gives it to nobody else. */
  isPrivate = false;
  /** With `isPrivate`, set by the user as its exchange ends; null: the connection is closed. */
  holder: ConnectionHolder | null = null;
  /** Set by the user as its exchange ends: all of the request was written. */
  requestWhole = false;

  #fed: Fed = Fed.MORE;
  #readBytes = 0;
  #paused = false;
  /**
   * The time for which the endpoint announced to keep the connection idle, less a margin, in milliseconds;
   * -1: it announced none.
   */
  #keptMs = -1;
  /** While idle: since when, and until when. */
  #idleSinceUs = 0;
  #idleUntilUs = 0;
  /** Set when the connection left HTTP. */
  #tunnel: UpstreamTunnel | null = null;
  /** A block of a user that is gone, from which the kernel is still taking bytes. */
  #keptBlock: Buffer | null = null;
  readonly #home: ConnectionHome;
  readonly #reader: ResponseReader;
  // Bound once per connection, so that a read or a write makes no closure.
  readonly #runFeed: () => void;
  readonly #runFinish: () => void;
  readonly #onWritten: () => void;
  readonly #socket: UpstreamSocket;

  /** Begins to connect, for `user`. */
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

  /** Why the last response was refused, if it was. */
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

  /** The request of its user is about to be written: the next bytes read are the response. */
  begin(sink: ReaderSink, toHead: boolean, wantsContinue: boolean, upgrades: boolean): void {
    this.requestWhole = false;
    this.#reader.reset(sink, toHead, wantsContinue, upgrades);
  }

  /** The exchange is over, or continues elsewhere. Bytes that still come have no taker. */
  detach(): void {
    if (this.user === null) return;
    this.user = null;
    this.endpoint.pending--;
    this.#reader.stop();
  }

  /** The connection is idle from `nowUs` on, for at most `idleMs`. */
  rest(idleMs: number, nowUs: number): void {
    const restMs = this.#keptMs < 0 ? idleMs : Math.min(idleMs, this.#keptMs);
    this.#idleSinceUs = nowUs;
    this.#idleUntilUs = nowUs + restMs * 1e3;
    this.#socket.expireAfter(restMs, nowUs);
  }

  /** Whether the idle connection must not be used any more, because the endpoint may be closing it. */
  isExpired(nowUs: number): boolean {
    return nowUs >= this.#idleUntilUs;
  }

  /**
   * Whether the idle connection may get a request that is not idempotent, and so can't be sent again: the
   * endpoint has said that it keeps it, or it was in use a moment ago.
   */
  isFresh(nowUs: number): boolean {
    return this.#keptMs >= 0 || nowUs - this.#idleSinceUs <= limits.freshConnectionMs * 1e3;
  }

  /**
   * Writes `block[start, end)`. True: the kernel took it all. False: the block must stay as it is until the
   * user's `onWritten`; until then `writing` is set and nothing else may be written.
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

  /**
   * Writes as much of `block[start, end)` as the kernel takes now and returns how much; the rest stays with
   * the caller. For bodies that come faster than the event loop turns: while an engine delivers one piece
   * after the other in a single turn, a write that waits in the socket could not continue although the
   * upstream reads (docs/decisions/008). Must not be called while `writing` is set.
   */
  writeDirect(block: Uint8Array, start: number, end: number): number {
    return this.#socket.writeDirect(block, start, end);
  }

  /** `writeDirect` of `block[start, end)` and `piece` behind it. */
  writeBothDirect(block: Buffer, start: number, end: number, piece: Uint8Array): number {
    return this.#socket.writeBothDirect(block.subarray(start, end), piece);
  }

  /** Keeps a block of a user that is gone until the kernel has done with it. */
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

  /** Closes at once. Its user, if it had one, was detached before. */
  close(): void {
    if (this.#socket.isClosed) return;
    this.#shut();
    this.#home.serveWaiters();
  }

  /** Closes an idle connection whose place the caller takes: no waiter gets it. */
  discard(): void {
    this.#shut();
  }

  closeTunnel(): void {
    if (!this.#socket.isClosed) this.#shut();
  }

  // From the socket.

  /** The user may have gone meanwhile; then the connection is as good as one that was released. */
  onReady(): void {
    if (this.user === null) this.#home.release(this);
    else this.user.onConnection(this);
  }

  /** Delivers one read to the user, all of it within the sink's batch. */
  onRead(bytes: number): boolean {
    if (this.#tunnel !== null) {
      this.#tunnel.onData(this.#socket.buffer.subarray(0, bytes));
      return !this.#paused;
    }
    const { user } = this;
    if (user === null) {
      // Bytes without a request are not a response to anything (RFC 9112, section 9.2).
      this.close();
      return false;
    }
    this.#readBytes = bytes;
    user.onRead();
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
    this.#fed = this.#reader.feed(this.#socket.buffer, 0, this.#readBytes);
    if (this.#fed === Fed.REFUSED) this.#lose(Failure.PROTOCOL);
  }

  /**
   * The endpoint accepted the upgrade: the connection leaves the pool, and what follows the 101 is the
   * tunnel's.
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
   * After a whole response: back to the pool if both sides are done and the endpoint keeps the connection.
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
      this.rest(this.#home.plan.idleMs, this.#home.resources.clock());
      this.holder!.hold(this);
    } else {
      this.#home.release(this);
    }
  }

  /**
   * Closes after a failure. Its user, which may continue elsewhere, comes before waiters get the place that
   * became free.
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
