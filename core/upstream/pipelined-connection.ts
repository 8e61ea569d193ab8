import { Failure } from '../errors.js';
import { keepAliveSeconds } from '../http/keep-alive.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { Endpoint } from './endpoint.js';
import { type SocketHome, type SocketOwner, UpstreamSocket } from './socket.js';

/** A request on a pipelined connection, and who takes its response. */
export interface PipelinedUser {
  /** The whole request, a wire string. */
  readonly wire: string;
  readonly toHead: boolean;
  /** The request is about to be written. */
  onSent(): void;
  onHead(head: ResponseHead, readUs: number): void;
  onBody(bytes: Uint8Array, readUs: number): void;
  onEnd(readUs: number): void;
  /** The connection could not be made; it is closed. */
  onNoConnection(endpoint: Endpoint, failure: Failure): void;
  /**
   * The connection is lost. `untouched`: the connection had worked, and no byte of this response had come, so
   * that the request may have reached nobody.
   */
  onLost(failure: Failure, untouched: boolean, fault: ResponseFault): void;
}

/** Where a pipelined connection belongs: the pool that opened it. */
export interface PipelinedHome extends SocketHome {
  /** The pool drains: a connection that has nothing to do closes. */
  readonly closed: boolean;
  /** Takes what was seen of an endpoint (core/upstream/endpoint-set). */
  readonly endpointSet: {
    refused(endpoint: Endpoint): void;
    answered(endpoint: Endpoint): void;
    failed(endpoint: Endpoint): void;
  };
  /** No connection to this endpoint could be made. */
  noConnection(endpoint: Endpoint, failure: Failure): void;
  /** The connection is closed. */
  forgetPipelined(connection: PipelinedConnection): void;
}

/**
 * One connection to one endpoint that carries several bodyless requests at a time (RFC 9112, section 9.3.2):
 * all that a turn of the loop brings go out with one write, and the responses come in the order of the
 * requests. When one response breaks, all requests behind it lose theirs, and may be sent again elsewhere.
 */
export class PipelinedConnection implements ReaderSink, SocketOwner {
  readonly endpoint: Endpoint;
  /** Responses that came whole: above 0, the endpoint has closed a connection that worked. */
  exchanges = 0;
  /** When the last of them was over: a shadow works on one request of a connection at a time. */
  lastEndUs = 0;
  /** In the order of their responses; null: the user is gone, and its response is thrown away. */
  #users: (PipelinedUser | null)[] = [];
  /** Whether the request of each is HEAD. */
  #toHeads: boolean[] = [];
  /** Bytes of the first one's response have come. */
  #begun = false;
  /** A user left before its response came: nothing new is put behind it. */
  #stuck = false;
  #out = '';
  /** The time for which the endpoint keeps the connection idle, less a margin, in milliseconds. */
  #keptMs = Number.POSITIVE_INFINITY;
  #readUs = 0;
  readonly #home: PipelinedHome;
  readonly #reader: ResponseReader;
  readonly #socket: UpstreamSocket;
  readonly #flush = () => this.#write();

  constructor(home: PipelinedHome, endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.#home = home;
    this.#reader = new ResponseReader(this);
    endpoint.open++;
    home.resources.counters.connectionOpened(home.plan);
    this.#socket = new UpstreamSocket(home, endpoint, this);
  }

  /** Requests whose response is not whole. */
  get length(): number {
    return this.#users.length;
  }

  get usable(): boolean {
    return !this.#socket.isClosed && !this.#stuck && !this.endpoint.gone && this.endpoint.usable;
  }

  /** Sends the user's request, now or when the socket is ready. */
  take(user: PipelinedUser): void {
    const ready = this.#socket.isReady;
    if (this.#users.length === 0 && ready) this.#socket.keep();
    this.#users.push(user);
    this.#toHeads.push(user.toHead);
    this.endpoint.pending++;
    if (ready) this.#send(user);
  }

  /** The user leaves. While its response is coming nothing else can come, so the connection closes then. */
  abandon(user: PipelinedUser): void {
    const at = this.#users.indexOf(user);
    if (at < 0) return;
    this.#users[at] = null;
    this.#stuck = true;
    if ((at === 0 && this.#begun) || this.#users.every((other) => other === null)) this.#close();
  }

  /** The pool closes: what is under way is finished. */
  retire(): void {
    if (this.#users.length === 0) this.#close();
  }

  // From the reader.

  onInterim(_head: ResponseHead): void {}

  onHead(head: ResponseHead): void {
    this.#home.endpointSet.answered(this.endpoint);
    const seconds = keepAliveSeconds(head);
    if (seconds >= 0) this.#keptMs = Math.max(0, seconds * 1e3 - limits.keepAliveMarginMs);
    this.#users[0]?.onHead(head, this.#readUs);
  }

  onBody(bytes: Uint8Array): void {
    this.#users[0]?.onBody(bytes, this.#readUs);
  }

  onTrailers(_lines: string): void {}

  onEnd(): void {
    const user = this.#users.shift()!;
    this.#toHeads.shift();
    this.endpoint.pending--;
    this.#begun = false;
    this.exchanges++;
    this.lastEndUs = this.#readUs;
    user?.onEnd(this.#readUs);
  }

  // From the socket.

  onReady(): void {
    for (const user of this.#users) if (user !== null) this.#send(user);
    this.#rest();
  }

  onRead(bytes: number): boolean {
    this.#readUs = this.#home.resources.clock();
    let at = 0;
    while (at < bytes) {
      if (this.#users.length === 0) {
        // Bytes without a request are not a response to anything (RFC 9112, section 9.2).
        this.#lose(Failure.PROTOCOL);
        return false;
      }
      if (!this.#begun) {
        this.#begun = true;
        this.#reader.reset(this, this.#toHeads[0]!);
      }
      const fed = this.#reader.feed(this.#socket.buffer, at, bytes);
      if (fed === Fed.MORE) return true;
      if (fed === Fed.REFUSED) this.#lose(Failure.PROTOCOL);
      if (this.#socket.isClosed) return false;
      if (!this.#reader.head.keepAlive) {
        this.#close();
        return false;
      }
      at = fed === Fed.EXCESS ? this.#reader.restAt : bytes;
    }
    this.#rest();
    return true;
  }

  onFin(): void {
    // The last response may be one that ends with the connection.
    if (this.#begun) this.#reader.finish();
    this.#lose(Failure.RESET);
  }

  onLost(failure: Failure): void {
    this.#lose(failure);
  }

  onExpired(): void {
    this.#close();
  }

  onReleased(): void {}

  /** All requests of this turn go out together, when it is over. */
  #send(user: PipelinedUser): void {
    if (this.#out === '') process.nextTick(this.#flush);
    this.#out += user.wire;
    user.onSent();
  }

  #write(): void {
    const out = this.#out;
    this.#out = '';
    if (this.#socket.isReady) this.#socket.writeText(out);
  }

  #rest(): void {
    if (this.#users.length > 0 || this.#socket.isClosed) return;
    const { resources, plan, closed } = this.#home;
    if (closed || this.#stuck || this.endpoint.gone) this.#close();
    else this.#socket.expireAfter(Math.min(plan.idleMs, this.#keptMs), resources.clock());
  }

  /** Closes after a failure of the endpoint's. */
  #lose(failure: Failure): void {
    if (this.#socket.isClosed) return;
    const { endpointSet } = this.#home;
    const neverAnswered = this.exchanges === 0 && !this.#begun && this.#users.length > 0;
    if (!this.#socket.isReady) this.#home.noConnection(this.endpoint, failure);
    else if (neverAnswered) endpointSet.refused(this.endpoint);
    else if (this.#begun) endpointSet.failed(this.endpoint);
    this.#close(failure);
  }

  /**
   * Closes. The first user fails if its response had begun; the others may be sent again where that is safe.
   */
  #close(failure: Failure = Failure.RESET): void {
    if (this.#socket.isClosed) return;
    const wasReady = this.#socket.isReady;
    const users = this.#users;
    const begun = this.#begun;
    const worked = this.exchanges > 0 || begun;
    this.#users = [];
    this.#toHeads = [];
    this.#reader.stop();
    this.#socket.destroy();
    this.endpoint.pending -= users.length;
    this.#home.forgetPipelined(this);
    users.forEach((user, index) => {
      const isBroken = index === 0 && begun;
      if (!wasReady) user?.onNoConnection(this.endpoint, failure);
      else user?.onLost(isBroken ? failure : Failure.RESET, worked && !isBroken, this.#reader.fault);
    });
  }
}
