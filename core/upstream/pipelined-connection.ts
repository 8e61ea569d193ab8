import { Cause, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import { keepAliveSeconds } from '../http/keep-alive.js';
import type { ResponseFault } from '../http/response-fault.js';
import type { ResponseHead } from '../http/response-head.js';
import { Fed, type ReaderSink, ResponseReader } from '../http/response-reader.js';
import { limits } from '../limits.js';
import type { Endpoint } from './endpoint.js';
import type { SharedHome } from './shared-home.js';
import { type SocketOwner, UpstreamSocket } from './socket.js';

/** A request on a pipelined connection, and the receiver of its response. */
export interface PipelinedUser {
  /** The whole request, a wire string. */
  readonly wire: string;
  readonly toHead: boolean;
  /** The request is about to be written. */
  onSent(): void;
  onHead(head: ResponseHead, readUs: number): void;
  onBody(bytes: Uint8Array, readUs: number): void;
  onEnd(readUs: number): void;
  /** The connection could not be made and is closed. */
  onNoConnection(endpoint: Endpoint, failure: Failure): void;
  /**
   * The connection is lost. `untouched`: the connection had worked, and no byte of this response had arrived,
   * so the request may not have been processed.
   */
  onLost(failure: Failure, untouched: boolean, fault: ResponseFault): void;
}

/** The pool that opened a pipelined connection. */
export interface PipelinedHome extends SharedHome {
  /** The connection is closed. */
  forgetPipelined(connection: PipelinedConnection): void;
}

/**
 * One connection to one endpoint that carries several requests without a body at a time (RFC 9112, section
 * 9.3.2). All requests of one turn of the loop are sent with one write, and the responses arrive in the order
 * of the requests. When one response breaks, the requests behind it lose theirs and may be sent again
 * elsewhere.
 */
export class PipelinedConnection implements ReaderSink, SocketOwner {
  readonly endpoint: Endpoint;
  /** Complete responses. Above 0, an endpoint that closes the connection closes one that worked. */
  exchanges = 0;
  /** When the last of them ended: a shadow processes one request of a connection at a time. */
  lastEndUs = 0;
  /** Users in the order of their responses. Null: the user has left, and its response is discarded. */
  #users: (PipelinedUser | null)[] = [];
  /** Whether the request is HEAD, for each user. */
  #toHeads: boolean[] = [];
  /** Bytes of the first user's response have arrived. */
  #begun = false;
  /** A user left before its response arrived, so no further request is sent. */
  #stuck = false;
  #out = '';
  /** The time for which the endpoint keeps the idle connection, minus a margin, in milliseconds. */
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

  /** Requests whose response is not complete. */
  get length(): number {
    return this.#users.length;
  }

  get usable(): boolean {
    return !this.#socket.isClosed && !this.#stuck && !this.endpoint.gone && this.endpoint.usable;
  }

  /** `take` sends the user's request, now or when the socket is ready. */
  take(user: PipelinedUser): void {
    const ready = this.#socket.isReady;
    if (this.#users.length === 0 && ready) this.#socket.keep();
    this.#users.push(user);
    this.#toHeads.push(user.toHead);
    this.endpoint.pending++;
    if (ready) this.#send(user);
  }

  /**
   * `abandon` removes a user. If its response has begun, nothing else can follow, so the connection closes.
   */
  abandon(user: PipelinedUser): void {
    const at = this.#users.indexOf(user);
    if (at < 0) return;
    this.#users[at] = null;
    this.#stuck = true;
    if ((at === 0 && this.#begun) || this.#users.every((other) => other === null)) this.#close();
  }

  /** `retire` is called when the pool closes. Requests under way finish. */
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
        // Bytes without a request belong to no response (RFC 9112, section 9.2).
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

  /** `#send` collects all requests of this turn, which are written together when it ends. */
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

  /** `#lose` closes after a failure of the endpoint. */
  #lose(failure: Failure): void {
    if (this.#socket.isClosed) return;
    const { endpointSet } = this.#home;
    if (failure === Failure.PROTOCOL) this.endpoint.lastError = plainErrors[Cause.NOT_HTTP]!;
    const neverAnswered = this.exchanges === 0 && !this.#begun && this.#users.length > 0;
    if (!this.#socket.isReady) this.#home.noConnection(this.endpoint, failure);
    else if (neverAnswered) endpointSet.refused(this.endpoint);
    else if (this.#begun) endpointSet.failed(this.endpoint, this.endpoint.lastError);
    this.#close(failure);
  }

  /**
   * `#close` closes. The first user fails if its response had begun. The others may be sent again where that
   * is safe.
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
