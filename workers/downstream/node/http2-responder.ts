import { Failure } from '../../../core/errors.js';
import { GRPC_ANSWER_STATUS, grpcAnswerLines } from '../../../core/grpc/grpc-answer.js';
import { Framing, type RequestHead } from '../../../core/http/message.js';
import { RequestFault, requestFaultAnswers } from '../../../core/http/request-fault.js';
import type { ResponseHead } from '../../../core/http/response-head.js';
import { ErrorCode } from '../../../core/http2/error-code.js';
import { Guard } from '../../../core/http2/floods.js';
import { Sent } from '../../../core/http2/sender.js';
import type { ServerSession } from '../../../core/http2/server-session.js';
import { ANY_LENGTH, Bit, type Stream, type StreamSink } from '../../../core/http2/stream.js';
import { limits } from '../../../core/limits.js';
import type { ListenerLimits } from '../../../core/plan.js';
import type { UpstreamTunnel } from '../../../core/upstream/tunnel.js';
import { dateField } from '../date-line.js';
import { ClientTimeout, hasNoBody, PLAIN_TEXT, type RequestSink, type Responder } from '../downstream.js';

/** The connection of a stream, as its responder needs it. */
export interface StreamConnection {
  readonly session: ServerSession;
  readonly key: number;
  readonly limits: ListenerLimits;
  /** Why requests end that end with the connection, or with a reset of the client's. */
  readonly endsFor: Failure;
  /** When the socket last took bytes that it had held, or began to hold some. */
  readonly takenUs: number;
  now(): number;
  clientAddress(): string;
  clientPort(): number;
  /** The stream waits for its client from now on: `dueUs` is looked at until the stream is closed. */
  watch(responder: Http2Responder, withinMs: number): void;
  /** The response is over before its request: the stream is reset when all of it was sent. */
  endEarly(stream: Stream): void;
  /** The bytes that wait in a stream changed by this much. False: too many wait, and the stream must end. */
  waits(bytes: number): boolean;
  onGuard(guard: Guard): void;
  countRefused(): void;
  countTimeout(what: ClientTimeout): void;
}

const Phase = {
  /** The proxy has the request and has sent nothing final. */
  OPEN: 0,
  /** The final head was sent. */
  STREAMING: 1,
  /** The proxy is done with the response, or it was aborted. */
  OVER: 2,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const US_PER_MS = 1000;
const nothing = new Uint8Array(0);

/**
 * The way back to the client on one stream, and the way of its request's body to the proxy. Each stream has
 * its own: what still holds one that is over can't answer another request. The file is long because both ways
 * end each other, over the same phase.
 */
export class Http2Responder implements Responder, StreamSink {
  /** A login of a connection is nothing that HTTP/2 has: streams are independent. */
  readonly tie = null;
  sink: RequestSink | null = null;
  /** The engine ended the response, not the proxy and not the client. */
  gaveUp = false;
  /** The sink has had a piece of the body, or none that was empty. */
  heard = false;
  readonly #connection: StreamConnection;
  readonly #session: ServerSession;
  readonly #stream: Stream;
  readonly #toHead: boolean;
  readonly #toGrpc: boolean;
  #phase: Phase = Phase.OPEN;
  /** The head has ended the stream: no body follows. */
  #isWhole = false;
  /** Bytes of the body that were announced and are still to come. */
  #owed = ANY_LENGTH;
  #trailers = '';
  /** Bytes of the response that the connection counts as waiting. */
  #waitingBytes = 0;
  /** `sendBody` answered false. */
  #roomOwed = false;
  /** Takes what comes of a request whose response is over. */
  #rest: RequestSink | null = null;
  /**
   * When the proxy took the body again after a pause, the response was over before the request, or the
   * response of a gRPC call last moved.
   */
  #sinceUs = 0;

  constructor(connection: StreamConnection, stream: Stream, { method, grpc }: RequestHead) {
    this.#connection = connection;
    this.#session = connection.session;
    this.#stream = stream;
    this.#toHead = method === 'HEAD';
    this.#toGrpc = grpc;
  }

  get isOpen(): boolean {
    return this.#phase !== Phase.OVER;
  }

  // --- from the proxy

  /** All that is written in a turn of the loop leaves together anyway. */
  batch(run: () => void): void {
    this.#mustBeOpen();
    run();
  }

  sendInterim(head: ResponseHead): void {
    this.#mustBeOpen();
    this.#session.sendInterim(this.#stream, head);
  }

  sendHead(head: ResponseHead): void {
    this.#mustBeOpen();
    this.#phase = Phase.STREAMING;
    this.#isWhole = head.bodyless;
    if (head.framing === Framing.LENGTH && !head.bodyless) this.#owed = head.contentLength;
    this.#session.sendHead(this.#stream, head, head.hasDate ? '' : dateField(), head.bodyless);
  }

  /** A head that was encoded has changed the table of the connection: it can't be taken back. */
  recallHead(): boolean {
    return false;
  }

  sendBody(bytes: Uint8Array): boolean {
    if (this.#phase === Phase.OVER) return false;
    if (this.#isWhole || bytes.length === 0) return true;
    if (this.#owed !== ANY_LENGTH) {
      if (bytes.length > this.#owed) {
        this.#giveUp();
        return false;
      }
      this.#owed -= bytes.length;
    }
    // A client that hears messages need not send any: a stream of gRPC is idle when both sides are silent.
    if (this.#toGrpc && this.#awaitsBody) this.#sinceUs = this.#connection.now();
    if (this.#session.write(this.#stream, bytes, false) === Sent.OK) return true;
    this.#roomOwed = true;
    this.#waitsForClient();
    return false;
  }

  sendTrailers(lines: string): void {
    this.#trailers = lines;
  }

  /** Never called: no upgrade is offered to the proxy (RFC 9113, section 8.6). */
  switchProtocols(_head: ResponseHead, tunnel: UpstreamTunnel): void {
    tunnel.destroy();
    this.cut();
  }

  finish(): void {
    this.#mustBeOpen();
    if (this.#isShort) {
      this.cut();
      return;
    }
    this.#drop();
    this.#end(false);
  }

  finishEarly(): boolean {
    const { sink } = this;
    if (sink === null || this.#isShort) {
      this.finish();
      return false;
    }
    this.#drop();
    this.#end(true);
    if (this.#stream.isClosed) return false;
    this.#rest = sink;
    this.#sinceUs = this.#connection.now();
    this.#session.resume(this.#stream);
    this.#connection.watch(this, limits.lingerMs);
    return true;
  }

  answer(status: number, body: string, lines: string = PLAIN_TEXT): void {
    this.#mustBeOpen();
    this.#drop();
    if (this.#toGrpc) {
      this.#answerGrpc(status, body, lines);
      return;
    }
    const bytes = Buffer.from(body);
    const length = hasNoBody(status) ? '' : `Content-Length: ${bytes.length}\r\n`;
    this.#isWhole = this.#toHead || hasNoBody(status) || bytes.length === 0;
    this.#session.sendAnswer(this.#stream, status, lines + length + dateField(), this.#isWhole);
    if (!this.#isWhole) this.#session.write(this.#stream, bytes, true);
    this.#isWhole = true;
    this.#end(false);
  }

  /** A gRPC client reads the status and the text from fields. Envoy answers in the same way. */
  #answerGrpc(status: number, body: string, lines: string): void {
    const fields = grpcAnswerLines(status, body, lines) + dateField();
    this.#isWhole = true;
    this.#session.sendAnswer(this.#stream, GRPC_ANSWER_STATUS, fields, true);
    this.#end(false);
  }

  /** Harmless on a responder that is over, as every timer may find it. */
  cut(trailers = ''): void {
    if (this.#phase === Phase.OVER) return;
    this.#drop();
    if (trailers === '' || this.#owed > 0 || this.#isWhole) {
      this.#session.reset(this.#stream, ErrorCode.INTERNAL_ERROR);
      return;
    }
    this.#trailers = trailers;
    this.#end(false);
  }

  pauseBody(): void {
    if (this.#phase !== Phase.OVER) this.#session.pause(this.#stream);
  }

  resumeBody(): void {
    if (this.#phase === Phase.OVER) return;
    this.#sinceUs = this.#connection.now();
    this.#session.resume(this.#stream);
    this.#connection.watch(this, this.#connection.limits.bodyMs);
  }

  connectionKey(): number {
    return this.#connection.key;
  }

  clientAddress(): string {
    return this.#connection.clientAddress();
  }

  clientPort(): number {
    return this.#connection.clientPort();
  }

  // --- from the session

  onInterim(): void {}

  onHead(): void {}

  onData(piece: Uint8Array, last: boolean): void {
    const sink = this.#rest ?? this.sink;
    if (last) this.#rest = null;
    this.heard = true;
    sink?.onRequestBody(piece, last);
  }

  onTrailers(lines: string): void {
    (this.#rest ?? this.sink)?.onRequestTrailers(lines);
  }

  onWritable(): void {
    this.#account(0);
    if (!this.#roomOwed || this.#phase === Phase.OVER) return;
    this.#roomOwed = false;
    this.sink?.onWritable();
  }

  onReset(): void {
    this.abort(this.#stream.has(Bit.BROKEN) ? Failure.MALFORMED_BODY : this.#connection.endsFor);
  }

  // --- from the connection

  /** The stream is closed: it holds nothing any more. */
  onClosed(): void {
    this.#account(0);
  }

  /** Passes an empty piece on where none has come yet: the proxy waits for it to send the head. */
  begin(): void {
    if (this.heard || this.#phase === Phase.OVER) return;
    this.heard = true;
    this.sink?.onRequestBody(nothing, false);
  }

  /** The client has closed its side: the rest of a request will never come. */
  onFin(): void {
    if (this.#stream.has(Bit.PEER_ENDED)) return;
    this.#session.reset(this.#stream, ErrorCode.CANCEL);
    this.abort(Failure.ABORTED);
  }

  /** Answers what can't be forwarded, or can't be completed. */
  refuse(fault: RequestFault): void {
    this.#connection.countRefused();
    const { sink } = this;
    const wasOpen = this.#phase === Phase.OPEN;
    const reason = fault === RequestFault.TIMEOUT ? Failure.SLOW_CLIENT : Failure.MALFORMED_BODY;
    const lastWords = wasOpen ? '' : (sink?.lastWords(reason) ?? '');
    this.sink = null;
    sink?.onAborted(reason);
    if (wasOpen) {
      const { status, text } = requestFaultAnswers[fault]!;
      this.answer(status, text);
    } else {
      this.cut(lastWords);
    }
  }

  /** When the client has taken too long for what the stream waits for; `Infinity`: it waits for nothing. */
  get dueUs(): number {
    const stream = this.#stream;
    if (stream.isClosed) return Number.POSITIVE_INFINITY;
    if (this.#rest !== null) return this.#sinceUs + limits.lingerMs * US_PER_MS;
    const response = this.#takesNothing ? this.#responseDueUs : Number.POSITIVE_INFINITY;
    if (!this.#awaitsBody) return response;
    const since = Math.max(this.#sinceUs, stream.receivedUs);
    return Math.min(response, since + this.#connection.limits.bodyMs * US_PER_MS);
  }

  /** `dueUs` has passed. */
  expire(nowUs: number): void {
    const rest = this.#rest;
    if (rest !== null) {
      this.#rest = null;
      this.#connection.endEarly(this.#stream);
      rest.onAborted(Failure.ABORTED);
    } else if (this.#takesNothing && this.#responseDueUs <= nowUs) {
      this.#connection.countTimeout(ClientTimeout.RESPONSE);
      this.#session.reset(this.#stream, ErrorCode.CANCEL);
      this.abort(Failure.SLOW_READER);
    } else {
      this.#connection.countTimeout(ClientTimeout.BODY);
      this.refuse(RequestFault.TIMEOUT);
    }
  }

  /** Notifies the proxy, if it still has the request. */
  abort(reason: Failure): void {
    const sink = this.#rest ?? this.sink;
    this.#rest = null;
    this.#drop();
    sink?.onAborted(reason);
  }

  get #takesNothing(): boolean {
    return this.#stream.heldBytes > 0;
  }

  /** A stream with a window waits for its turn at the socket, which may move for others meanwhile. */
  get #responseDueUs(): number {
    const { sendWindow, blockedSinceUs } = this.#stream;
    const since = sendWindow > 0 ? Math.max(blockedSinceUs, this.#connection.takenUs) : blockedSinceUs;
    return since + this.#connection.limits.responseMs * US_PER_MS;
  }

  get #awaitsBody(): boolean {
    return this.#phase !== Phase.OVER && !this.#stream.has(Bit.PEER_ENDED | Bit.PAUSED);
  }

  /** The body is shorter than announced, so it must not end as if it were complete. */
  get #isShort(): boolean {
    return this.#owed > 0 && !this.#isWhole;
  }

  /** The proxy's upstream broke our rules: the response can't be completed rightly. */
  #giveUp(): void {
    this.gaveUp = true;
    const { sink } = this;
    this.cut();
    sink?.onAborted(Failure.PROTOCOL);
  }

  /** Ends our side, behind what is held of it. `readsOn`: the rest of the request is wanted. */
  #end(readsOn: boolean): void {
    const stream = this.#stream;
    if (!this.#isWhole) this.#session.writeTrailers(stream, this.#trailers);
    if (this.#takesNothing) this.#waitsForClient();
    if (!readsOn && !stream.isClosed && !stream.has(Bit.PEER_ENDED)) {
      this.#session.pause(stream);
      this.#connection.endEarly(stream);
    }
  }

  /** Some of the response is held: until the client takes it, or for too long, or for too many. */
  #waitsForClient(): void {
    if (this.#account(this.#stream.heldBytes)) {
      this.#connection.watch(this, this.#connection.limits.responseMs);
      return;
    }
    this.#connection.onGuard(Guard.OUTPUT);
    this.#session.reset(this.#stream, ErrorCode.ENHANCE_YOUR_CALM);
    this.abort(Failure.SLOW_READER);
  }

  #account(waitingBytes: number): boolean {
    const more = waitingBytes - this.#waitingBytes;
    if (more === 0) return true;
    this.#waitingBytes = waitingBytes;
    return this.#connection.waits(more);
  }

  #drop(): void {
    this.#phase = Phase.OVER;
    this.sink = null;
  }

  #mustBeOpen(): void {
    if (this.#phase === Phase.OVER) throw new Error('the response is over');
  }
}
