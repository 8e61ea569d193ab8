import { Cause, plainErrors } from '../endpoint-cause.js';
import { Failure } from '../errors.js';
import type { OutgoingHead } from '../http/request-writer.js';
import { ClientSession } from '../http2/client-session.js';
import { ErrorCode } from '../http2/error-code.js';
import type { Guard } from '../http2/floods.js';
import type { Flushed } from '../http2/flush-turn.js';
import type { SessionOwner } from '../http2/session.js';
import type { Stream, StreamSink } from '../http2/stream.js';
import { limits } from '../limits.js';
import type { WriteTarget } from '../write-queue.js';
import { Deadline } from './deadlines.js';
import type { Endpoint, SharedConnection } from './endpoint.js';
import type { SharedHome } from './shared-home.js';
import { type SocketOwner, UpstreamSocket } from './socket.js';

/** A call that uses a multiplexed connection, or waits for it. */
export interface StreamUser extends StreamSink {
  /** The connection is ready, and the user opens its stream. */
  onPlace(connection: MultiplexedConnection): void;
  /** The connection is ready, and the endpoint allows fewer streams than users waited. */
  onNoPlace(): void;
  /** The connection could not be made and is closed. */
  onNoConnection(endpoint: Endpoint, failure: Failure): void;
  /** The endpoint speaks HTTP/1.1 alone. The user goes there in that way. */
  onHttp1(): void;
}

/** The pool that opened a multiplexed connection. */
export interface MultiplexedHome extends SharedHome {
  /** The connection is closed, or about to be. */
  forgetShared(connection: MultiplexedConnection): void;
  /** A place may have become free. */
  serveWaiters(): void;
}

const withHttp1: string[] = ['h2', 'http/1.1'];
const withoutHttp1: string[] = ['h2'];
const US_PER_MS = 1000;

/**
 * One connection of HTTP/2 to one endpoint, which many calls share: the socket, the clock and the end of a
 * session (core/http2). All frames of a turn of the loop leave in one write.
 *
 *   connecting, users wait --its SETTINGS--> streams --GOAWAY, retire--> no new streams --last one--> closed
 *
 * Requests wait for the endpoint's SETTINGS, within the time of the connect: until then it is not known how
 * many streams it allows, nor that it speaks HTTP/2.
 *
 * A connection that is lost is one failure of its endpoint, however many streams it had. A deadline finds a
 * peer that is gone: it does not acknowledge SETTINGS, or does not answer a PING, which is sent when a
 * response is owed and nothing was read for a while, or when a call timed out.
 *
 * The file is long because socket, session, pool and deadline all change the same state.
 */
export class MultiplexedConnection
  implements SocketOwner, SessionOwner, WriteTarget, SharedConnection, Flushed
{
  readonly endpoint: Endpoint;
  /** Streams that have ended here. Above 0, the connection is reused. */
  exchanges = 0;
  /** When the latest read was delivered. */
  readUs = 0;
  /** Why the connection was lost. Unless the socket was, the session found a broken rule. */
  lostFor: Failure = Failure.PROTOCOL;
  readonly #home: MultiplexedHome;
  readonly #socket: UpstreamSocket;
  #session: ClientSession | null = null;
  /** The endpoint's SETTINGS have arrived. */
  #isReady = false;
  #isShut = false;
  /** Users that wait for that. */
  #waiting: StreamUser[] = [];
  #isRetired = false;
  #isIdle = false;
  /** A response's head has arrived on it. */
  #hasAnswered = false;
  /** The loss was counted as a failure of the endpoint. */
  #isBlamed = false;
  /** Why the connection is lost is in `endpoint.lastError`. */
  #hasCause = false;
  #owesFlush = false;
  readonly #deadline: Deadline;
  readonly #beganUs: number;
  /** When our SETTINGS went out. */
  #openedUs = 0;
  /** The time since which the endpoint owes a response and nothing was read; 0: it owes none. */
  #quietUs = 0;
  /** When the PING was sent whose answer is due; 0: none is. */
  #pingUs = 0;
  /** `readUs` of the latest answer to a PING. While nothing else is read, the next PING waits longer. */
  #pongUs = -1;
  /** A call timed out while nothing was read: no new streams until the PING is answered. */
  #isDoubtful = false;
  readonly #onWritten = () => this.#written();

  /** Starts to connect. */
  constructor(home: MultiplexedHome, endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.#home = home;
    this.#deadline = new Deadline(() => this.#onDue());
    this.#beganUs = home.resources.clock();
    const protocols = home.plan.protocol === 'auto' ? withHttp1 : withoutHttp1;
    this.#socket = new UpstreamSocket(home, endpoint, this, protocols);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get session(): ClientSession {
    return this.#session!;
  }

  get room(): number {
    if (this.#isRetired || this.#isDoubtful || this.#socket.isClosed || this.endpoint.gone) return 0;
    if (this.#isReady) return this.#streamRoom;
    return Math.min(this.#home.plan.streamsMax, limits.http2StreamsAssumed) - this.#waiting.length;
  }

  get #streamRoom(): number {
    const session = this.#session!;
    return Math.min(session.room, this.#home.plan.streamsMax - session.open);
  }

  get isIdle(): boolean {
    return this.#isIdle;
  }

  /** `wait` adds a user that gets its stream when the connection is ready. */
  wait(user: StreamUser): void {
    this.endpoint.pending++;
    this.#waiting.push(user);
  }

  /** `leave` removes a user that still waits. */
  leave(user: StreamUser): void {
    const at = this.#waiting.indexOf(user);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    this.endpoint.pending--;
  }

  /** `open` opens a stream with the head of a request. The connection is ready and has room. */
  open(user: StreamUser, head: OutgoingHead): Stream {
    const session = this.#session!;
    this.#endIdle();
    this.endpoint.pending++;
    const stream = session.request(user, head, this.endpoint.plan.secure);
    if (this.#quietUs === 0) {
      this.#quietUs = stream.receivedUs;
      if (this.#deadline.previous === null) this.#arm(limits.upstreamQuietMs);
    }
    return stream;
  }

  /** `answered` is called for the head of every response. */
  answered(): void {
    this.#hasAnswered = true;
    this.#home.endpointSet.answered(this.endpoint);
  }

  /**
   * `doubt` is called when a call timed out whose stream was opened at `openedUs`. If nothing was read since,
   * the connection may be dead, and a PING finds out.
   */
  doubt(openedUs: number): void {
    if (this.readUs > openedUs || this.#socket.isClosed || this.readUs === this.#pongUs) return;
    this.#isDoubtful = true;
    if (this.#pingUs === 0) this.#ping(this.#home.resources.clock());
  }

  retire(): void {
    this.#isRetired = true;
    this.#rest();
  }

  // From the socket.

  onReady(): void {
    const { plan, resources } = this.#home;
    if (this.endpoint.plan.secure && this.#socket.selected !== 'h2') {
      if (plan.protocol === 'auto') this.#becomeHttp1();
      else this.#lose(Failure.TLS, Cause.NOT_HTTP2);
      return;
    }
    this.#session = new ClientSession(this, resources.http2);
    this.#session.attach(this);
    this.#openedUs = resources.clock();
    const timeoutMs = plan.connectTimeoutMs + this.#socket.extendedMs;
    this.#arm(leftMs(this.#beganUs, timeoutMs, this.#openedUs));
    this.onOutput();
  }

  onRead(bytes: number): boolean {
    if (this.#socket.isClosed) return true;
    this.readUs = this.#home.resources.clock();
    this.#session!.receive(this.#socket.buffer, 0, bytes);
    if (this.#isShut) return true;
    this.#quietUs = this.#session!.open > 0 ? this.readUs : 0;
    if (this.#isDoubtful) {
      this.#isDoubtful = false;
      this.#home.serveWaiters();
    }
    return true;
  }

  onFin(): void {
    this.#lose(Failure.RESET);
  }

  onLost(failure: Failure): void {
    this.#lose(failure);
  }

  /** The idle time is over. */
  onExpired(): void {
    this.#isRetired = true;
    this.onOutput();
  }

  onReleased(): void {
    this.#session?.lost();
  }

  // From the session.

  get writing(): boolean {
    return this.#socket.heldBytes > 0;
  }

  write(block: Buffer, start: number, end: number): boolean {
    const socket = this.#socket;
    if (socket.isClosed) return true;
    const from = start + socket.writeDirect(block, start, end);
    if (from === end) return true;
    socket.write(block.subarray(from, end), this.#onWritten);
    return !this.writing;
  }

  get isDirect(): boolean {
    return this.#socket.isDirect;
  }

  writeParts(parts: readonly Uint8Array[]): number {
    return this.#socket.writePartsDirect(parts);
  }

  onOutput(): void {
    if (this.#owesFlush) return;
    this.#owesFlush = true;
    this.#home.resources.turn.owe(this);
  }

  /** All frames of the turn leave. */
  flush(): void {
    this.#owesFlush = false;
    if (this.#socket.isClosed) return;
    const session = this.#session!;
    session.flush();
    if (this.#isUnused && this.#mustEnd) {
      session.close(ErrorCode.NO_ERROR);
      session.flush();
    }
    if (session.isOver) this.#socket.finish();
  }

  /** The endpoint may allow more streams than before. */
  onSettings(): void {
    if (!this.#isReady) this.#becomeReady();
    this.#home.serveWaiters();
  }

  /** Streams that the endpoint has taken are completed. */
  onGoaway(): void {
    this.#rest();
  }

  onPong(): void {
    this.#pingUs = 0;
    this.#pongUs = this.readUs;
  }

  onStreamClosed(_stream: Stream): void {
    this.endpoint.pending--;
    this.exchanges++;
    if (this.#session!.isOver) {
      this.#blame();
      return;
    }
    this.#rest();
    this.#home.serveWaiters();
  }

  onGuard(guard: Guard): void {
    this.#home.resources.counters.http2Guard(this.#home.plan, guard);
  }

  onOver(): void {
    if (this.#isShut) return;
    this.onOutput();
    if (!this.#isReady) {
      this.#endpointErred(Cause.NOT_HTTP2);
      this.#giveUp(Failure.PROTOCOL);
      return;
    }
    this.#shut();
    this.#home.serveWaiters();
  }

  #written(): void {
    if (!this.writing && !this.#socket.isClosed) this.flush();
  }

  #becomeReady(): void {
    const { resources, plan } = this.#home;
    this.#isReady = true;
    resources.counters.http2Changed(plan, 1);
    this.#arm(limits.upstreamSettingsMs);
    const users = this.#waiting;
    this.#waiting = [];
    for (const user of users) {
      this.endpoint.pending--;
      if (this.#streamRoom > 0) user.onPlace(this);
      else user.onNoPlace();
    }
    this.#rest();
  }

  /** `#becomeHttp1` is called when ALPN has selected HTTP/1.1: the users continue without this connection. */
  #becomeHttp1(): void {
    const users = this.#waiting;
    this.#waiting = [];
    this.endpoint.http1UntilUs = this.#home.resources.clock() + limits.http1KnownMs * US_PER_MS;
    this.#socket.destroy();
    this.#shut();
    for (const user of users) {
      this.endpoint.pending--;
      user.onHttp1();
    }
    this.#home.serveWaiters();
  }

  /** `#rest` makes the connection idle when nobody uses it, or ends it with the turn, with a GOAWAY. */
  #rest(): void {
    if (!this.#isUnused) return;
    if (this.#mustEnd) {
      this.onOutput();
      return;
    }
    if (this.#isIdle) return;
    const { plan, resources } = this.#home;
    this.#isIdle = true;
    this.#quietUs = 0;
    resources.counters.idleChanged(plan, 1);
    this.#socket.expireAfter(plan.idleMs, resources.clock());
  }

  get #isUnused(): boolean {
    const session = this.#session;
    return session !== null && !session.isOver && session.open === 0 && this.#waiting.length === 0;
  }

  get #mustEnd(): boolean {
    return this.#isRetired || this.#home.closed || this.#session!.isGoingAway || this.endpoint.gone;
  }

  #endIdle(): void {
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.#home.resources.counters.idleChanged(this.#home.plan, -1);
    this.#socket.keep();
  }

  /** `#lose` closes after a failure, which counts once for all streams. The socket has set its causes. */
  #lose(failure: Failure, cause: Cause = Cause.NONE): void {
    if (this.#socket.isClosed) return;
    this.lostFor = failure;
    this.#hasCause = true;
    if (cause !== Cause.NONE) this.#endpointErred(cause);
    if (this.#isReady) {
      this.#session!.close(ErrorCode.NO_ERROR);
      this.#socket.destroy();
    } else {
      this.#socket.destroy();
      this.#giveUp(failure);
    }
  }

  /** `#giveUp` is called when no connection was made. */
  #giveUp(failure: Failure): void {
    const users = this.#waiting;
    this.#waiting = [];
    this.#shut();
    this.#home.noConnection(this.endpoint, failure);
    for (const user of users) {
      this.endpoint.pending--;
      user.onNoConnection(this.endpoint, failure);
    }
    this.#home.serveWaiters();
  }

  /** `#blame` counts the loss of a connection with open streams. */
  #blame(): void {
    if (this.#isBlamed) return;
    this.#isBlamed = true;
    const { endpointSet } = this.#home;
    // The session itself has found a broken rule.
    if (!this.#hasCause) this.#endpointErred(Cause.NOT_HTTP);
    if (this.#hasAnswered) endpointSet.failed(this.endpoint, this.endpoint.lastError);
    else endpointSet.refused(this.endpoint);
  }

  #endpointErred(cause: Cause): void {
    this.endpoint.lastError = plainErrors[cause]!;
  }

  /** `#shut` gives up the place in the pool. */
  #shut(): void {
    const { resources, plan } = this.#home;
    this.#isShut = true;
    this.#endIdle();
    resources.deadlines.clear(this.#deadline);
    if (this.#isReady) resources.counters.http2Changed(plan, -1);
    this.#home.forgetShared(this);
  }

  // The deadline.

  #arm(ms: number): void {
    this.#home.resources.deadlines.set(this.#deadline, ms, this.#home.resources.clock());
  }

  #ping(nowUs: number): void {
    this.#pingUs = nowUs;
    this.#session!.ping();
    this.#arm(limits.upstreamPongMs);
  }

  #onDue(): void {
    if (!this.#isReady) {
      if (!this.#socket.extend(this.#deadline)) this.#lose(Failure.CONNECT, Cause.CONNECT_TIMEOUT);
      return;
    }
    const nowUs = this.#home.resources.clock();
    const settingsMs = this.#session!.awaitsSettings
      ? leftMs(this.#openedUs, limits.upstreamSettingsMs, nowUs)
      : Number.POSITIVE_INFINITY;
    // Whatever is read shows that the endpoint is there, so that a slow answer to a PING does no harm.
    if (this.#pingUs !== 0 && this.readUs > this.#pingUs) this.#pingUs = 0;
    const pongMs =
      this.#pingUs === 0 ? Number.POSITIVE_INFINITY : leftMs(this.#pingUs, limits.upstreamPongMs, nowUs);
    if (settingsMs <= 0 || pongMs <= 0) {
      this.#lose(Failure.TIMEOUT, Cause.UNRESPONSIVE);
      return;
    }
    let quietMs = Number.POSITIVE_INFINITY;
    if (this.#pingUs === 0 && this.#quietUs !== 0) {
      const allowed = this.readUs === this.#pongUs ? limits.upstreamQuietAgainMs : limits.upstreamQuietMs;
      quietMs = leftMs(this.#quietUs, allowed, nowUs);
      if (quietMs <= 0) {
        this.#ping(nowUs);
        quietMs = limits.upstreamPongMs;
      }
    }
    const nextMs = Math.min(settingsMs, pongMs, quietMs);
    if (nextMs < Number.POSITIVE_INFINITY) this.#arm(nextMs);
  }
}

function leftMs(sinceUs: number, ms: number, nowUs: number): number {
  return ms - (nowUs - sinceUs) / US_PER_MS;
}
