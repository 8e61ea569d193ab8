import type { Socket } from 'node:net';
import { Failure } from '../../../core/errors.js';
import { Framing, type RequestHead } from '../../../core/http/message.js';
import type { RequestFault } from '../../../core/http/request-fault.js';
import { ErrorCode } from '../../../core/http2/error-code.js';
import type { Guard } from '../../../core/http2/floods.js';
import type { Flushed } from '../../../core/http2/flush-turn.js';
import { ServerSession, type ServerSessionOwner } from '../../../core/http2/server-session.js';
import { Bit, type Stream } from '../../../core/http2/stream.js';
import { limits } from '../../../core/limits.js';
import type { ListenerLimits } from '../../../core/plan.js';
import { Deadline } from '../../../core/upstream/deadlines.js';
import { ClientTimeout } from '../downstream.js';
import {
  type AcceptedSocket,
  type ClientConnection,
  type ConnectionOwner,
  nextKey,
} from './client-connection.js';
import { addressOf } from './client-socket.js';
import { Http2Output } from './http2-output.js';
import { Http2Responder, type StreamConnection } from './http2-responder.js';
import type { NodeResources } from './resources.js';

const US_PER_MS = 1000;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * One client's connection that speaks HTTP/2: the socket and the clocks of a session (core/http2), and a
 * responder for each of its requests, which run side by side.
 *
 * One deadline serves everything that may take too long: it is set for the earliest of them, and looks at all
 * when it is due (`#sweep`). Streams that wait for nothing of their client are not among them. The file is
 * long because socket, session, engine and deadline all change the same state.
 */
export class Http2Connection implements ClientConnection, ServerSessionOwner, StreamConnection, Flushed {
  readonly key = nextKey();
  readonly session: ServerSession;
  endsFor: Failure = Failure.ABORTED;
  readonly #owner: ConnectionOwner;
  readonly #resources: NodeResources;
  readonly #socket: Socket;
  readonly #out: Http2Output;
  readonly #secure: boolean;
  readonly #deadline: Deadline;
  /** When it is due, if it is set. */
  #dueUs = NEVER;
  readonly #beganUs: number;
  /** Since when no stream is open. */
  #idleSinceUs: number;
  /** What the client has begun to send and has not sent whole, and since when; 0: nothing. */
  #owedRest = 0;
  #owedSinceUs = 0;
  /** Bytes of responses that wait in streams. */
  #waitingBytes = 0;
  /** Streams that wait for their client. */
  readonly #watched = new Set<Http2Responder>();
  /** Requests of the read at hand whose bodies are still to come. */
  readonly #beginning: Http2Responder[] = [];
  /** Streams whose responses are over before their requests. */
  readonly #early: Stream[] = [];
  /** Requests that are over, and whose bytes the socket may still hold. */
  #ended = 0;
  #owesFlush = false;
  /**
   * When the client was asked to go: until it has heard of it, the connection counts as a request. 0: it was
   * not asked; -1: it no longer counts.
   */
  #farewellUs = 0;
  #halfClosed = false;
  /** How often the half-closed client was probed. */
  #probes = 0;
  #probedUs = 0;
  /** When our side was closed. */
  #leftUs = 0;
  #isClosed = false;

  constructor(owner: ConnectionOwner, { socket, secure }: AcceptedSocket) {
    this.#owner = owner;
    this.#resources = owner.resources;
    this.#socket = socket;
    this.#out = new Http2Output(socket, secure, owner.resources.clock, () => this.#written());
    this.#secure = secure;
    this.#deadline = new Deadline(() => this.#onDue());
    this.#beganUs = this.now();
    this.#idleSinceUs = this.#beganUs;
    this.session = new ServerSession(this, owner.resources.http2, owner.limits.headBytesMax);
    this.session.attach(this.#out);
    this.onOutput();
    this.#arm(Math.min(owner.limits.headMs, owner.limits.idleMs));
    if (owner.draining) this.drain();
  }

  // --- from the socket

  receive(bytes: Buffer, end: number): void {
    if (this.session.isOver) return;
    this.session.receive(bytes, 0, end);
    const beginning = this.#beginning;
    for (const responder of beginning) responder.begin();
    beginning.length = 0;
    const owed = this.session.owedRest;
    if (owed === this.#owedRest) return;
    this.#owedRest = owed;
    if (owed === 0) return;
    this.#owedSinceUs = this.now();
    this.#arm(this.limits.headMs);
  }

  onFin(): void {
    this.#halfClosed = true;
    if (this.#leftUs > 0) {
      if (!this.#out.writing) this.#socket.destroySoon();
      return;
    }
    if (this.limits.abortsHalfClosed) {
      this.destroy(false);
      return;
    }
    for (const responder of this.#watched) responder.onFin();
    this.#probedUs = this.now();
    this.#arm(limits.halfCloseProbeMs);
    this.onOutput();
  }

  onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resources.deadlines.clear(this.#deadline);
    this.session.lost();
    this.#releaseEnded();
    this.#endFarewell();
    this.#owner.onHttp2Closed();
    this.#owner.onClosed(this);
  }

  // --- from the engine

  /** Asks the client for no new streams; those that it has opened are served (RFC 9113, section 6.8). */
  drain(): void {
    if (this.#isClosed || this.session.isOver || this.#farewellUs !== 0) return;
    this.#farewellUs = this.now();
    this.#owner.onRequestBegan();
    this.session.drain();
    this.#arm(limits.lingerMs);
  }

  handOver(): void {
    this.drain();
  }

  destroy(_reset: boolean, reason: Failure = Failure.ABORTED): void {
    if (this.#isClosed) return;
    this.endsFor = reason;
    const blocked = this.#out.writing;
    this.session.close(ErrorCode.NO_ERROR);
    this.session.flush();
    if (blocked) {
      this.#socket.destroy();
      return;
    }
    this.#leave();
    this.#socket.destroySoon();
  }

  /** All of the turn's frames leave. */
  flush(): void {
    this.#owesFlush = false;
    if (this.#isClosed) return;
    if (this.#early.length > 0) this.#resetEarly();
    this.session.flush();
    // What was held of these is gone by now.
    if (this.#early.length > 0 && this.#resetEarly()) this.session.flush();
    if (this.#out.writing) {
      this.#arm(this.limits.responseMs);
      return;
    }
    this.#releaseEnded();
    const { session } = this;
    if (session.isDrained) this.#endFarewell();
    const isLeft = (this.#halfClosed || session.isGoingAway) && session.open === 0;
    if (session.isOver || session.isDrained || isLeft) this.#leave();
  }

  // --- from responders

  get limits(): ListenerLimits {
    return this.#owner.limits;
  }

  get takenUs(): number {
    return this.#out.takenUs;
  }

  now(): number {
    return this.#resources.clock();
  }

  clientAddress(): string {
    return addressOf(this.#socket);
  }

  clientPort(): number {
    return this.#socket.remotePort ?? 0;
  }

  watch(responder: Http2Responder, withinMs: number): void {
    this.#watched.add(responder);
    this.#arm(withinMs);
  }

  endEarly(stream: Stream): void {
    this.#early.push(stream);
    this.onOutput();
  }

  waits(bytes: number): boolean {
    const resources = this.#resources;
    this.#waitingBytes += bytes;
    resources.http2WaitingBytes += bytes;
    if (resources.http2WaitingBytes <= limits.http2WaitingBytes) return true;
    return this.#waitingBytes <= limits.downstreamBufferBytes;
  }

  countRefused(): void {
    this.#owner.onRefused();
  }

  countTimeout(what: ClientTimeout): void {
    this.#owner.onTimedOut(what);
  }

  // --- from the session

  onRequest(stream: Stream, head: RequestHead): void {
    const responder = this.#begin(stream, head);
    const bodied = head.framing !== Framing.NONE;
    head.secure = this.#secure;
    const sink = this.#owner.handler.onRequest(head, responder);
    if (!responder.isOpen) {
      // The handler has answered already, or the engine had to give the response up.
      if (responder.gaveUp) sink.onAborted(Failure.PROTOCOL);
      return;
    }
    responder.sink = sink;
    if (!bodied) return;
    this.#beginning.push(responder);
    this.watch(responder, this.limits.bodyMs);
  }

  onRefused(stream: Stream, head: RequestHead, fault: RequestFault): void {
    this.#begin(stream, head).refuse(fault);
  }

  onOutput(): void {
    if (this.#owesFlush) return;
    this.#owesFlush = true;
    this.#resources.turn.owe(this);
  }

  onStreamClosed(stream: Stream): void {
    const responder = stream.sink as Http2Responder;
    responder.onClosed();
    this.#watched.delete(responder);
    this.#ended++;
    if (this.session.open === 0) {
      this.#idleSinceUs = this.now();
      this.#arm(this.limits.idleMs);
    }
    this.onOutput();
  }

  onGuard(guard: Guard): void {
    this.#owner.onHttp2Guard(guard);
  }

  onOver(): void {
    this.onOutput();
  }

  onSettings(): void {}

  /** The client opens no more streams: the connection ends with the last one. */
  onGoaway(): void {
    this.onOutput();
  }

  onPong(): void {}

  #written(): void {
    if (this.#isClosed) return;
    this.flush();
    if (this.#leftUs > 0 && this.#halfClosed && !this.#out.writing) this.#socket.destroySoon();
  }

  // --- requests

  #begin(stream: Stream, head: RequestHead): Http2Responder {
    const responder = new Http2Responder(this, stream, head);
    stream.sink = responder;
    this.#owner.onRequestBegan();
    this.#owner.onHttp2Request();
    return responder;
  }

  /** True: a stream was reset. */
  #resetEarly(): boolean {
    const early = this.#early;
    const before = early.length;
    for (let i = before - 1; i >= 0; i--) {
      const stream = early[i]!;
      if (!stream.isClosed && !stream.has(Bit.ENDED)) continue;
      early.splice(i, 1);
      // RFC 9113, section 8.1: the client is asked to stop without an error.
      this.session.reset(stream, ErrorCode.NO_ERROR);
    }
    return early.length < before;
  }

  #releaseEnded(): void {
    for (; this.#ended > 0; this.#ended--) this.#owner.onRequestEnded();
  }

  #endFarewell(): void {
    if (this.#farewellUs <= 0) return;
    this.#farewellUs = -1;
    this.#owner.onRequestEnded();
  }

  // --- the end, and deadlines

  /** Closes our side, and waits a little for the client to close its own. */
  #leave(): void {
    if (this.#leftUs > 0) return;
    this.#leftUs = this.now();
    this.#socket.end();
    if (this.#halfClosed && !this.#out.writing) this.#socket.destroySoon();
    else this.#arm(limits.lingerMs);
  }

  #arm(ms: number): void {
    if (this.#isClosed) return;
    const nowUs = this.now();
    const dueUs = nowUs + ms * US_PER_MS;
    if (dueUs >= this.#dueUs) return;
    this.#dueUs = dueUs;
    this.#resources.deadlines.set(this.#deadline, ms, nowUs);
  }

  #onDue(): void {
    this.#dueUs = NEVER;
    const nowUs = this.now();
    const nextUs = this.#sweep(nowUs);
    if (nextUs < NEVER) this.#arm(Math.max(0, (nextUs - nowUs) / US_PER_MS));
  }

  /** Ends what has taken too long. Returns when it is worth while to look again. */
  #sweep(nowUs: number): number {
    const { session, limits: bounds } = this;
    let nextUs = NEVER;
    /** Whether `ms` have passed since then. */
    const isDue = (sinceUs: number, ms: number): boolean => {
      const dueUs = sinceUs + ms * US_PER_MS;
      if (dueUs <= nowUs) return true;
      nextUs = Math.min(nextUs, dueUs);
      return false;
    };
    if (this.#out.writing && isDue(this.#out.takenUs, bounds.responseMs)) {
      this.#owner.onTimedOut(ClientTimeout.RESPONSE);
      this.endsFor = Failure.SLOW_READER;
      this.#socket.destroy();
      return NEVER;
    }
    if (this.#leftUs > 0) {
      if (isDue(this.#leftUs, this.#out.writing ? bounds.responseMs : limits.lingerMs))
        this.#socket.destroy();
      return nextUs;
    }
    if (session.awaitsSettings && isDue(this.#beganUs, bounds.headMs)) {
      this.#timeOut(ClientTimeout.HEAD, ErrorCode.SETTINGS_TIMEOUT);
    } else if (this.#owedRest !== 0 && isDue(this.#owedSinceUs, bounds.headMs)) {
      this.#timeOut(ClientTimeout.HEAD, ErrorCode.ENHANCE_YOUR_CALM);
    } else if (session.open === 0 && isDue(this.#idleSinceUs, bounds.idleMs)) {
      this.#timeOut(ClientTimeout.IDLE, ErrorCode.NO_ERROR);
    }
    for (const responder of this.#watched) {
      const { dueUs } = responder;
      if (dueUs <= nowUs) responder.expire(nowUs);
      else nextUs = Math.min(nextUs, dueUs);
    }
    if (this.#farewellUs > 0 && isDue(this.#farewellUs, limits.lingerMs)) {
      session.drain();
      this.onOutput();
    }
    if (this.#halfClosed && isDue(this.#probedUs, limits.halfCloseProbeMs * 2 ** this.#probes)) {
      this.#probe(nowUs);
      nextUs = Math.min(nextUs, nowUs + limits.halfCloseProbeMs * 2 ** this.#probes * US_PER_MS);
    }
    return nextUs;
  }

  #timeOut(what: ClientTimeout, code: ErrorCode): void {
    this.#owner.onTimedOut(what);
    this.session.close(code);
  }

  /** Only something that is sent finds out whether a client that sends no more is still there. */
  #probe(nowUs: number): void {
    this.#probes++;
    this.#probedUs = nowUs;
    this.session.ping();
  }
}
