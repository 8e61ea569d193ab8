import { STATUS_CODES } from 'node:http';
import { failureAnswers } from '../../../core/answers.js';
import type { Clock } from '../../../core/clock.js';
import { Failure } from '../../../core/errors.js';
import { RequestHead } from '../../../core/http/message.js';
import { RequestFault, requestFaultAnswers } from '../../../core/http/request-fault.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { limits } from '../../../core/limits.js';
import type { ListenerLimits } from '../../../core/plan.js';
import { Deadline, type Deadlines } from '../../../core/upstream/deadlines.js';
import type { UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import {
  ClientTimeout,
  hasNoBody,
  PLAIN_TEXT,
  type RequestHandler,
  type RequestSink,
  type Responder,
} from '../downstream.js';
import { addressText } from './address.js';
import type { UwsResponse, UwsUpgradeContext } from './binding.js';
import { readAcceptance } from './handshake.js';
import { type HeadWriter, HeldHead } from './head-writer.js';
import { Offer, ResponseBody } from './response-body.js';
import { type BridgeOwner, WebSocketBridge } from './websocket.js';

/** What a responder needs of its engine. */
export interface ResponderOwner extends BridgeOwner {
  readonly handler: RequestHandler;
  readonly headWriter: HeadWriter;
  /** Limits of the plan in force. */
  readonly limits: ListenerLimits;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  onTimedOut(what: ClientTimeout): void;
  onRefused(): void;
  /** Responses from now on should be the last of their connections. */
  readonly draining: boolean;
  /** What the end of a connection means: the client went away, or the engine is closing. */
  readonly abortReason: Failure;
  /**
   * The response is over; the object may still be `reusable` later, when the rest of the request has come.
   */
  onReleased(): void;
  /** Nothing of uWS refers to the object any more. */
  onReusable(responder: UwsResponder): void;
}

const Phase = {
  /** In the pool, or only swallowing the rest of a request whose response is over. */
  IDLE: 0,
  /**
   * The head is here and a body is announced: the proxy receives it with the first piece, or a turn later.
   */
  WAITING: 1,
  /** Refused by the engine; the answer goes out a turn later. */
  REFUSED: 2,
  /** The proxy has it and has sent nothing final. */
  OPEN: 3,
  /** The final head was sent. */
  STREAMING: 4,
  /** All of the response is written; the proxy has not called `finish` yet. uWS mostly took `res` back. */
  WRITTEN: 5,
  /** The proxy called `finish`; what it wrote is on its way. */
  FINISHING: 6,
  /**
   * The whole answer was written, but uWS does not know it: what the client still sends is thrown away for a
   * while, because closing the connection before it was read might destroy the answer on its way.
   */
  LINGERING: 7,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const nothing = new Uint8Array(0);
/** How often uWS's timer is restarted at most: two system calls each. */
const TIMER_STEP_US = 1_000_000;

/**
 * One request and its response on uWS. Pooled: its handlers are bound once, so that a request costs no
 * closure.
 *
 * `res` throws on any use after its end, so it is set to null at the very moment it dies: when the last byte
 * is handed over, at `close`, and in `onAborted`. uWS continues delivering a request's body after its
 * response is complete; such a responder returns to the pool only with the last piece, and is left to the
 * collector if the connection ends first (uWS reports nothing).
 *
 * The file is long because the proxy, uWS and two deadlines all change one phase, and each must know when
 * `res` is dead.
 */
export class UwsResponder implements Responder {
  readonly head = new RequestHead();
  readonly #owner: ResponderOwner;
  readonly #body = new ResponseBody();
  readonly #head = new HeldHead();
  readonly #onData = (piece: ArrayBuffer, last: boolean): void => this.#receive(piece, last);
  readonly #onAborted = (): void => this.#abort();
  readonly #onWritable = (): boolean => this.#resume();
  readonly #drainTail = (): void => this.#writeTail();
  readonly #writeRefusal = (): void => this.#refuseNow();

  readonly #bodyDeadline = new Deadline(() => this.#onBodyDue());
  readonly #responseDeadline = new Deadline(() => this.#onResponseDue());
  /** core/clock; when uWS's own timer was last restarted. */
  #timerUs = 0;

  #phase: Phase = Phase.IDLE;
  #res: UwsResponse | null = null;
  /** uWS gives no hold on a client's connection that lasts from one request to the next. */
  readonly tie = null;
  #sink: RequestSink | null = null;
  #fault: RequestFault = RequestFault.NONE;
  /** The request's body is complete. */
  #received = true;
  #paused = false;
  #upgrade: UwsUpgradeContext | null = null;
  #webSocketKey = '';
  /** uWS gathers what is written now: in its own callbacks and in `cork`. */
  #corked = false;
  /** A status line went out with an interim response, so `writeStatus` is used up. */
  #statusUsed = false;
  /** The client wants this response to be the last, and uWS does not know. */
  #asksToClose = false;
  /** This response should end its connection, and no `Connection: close` was written yet. */
  #closing = false;
  #writableAsked = false;
  /** The engine ended the response, not the proxy and not the client. */
  #gaveUp = false;
  /** Bytes of the request that came while it lingered. */
  #lingeredBytes = 0;

  constructor(owner: ResponderOwner) {
    this.#owner = owner;
  }

  /**
   * Takes a request without a body, within uWS's route handler. `upgrade` and its key: it could become a
   * WebSocket.
   */
  start(
    res: UwsResponse,
    asksToClose: boolean,
    upgrade: UwsUpgradeContext | null,
    webSocketKey: string,
  ): void {
    this.#begin(res, Phase.WAITING, true);
    this.#asksToClose = asksToClose;
    this.#upgrade = upgrade;
    this.#webSocketKey = webSocketKey;
    this.#corked = true;
    this.#open();
    this.#corked = false;
  }

  /** Takes a request whose body is announced. The owner must call `openLate` in the next turn. */
  startWithBody(res: UwsResponse, asksToClose: boolean): void {
    this.#begin(res, Phase.WAITING, false);
    this.#asksToClose = asksToClose;
    res.onData(this.#onData);
    this.#timerUs = this.#owner.clock();
    this.#armBody(this.#timerUs);
  }

  /**
   * Takes a request that must not be forwarded; `bodyAnnounced`: more of it comes. The owner must call
   * `openLate` in the next turn: an answer at once would make uWS continue to the next request in the same
   * read, whose very beginning is what is in doubt. While this one is pending, uWS closes the connection when
   * another comes.
   */
  startRefused(res: UwsResponse, fault: RequestFault, bodyAnnounced: boolean): void {
    this.#begin(res, Phase.REFUSED, !bodyAnnounced);
    if (bodyAnnounced) res.onData(this.#onData);
    this.#fault = fault;
  }

  /** A turn after the head: refuses, or opens a request none of whose body came with the head. */
  openLate(): void {
    if (this.#phase === Phase.WAITING) {
      this.batch(this.#openWithoutPiece);
    } else if (this.#phase === Phase.REFUSED) {
      this.#res!.cork(this.#writeRefusal);
    }
  }

  batch(run: () => void): void {
    this.#mustBeOpen();
    if (this.#corked || this.#res === null) {
      run();
      return;
    }
    this.#corked = true;
    try {
      this.#res.cork(run);
    } finally {
      this.#corked = false;
    }
  }

  sendInterim(head: ResponseHead): void {
    // uWS has answered `Expect: 100-continue` itself.
    if (head.status === 100) return;
    this.#mustBeOpen();
    if (!this.#corked) {
      this.batch(() => this.sendInterim(head));
      return;
    }
    this.#owner.headWriter.writeInterim(this.#res!, head, this.#statusUsed);
    this.#statusUsed = true;
  }

  sendHead(head: ResponseHead): void {
    this.#mustBeOpen();
    this.#phase = Phase.STREAMING;
    this.#body.begin(head);
    // uWS ends the head with the first byte of the body or the end. Head lines that left before it would pass
    // for an empty response if nothing followed.
    this.#owner.headWriter.hold(head, this.#head);
    this.#closing = !this.#received || this.#owner.draining || this.#asksToClose;
  }

  recallHead(): boolean {
    if (this.#phase !== Phase.STREAMING || !this.#head.isHeld) return false;
    this.#head.drop();
    this.#body.reset();
    this.#phase = Phase.OPEN;
    return true;
  }

  #releaseHead(): void {
    if (this.#head.isHeld) this.#owner.headWriter.writeHeld(this.#res!, this.#head, this.#statusUsed);
  }

  sendBody(bytes: Uint8Array): boolean {
    if (this.#res === null || this.#phase === Phase.WRITTEN) return this.#phase === Phase.WRITTEN;
    if (bytes.length === 0 || this.#body.bodyless) return !this.#body.blocked;
    if (!this.#corked) {
      let writable = false;
      this.batch(() => {
        writable = this.sendBody(bytes);
      });
      return writable;
    }
    if (this.#closing) {
      if (!this.#received && this.#head.isHeld && this.#body.isWhole(bytes)) {
        this.#owner.headWriter.writeHeldWhole(this.#res!, this.#head, bytes, this.#statusUsed);
        this.#phase = Phase.WRITTEN;
        return true;
      }
      this.#closing = false;
      this.#releaseHead();
      if (this.#received && this.#body.isWhole(bytes)) {
        // The whole body is here: the one case in which uWS can close after the response.
        this.#takeRes().end(bytes, true);
        this.#phase = Phase.WRITTEN;
        return true;
      }
      this.#owner.headWriter.writeClose(this.#res!);
    }
    this.#releaseHead();
    // Before the call that may complete the response: `res` throws right after it.
    if (this.#paused && this.#body.endsWithin(bytes.length)) this.resumeBody();
    return this.#settle(this.#body.send(this.#res!, bytes)) === Offer.ROOM;
  }

  /** uWS can't write any. */
  sendTrailers(): void {}

  switchProtocols(head: ResponseHead, tunnel: UpstreamTunnel): void {
    this.#mustBeOpen();
    const acceptance = this.#upgrade === null ? null : readAcceptance(head, this.#webSocketKey);
    if (acceptance === null || this.#statusUsed) {
      tunnel.destroy();
      this.answer(failureAnswers[Failure.PROTOCOL].status, failureAnswers[Failure.PROTOCOL].text);
      return;
    }
    const bridge = new WebSocketBridge(this.#owner, tunnel);
    const res = this.#takeRes();
    // An upgrade makes the socket's memory smaller. A cork that was on it then reads the response's state
    // from the part that was given back, and may find there that the connection is to be closed (1006 to the
    // client, seen a few times in 10,000 on a busy machine). There is one cork in a thread: while another
    // socket has it, this one gets none, and nothing is read.
    this.#owner.corkElsewhere(() =>
      res.cork(() => {
        res.writeStatus(acceptance.lines);
        res.upgrade({ bridge }, this.#webSocketKey, acceptance.protocol, '', this.#upgrade!);
      }),
    );
    this.#release();
  }

  finish(): void {
    this.#mustBeOpen();
    if (this.#phase === Phase.WRITTEN) {
      if (this.#res === null) this.#release();
      else this.#linger();
      return;
    }
    if (!this.#corked) {
      this.batch(() => this.finish());
      return;
    }
    // Short of what was announced: passing it on as complete would be a lie.
    if (this.#body.isShort()) {
      this.cut();
      return;
    }
    this.#phase = Phase.FINISHING;
    this.#sink = null;
    // With a backlog the end waits for its last piece, so that a drain sees what is still to be sent.
    if (!this.#body.blocked) this.#end();
  }

  /**
   * uWS does not say when a connection ends whose response is complete, so the rest of its request is not
   * waited for.
   */
  finishEarly(): boolean {
    this.finish();
    return false;
  }

  answer(status: number, body: string, lines: string = PLAIN_TEXT): void {
    this.#mustBeOpen();
    if (!this.#corked) {
      this.batch(() => this.answer(status, body, lines));
      return;
    }
    const statusLine = `${status} ${STATUS_CODES[status] ?? ''}`;
    if (!this.#received) {
      this.#answerAndLinger(statusLine, lines, hasNoBody(status) ? null : body);
      return;
    }
    const closing = this.#owner.draining || this.#asksToClose;
    const bytes = Buffer.from(body, 'utf8');
    const res = this.#takeRes();
    this.#owner.headWriter.writeAnswer(res, statusLine, lines, this.#statusUsed);
    if (hasNoBody(status)) {
      if (closing) this.#owner.headWriter.writeClose(res);
      res.endWithoutBody();
    } else if (this.head.method === 'HEAD') res.endWithoutBody(bytes.length, closing);
    else res.end(bytes, closing);
    this.#release();
  }

  /**
   * Writes the whole answer (null: without a body) in place of a status line, so that uWS takes the response
   * for pending: it reads on, and the connection can be closed later.
   */
  #answerAndLinger(statusLine: string, lines: string, body: string | null): void {
    const bytes = body === null ? null : Buffer.from(body, 'utf8');
    const toHead = this.head.method === 'HEAD';
    const head = `${statusLine}\r\n${lines}`;
    this.#owner.headWriter.writeWhole(this.#res!, head, bytes, toHead, this.#statusUsed);
    this.#linger();
  }

  #linger(): void {
    if (this.#received) {
      this.cut();
      return;
    }
    if (this.#paused) this.resumeBody();
    this.#phase = Phase.LINGERING;
    this.#lingeredBytes = 0;
    this.#sink = null;
    this.#lingerFor(limits.lingerMs);
    this.#owner.onReleased();
  }

  #lingerFor(ms: number): void {
    this.#owner.deadlines.set(this.#bodyDeadline, ms, this.#owner.clock());
  }

  /** The time for what the client still sends is over, or all of it has come. */
  #endLingering(): void {
    const res = this.#res!;
    this.#res = null;
    // Calls onAborted before it returns.
    res.close();
    this.#lingered();
  }

  #lingered(): void {
    this.#phase = Phase.IDLE;
    this.#owner.deadlines.clear(this.#bodyDeadline);
    this.#owner.onReusable(this);
  }

  /** Harmless on a responder that is over, as every timer may find it. */
  cut(): void {
    if (this.#isOver()) return;
    const res = this.#res;
    this.#phase = Phase.IDLE;
    if (res !== null) {
      this.#res = null;
      this.#received = true;
      // Calls onAborted before it returns, which finds the phase IDLE.
      res.close();
    }
    this.#release();
  }

  pauseBody(): void {
    if (this.#res === null || this.#received || this.#paused) return;
    this.#paused = true;
    this.#owner.deadlines.clear(this.#bodyDeadline);
    this.#res.pause();
  }

  resumeBody(): void {
    if (this.#res === null || !this.#paused) return;
    this.#paused = false;
    // What uWS knows of a pause is one state per thread, not per connection: a resume alone may find another
    // connection's state and do nothing. A pause just before makes the state this connection's own.
    this.#res.pause();
    this.#res.resume();
    if (!this.#received) this.#armBody(this.#owner.clock());
  }

  /** uWS gives requests of one connection nothing in common but the address. */
  connectionKey(): number {
    return 0;
  }

  /** uWS does not give it. */
  clientPort(): number {
    return 0;
  }

  clientAddress(): string {
    return this.#res === null ? '' : addressText(this.#res.getRemoteAddress());
  }

  /** A responder may be in the pool, or serve another client already. */
  #mustBeOpen(): void {
    if (this.#isOver()) throw new Error('the response is over');
  }

  #begin(res: UwsResponse, phase: Phase, received: boolean): void {
    this.#phase = phase;
    this.#res = res;
    this.#sink = null;
    this.#received = received;
    this.#paused = false;
    this.#corked = false;
    this.#statusUsed = false;
    this.#asksToClose = false;
    this.#closing = false;
    this.#writableAsked = false;
    this.#gaveUp = false;
    this.#body.reset();
    this.#head.drop();
    res.onAborted(this.#onAborted);
  }

  #open(): void {
    this.#phase = Phase.OPEN;
    const sink = this.#owner.handler.onRequest(this.head, this);
    // The handler may have answered already.
    if (!this.#isOver()) this.#sink = sink;
    else if (this.#gaveUp) sink.onAborted(Failure.PROTOCOL);
  }

  /** A method, because the compiler can't see that a call to the handler may change the phase. */
  #isOver(): boolean {
    return this.#phase === Phase.IDLE || this.#phase === Phase.LINGERING;
  }

  readonly #openWithoutPiece = (): void => {
    this.#open();
    this.#sink?.onRequestBody(nothing, false);
  };

  #receive(piece: ArrayBuffer, last: boolean): void {
    if (this.#phase === Phase.LINGERING) {
      this.#lingeredBytes += piece.byteLength;
      if (this.#lingeredBytes > limits.lingerBytes) this.#endLingering();
      // Not at once: the answer may still lie in uWS's cork.
      else if (last) this.#lingerFor(0);
      return;
    }
    this.#received = last;
    if (this.#res !== null) this.#watchBody(last);
    this.#corked = true;
    if (this.#phase === Phase.WAITING) this.#open();
    if (this.#sink !== null) this.#sink.onRequestBody(new Uint8Array(piece), last);
    else if (last && this.#phase === Phase.IDLE) this.#owner.onReusable(this);
    this.#corked = false;
  }

  /**
   * A piece of the body is here. uWS's own timer would end an upload of less than 16 KiB a second, so it is
   * restarted.
   */
  #watchBody(last: boolean): void {
    const { deadlines, clock } = this.#owner;
    if (last) {
      deadlines.clear(this.#bodyDeadline);
      return;
    }
    if (this.#paused) return;
    const nowUs = clock();
    this.#armBody(nowUs);
    if (nowUs - this.#timerUs < TIMER_STEP_US) return;
    this.#timerUs = nowUs;
    this.#res!.pause();
    this.#res!.resume();
  }

  #armBody(nowUs: number): void {
    this.#owner.deadlines.set(this.#bodyDeadline, this.#owner.limits.bodyMs, nowUs);
  }

  #onBodyDue(): void {
    if (this.#phase === Phase.IDLE || this.#res === null) return;
    if (this.#phase === Phase.LINGERING) {
      this.#endLingering();
      return;
    }
    this.#owner.onTimedOut(ClientTimeout.BODY);
    if (this.#phase !== Phase.OPEN && !this.recallHead()) {
      this.#giveUp(Failure.SLOW_CLIENT);
      return;
    }
    const sink = this.#sink;
    const { status, text } = requestFaultAnswers[RequestFault.TIMEOUT]!;
    this.#owner.onRefused();
    this.answer(status, text);
    sink?.onAborted(Failure.SLOW_CLIENT);
  }

  #onResponseDue(): void {
    if (this.#phase === Phase.IDLE) return;
    this.#owner.onTimedOut(ClientTimeout.RESPONSE);
    this.#giveUp(Failure.SLOW_READER);
  }

  #abort(): void {
    if (this.#phase === Phase.IDLE) return;
    if (this.#phase === Phase.LINGERING) {
      // `#endLingering` continues by itself.
      if (this.#res !== null) this.#lingered();
      this.#res = null;
      return;
    }
    const sink = this.#sink;
    this.#res = null;
    this.#received = true;
    this.#release();
    sink?.onAborted(this.#owner.abortReason);
  }

  #refuseNow(): void {
    const { status, text } = requestFaultAnswers[this.#fault]!;
    const statusLine = `${status} ${STATUS_CODES[status]}`;
    if (!this.#received) {
      this.#answerAndLinger(statusLine, PLAIN_TEXT, text);
      return;
    }
    const res = this.#takeRes();
    this.#owner.headWriter.writeAnswer(res, statusLine, PLAIN_TEXT, false);
    if (this.head.method === 'HEAD') res.endWithoutBody(text.length, true);
    else res.end(text, true);
    this.#release();
  }

  /**
   * Draws the consequences of an offer. A response that is complete leaves room: nothing more can be refused.
   */
  #settle(offer: Offer): Offer {
    switch (offer) {
      case Offer.COMPLETE:
        this.#res = null;
        if (this.#phase === Phase.FINISHING) this.#release();
        else this.#phase = Phase.WRITTEN;
        return Offer.ROOM;
      case Offer.EXCESS:
        this.#giveUp(Failure.PROTOCOL);
        return offer;
      case Offer.FULL:
        this.#owner.deadlines.set(this.#responseDeadline, this.#owner.limits.responseMs, this.#owner.clock());
        if (!this.#writableAsked) {
          this.#writableAsked = true;
          this.#res!.onWritable(this.#onWritable);
        }
        return offer;
      default:
        this.#owner.deadlines.clear(this.#responseDeadline);
        return offer;
    }
  }

  /** uWS has room. Its answer: whether all that was kept could be written. */
  #resume(): boolean {
    if (this.#res === null) return true;
    this.batch(this.#drainTail);
    return !this.#body.hasTail();
  }

  #writeTail(): void {
    if (this.#paused && this.#body.endsWithin(0)) this.resumeBody();
    if (this.#settle(this.#body.resume(this.#res!)) !== Offer.ROOM) return;
    if (this.#phase === Phase.FINISHING) this.#end();
    else if (this.#phase !== Phase.IDLE) this.#sink?.onWritable();
  }

  #end(): void {
    const headWriter = this.#owner.headWriter;
    if (this.#closing && !this.#received && this.#head.isHeld && !this.#body.bodyless) {
      headWriter.writeHeldWhole(this.#res!, this.#head, nothing, this.#statusUsed);
      this.#linger();
      return;
    }
    this.#releaseHead();
    const res = this.#takeRes();
    const body = this.#body;
    // With the rest of a request on its way, the connection is the client's to close.
    const closes = this.#closing && this.#received;
    const hasLength = body.bodyless ? body.lengthReported : body.hasLength() || this.#closing;
    if (this.#closing && !(closes && hasLength)) headWriter.writeClose(res);
    if (body.bodyless) {
      if (hasLength) res.endWithoutBody(body.contentLength, closes);
      else res.endWithoutBody();
    } else if (hasLength) {
      // No byte was written: `Content-Length: 0`, and uWS can close.
      res.end(nothing, closes);
    } else {
      res.end();
    }
    this.#release();
  }

  /** The proxy broke the border's rules, or its upstream ours: the response can't be completed rightly. */
  #giveUp(reason: Failure): void {
    this.#gaveUp = true;
    const sink = this.#sink;
    this.cut();
    sink?.onAborted(reason);
  }

  /** `res` for its very last call. A paused connection would stay so for its next request. */
  #takeRes(): UwsResponse {
    if (this.#paused) this.resumeBody();
    const res = this.#res!;
    this.#res = null;
    return res;
  }

  #release(): void {
    this.#phase = Phase.IDLE;
    this.#sink = null;
    this.#owner.deadlines.clear(this.#bodyDeadline);
    this.#owner.deadlines.clear(this.#responseDeadline);
    this.#owner.onReleased();
    if (this.#received) this.#owner.onReusable(this);
  }
}
