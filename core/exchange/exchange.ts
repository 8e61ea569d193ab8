/**
 * One request and its response on a proxy thread. The request goes to the primary and, piece by piece, to the
 * mirrors that accepted it; the response goes to the client. Every step handles the primary first and the
 * mirrors after it.
 *
 *   onRequestBody --> call.write, then copies        pauseBody <--- write false, resumeBody <--- onDrain
 *   responder <-- onHead, onResponseBody, onEnd
 *   pauseResponse <--- sendBody false                resumeResponse <--- onWritable
 *
 * On a route with retries (core/exchange/attempts) the call may be started again until a part of a response
 * went to the client.
 *
 * Error exits: `onFailure` (the primary) answers 502, 503 or 504, or cuts a response that had begun, for gRPC
 * with trailers where no message is incomplete.
 * `onAborted` (the client) cancels the call. Both abort unfinished copies.
 *
 * The file is long because request and response advance independently over the same state.
 */

import { failureAnswers } from '../answers.js';
import { wallClockMs } from '../clock.js';
import { digestBody } from '../compare/digest.js';
import { blameOfFailure, Failure } from '../errors.js';
import { grpcStatusLines } from '../grpc/grpc-answer.js';
import { GrpcCall } from '../grpc/grpc-call.js';
import { GrpcStatus, grpcStatusOfHttp } from '../grpc/grpc-status.js';
import { grpcTimeoutOf, withGrpcTimeout } from '../grpc/grpc-timeout.js';
import { FormatSource } from '../http/format-source.js';
import type { RequestHead } from '../http/message.js';
import { Framing } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { safeMethods } from '../http/safe-methods.js';
import { CopySource, type Outcome } from '../mirror/codec.js';
import type { MirrorCopy, MirrorOffer } from '../mirror/offer.js';
import type { RequestTrace, Tracer } from '../mirror/tracer.js';
import type { TimeoutsPlan } from '../plan.js';
import type { AccessLogPort } from '../record/access-log.js';
import { VersionField } from '../record/version-counters.js';
import type { Call } from '../upstream/call.js';
import { Calls } from '../upstream/calls.js';
import type { ResponseSink } from '../upstream/response-sink.js';
import type { UpstreamTunnel } from '../upstream/tunnel.js';
import { UpstreamRequest } from '../upstream/upstream-request.js';
import { Attempts, type KeptBytes } from './attempts.js';
import { departedClient } from './departed-client.js';
import { PLAIN_TEXT, type RequestSink, type Responder } from './downstream.js';
import { Fallback } from './fallback.js';
import { fillPrimaryHead } from './primary-request.js';
import { ResponseChange } from './response-change.js';
import type { RouteRuntime } from './runtime.js';

/** What has happened so far, as bits, because request and response advance independently. */
export const Phase = {
  IDLE: 0,
  /** A client waits for an answer. */
  OPEN: 1,
  /** The request's body is complete. */
  REQUEST_COMPLETE: 2,
  /** The final response head went to the client. */
  HEAD_SENT: 4,
  /** The client has its response, or is gone. */
  OVER: 8,
  /** The exchange is over, but the rest of its request still arrives for its copies. */
  REST: 16,
} as const;

/** No failure. */
const none = -1;
const US_PER_MS = 1000;

/** The services of its thread that an exchange needs. */
export interface ExchangeHome extends KeptBytes {
  readonly mirrors: MirrorOffer;
  readonly log: AccessLogPort;
  /** Null: no request is traced. */
  readonly tracer: Tracer | null;
  /** A scratch outcome that is filled and read in one turn of the event loop. */
  readonly outcome: Outcome;
  /** Counts a request whose body is larger than its listener allows. */
  bodyTooLarge(): void;
  /**
   * `exchange` is over. If `requestComplete` is false, its client may still send body, and the exchange is
   * not reused.
   */
  ended(exchange: Exchange, requestComplete: boolean): void;
}

export class Exchange implements RequestSink, ResponseSink {
  readonly #home: ExchangeHome;
  readonly #calls: Calls;
  readonly #request = new UpstreamRequest();
  phase = Phase.IDLE as number;
  route: RouteRuntime | null = null;
  #responder: Responder | null = null;
  readonly source = new CopySource();
  /** Created for the first route whose mirrors copy the request as the primary gets it. */
  #forwarded: CopySource | null = null;
  readonly #copies: MirrorCopy[] = [];
  #copyCount = 0;
  /** Bytes of the body that the listener still accepts. */
  #bodyBytesLeft = 0;
  /**
   * The exchange and its copies are logged in the access log. This is decided at the beginning, so that both
   * sides have the same sample.
   */
  logged = false;
  /** Null: this request is not traced. */
  trace: RequestTrace | null = null;
  /** Null until the exchange served a route with retries. */
  #attempts: Attempts | null = null;
  /** Values for commands in header values; created for the first route that has some. */
  #source: FormatSource | null = null;
  /** The CORS lines of the response (core/exchange/cors); mostly empty. */
  cors = '';
  /** A copy needs the primary's response. */
  #watched = false;
  #bodyDigest = 0;
  /** When the head was complete, on the time line of core/clock. */
  beganUs = 0;
  /** The request was delayed on purpose before the exchange began. */
  delayed = false;
  status = 0;
  /** The status that the response is judged by: for gRPC that of its `grpc-status`. */
  #judged = 0;
  /** Null unless the request is a gRPC call. */
  #grpc: GrpcCall | null = null;
  /** Created for the first gRPC call. */
  #spareGrpc: GrpcCall | null = null;
  failure: Failure | typeof none = none;
  /** The first version failed this way, and the route's fallback took the request. */
  #firstFailure: Failure | typeof none = none;
  /** The client was asked to stop sending. */
  #bodyPaused = false;
  /** Null until the exchange served a route with a fallback. */
  #fallback: Fallback | null = null;

  constructor(home: ExchangeHome) {
    this.#home = home;
    this.#calls = new Calls(this);
  }

  /** The call to the primary, with its figures. */
  get call(): Call {
    return this.#calls.current;
  }

  get #call(): Call {
    return this.#calls.current;
  }

  /** `begin` sends the request to the primary, then offers it to the route's mirrors. */
  begin(
    head: RequestHead,
    responder: Responder,
    route: RouteRuntime,
    nowUs: number,
    bodyBytesMax: number,
  ): void {
    this.phase = head.framing === Framing.NONE ? Phase.OPEN | Phase.REQUEST_COMPLETE : Phase.OPEN;
    this.route = route;
    this.#responder = responder;
    this.#copyCount = 0;
    this.#watched = false;
    this.#bodyDigest = 0;
    this.#bodyBytesLeft = bodyBytesMax;
    this.beganUs = nowUs;
    this.delayed = false;
    this.cors = '';
    this.status = 0;
    this.#judged = 0;
    this.#grpc = head.grpc ? this.#beginGrpc() : null;
    this.failure = none;
    this.#firstFailure = none;
    this.#bodyPaused = false;
    this.logged = this.#home.log.chosen();
    const { tracer } = this.#home;
    this.trace = tracer === null ? null : tracer.begin(head);
    route.counters.requestStarted();
    if (route.own !== null) route.own.requestStarted();
    const request = this.#request;
    if (route.hasCommands) this.#beginSource(head, responder, route);
    fillPrimaryHead(request, head, route.requestChange, this.#source);
    if (this.trace !== null) request.fields = this.trace.forPrimary(request.fields);
    request.grpc = this.#grpc;
    request.takeTimeouts(route.plan.timeouts);
    if (head.grpc) this.#takeGrpcTimeout(route.plan.timeouts);
    request.tie = responder.tie;
    request.resends.begin(head.method, route.retry);
    if (route.retry !== null) this.#beginAttempts(route, nowUs);
    if (route.fallback !== null) this.#beginFallback();
    this.#calls.start(route.pool, request);
    if (this.logged || this.trace !== null || route.mirrors.length > 0) this.source.take(head);
    if (route.mirrors.length > 0) {
      const { source } = this;
      source.offeredUs = nowUs;
      source.logged = this.logged;
      source.trace = this.trace;
      const forwarded = route.copiesForwarded ? this.#takeForwarded(head, source) : source;
      const { mirrors } = this.#home;
      this.#copyCount = mirrors.offer(route.mirrors, head, source, forwarded, responder, this.#copies);
      if (route.watchesResponses) this.#watched = this.#copyCount > 0;
    }
  }

  #beginGrpc(): GrpcCall {
    this.#spareGrpc ??= new GrpcCall();
    this.#spareGrpc.begin();
    return this.#spareGrpc;
  }

  /** The client's deadline shortens the route's time, and a shorter one of the route is passed on. */
  #takeGrpcTimeout({ totalMs }: TimeoutsPlan): void {
    const request = this.#request;
    const timeoutMs = grpcTimeoutOf(request.fields);
    request.limitTotal(timeoutMs);
    if (timeoutMs !== null && totalMs !== 0 && totalMs < timeoutMs) {
      request.fields = withGrpcTimeout(request.fields, totalMs);
    }
  }

  get isGrpc(): boolean {
    return this.#grpc !== null;
  }

  /** The status of the exchange as a gRPC call, or `NONE`. */
  get grpcStatus(): GrpcStatus {
    return this.#grpc === null ? GrpcStatus.NONE : this.#grpc.status;
  }

  /** `#takeForwarded` returns the request as its primary gets it on the first attempt. */
  #takeForwarded(head: RequestHead, original: CopySource): CopySource {
    this.#forwarded ??= new CopySource();
    const forwarded = this.#forwarded;
    const { method, target, host, fields } = this.#request;
    forwarded.take(head);
    forwarded.takeParts(method, target, host, fields);
    forwarded.offeredUs = original.offeredUs;
    forwarded.logged = original.logged;
    forwarded.trace = original.trace;
    if (this.trace !== null) forwarded.takeParts(method, target, host, this.trace.forCopy(fields));
    return forwarded;
  }

  #beginSource(head: RequestHead, responder: Responder, route: RouteRuntime): void {
    this.#source ??= new FormatSource();
    this.#source.begin(head, responder, route.plan.name, route.pool.plan.name, wallClockMs());
    if (head.framing === Framing.NONE) this.#source.requestMs = 0;
  }

  /** `#answeredSource` adds what is known once the primary has answered. */
  #answeredSource(source: FormatSource, status: number): void {
    const call = this.#call;
    source.takeParts(this.#request);
    source.status = status;
    source.upstream = call.figures.endpoint?.logged ?? '';
    source.responseMs = this.#sinceBeganMs();
  }

  #sinceBeganMs(): number {
    return (this.route!.pool.resources.clock() - this.beganUs) / US_PER_MS;
  }

  #beginAttempts(route: RouteRuntime, nowUs: number): void {
    this.#attempts ??= new Attempts(this.#calls, this.#request, this.#home, () =>
      this.onFailure(Failure.TIMEOUT),
    );
    this.#attempts.begin(route, nowUs);
  }

  #beginFallback(): void {
    this.#fallback ??= new Fallback(this.#home);
    this.#fallback.begin(this.#request);
  }

  /**
   * `#fallsBack` gives the request to the route's fallback after its version failed. The version still counts
   * the failure, and copies learn of it. Returns false where the request must fail.
   */
  #fallsBack(failure: Failure): boolean {
    const fallback = this.#fallback!;
    const request = this.#request;
    const first = this.route!;
    if (!fallback.isWhole || !request.resends.afterVersion(failure)) return false;
    this.#countFailure(failure);
    if (first.retry !== null) this.#attempts!.end();
    this.#firstFailure = failure;
    const route = first.fallback!;
    this.route = route;
    route.counters.requestStarted();
    if (route.own !== null) route.own.requestStarted();
    request.resends.begin(request.method, null);
    this.#calls.start(route.pool, request);
    const flowing = fallback.send(this.#call);
    if ((this.phase & Phase.REQUEST_COMPLETE) === 0) {
      if (flowing && this.#bodyPaused) this.#resumeBody();
      else if (!flowing && !this.#bodyPaused) this.#pauseBody();
    }
    fallback.end();
    return true;
  }

  /** All retries of the route were used, and one more would have been due. */
  get retriesExhausted(): boolean {
    return this.#request.resends.exhausted;
  }

  /** `wasDelayed` records that the request arrived at `sinceUs` and was delayed before the exchange began. */
  wasDelayed(sinceUs: number): void {
    this.beganUs = sinceUs;
    this.delayed = true;
  }

  // --- from the client

  onRequestBody(piece: Uint8Array, last: boolean): void {
    if ((this.phase & Phase.OVER) !== 0) {
      if ((this.phase & Phase.REST) !== 0) this.#copyRest(piece, last);
      return;
    }
    this.#bodyBytesLeft -= piece.byteLength;
    if (this.#bodyBytesLeft < 0) {
      this.#home.bodyTooLarge();
      this.#call.cancel();
      this.onFailure(Failure.BODY_TOO_LARGE);
      return;
    }
    if (last) {
      this.phase |= Phase.REQUEST_COMPLETE;
      if (this.route!.hasCommands) this.#source!.requestMs = this.#sinceBeganMs();
    }
    this.#grpc?.sent.take(piece);
    const flowing = this.#call.write(piece, last);
    if (this.route!.retry !== null) this.#attempts!.body(piece, last);
    if (this.route!.fallback !== null) this.#fallback!.body(piece, last);
    for (let i = 0; i < this.#copyCount; i++) this.#copies[i].body(piece, last);
    if (!flowing && !last && (this.phase & Phase.OVER) === 0) this.#pauseBody();
  }

  #pauseBody(): void {
    this.#bodyPaused = true;
    this.#responder!.pauseBody();
  }

  #resumeBody(): void {
    this.#bodyPaused = false;
    this.#responder!.resumeBody();
  }

  onRequestTrailers(lines: string): void {
    if ((this.phase & (Phase.OVER | Phase.REST)) === Phase.OVER) return;
    if ((this.phase & Phase.OVER) === 0) {
      this.#call.trailers(lines);
      if (this.route!.retry !== null) this.#attempts!.trailers(lines);
      if (this.route!.fallback !== null) this.#fallback!.trailers(lines);
    }
    for (let i = 0; i < this.#copyCount; i++) this.#copies[i].trailers(lines);
  }

  onAborted(reason: Failure): void {
    if ((this.phase & Phase.OVER) !== 0) {
      if ((this.phase & Phase.REST) !== 0) this.#endRest(Failure.ANSWERED_EARLY);
      return;
    }
    if (this.#mustReachPrimary) {
      this.#responder = departedClient;
      this.#request.tie = null;
      return;
    }
    this.#call.cancel();
    this.failure = reason;
    // What the engine answers, or 499: only the access log and the copies see it.
    if ((this.phase & Phase.HEAD_SENT) === 0 && blameOfFailure(reason) === 'client')
      this.status = failureAnswers[reason].status;
    this.#countFailure(reason);
    this.#over(reason);
  }

  /** A write that copies have completely, and of which the primary has received nothing yet. */
  get #mustReachPrimary(): boolean {
    if (this.#copyCount === 0 || (this.phase & Phase.REQUEST_COMPLETE) === 0) return false;
    return this.#call.figures.sentUs === 0 && !safeMethods.includes(this.#request.method);
  }

  onWritable(): void {
    if ((this.phase & Phase.OVER) === 0) this.#call.resumeResponse();
  }

  // --- from the primary

  batch(run: () => void): void {
    if ((this.phase & Phase.OVER) !== 0) run();
    else this.#responder!.batch(run);
  }

  onSent(): void {}

  onDrain(): void {
    if ((this.phase & (Phase.OVER | Phase.REQUEST_COMPLETE)) === 0) this.#resumeBody();
  }

  onInterim(head: ResponseHead): void {
    this.#responder!.sendInterim(head);
  }

  onHead(head: ResponseHead): void {
    const grpcStatus = this.#grpc === null ? GrpcStatus.NONE : this.#grpc.onHead(head);
    if (this.route!.retry !== null && this.#attempts!.afterStatus(head.status, grpcStatus)) return;
    const change = this.route!.responseChange;
    if (this.route!.hasCommands) this.#answeredSource(this.#source!, head.status);
    const isKept = change === null && this.cors === '';
    const forClient = isKept ? head : (change ?? ResponseChange.none).apply(head, this.#source, this.cors);
    if (forClient === null) {
      this.#call.cancel();
      this.onFailure(Failure.PROTOCOL);
      return;
    }
    this.status = head.status;
    this.phase |= Phase.HEAD_SENT;
    this.#responder!.sendHead(forClient);
    if (this.#watched) for (let i = 0; i < this.#copyCount; i++) this.#copies[i].responseHead(head);
  }

  onResponseBody(bytes: Uint8Array): void {
    this.#grpc?.received.take(bytes);
    if (!this.#responder!.sendBody(bytes)) this.#call.pauseResponse();
    if (this.#watched) this.#watchBody(bytes);
  }

  #watchBody(bytes: Uint8Array): void {
    if (this.route!.digestsResponses) this.#bodyDigest = digestBody(bytes, this.#bodyDigest);
    for (let i = 0; i < this.#copyCount; i++) this.#copies[i].responseBody(bytes);
  }

  onResponseTrailers(lines: string): void {
    this.#grpc?.onTrailers(lines);
    this.#responder!.sendTrailers(lines);
    if (this.#watched) for (let i = 0; i < this.#copyCount; i++) this.#copies[i].responseTrailers(lines);
  }

  onEnd(): void {
    const counters = this.route!.counters;
    const call = this.#call;
    this.#judged = this.#grpc === null ? this.status : this.#grpc.onEnd(this.status);
    counters.response(this.#judged);
    if (this.#grpc !== null) this.#countGrpc(this.#grpc);
    counters.latency.record(call.figures.endUs - call.figures.sentUs);
    counters.firstByte.record(call.figures.firstByteUs - call.figures.sentUs);
    const { own } = this.route!;
    if (own !== null) {
      own.response(this.#judged);
      own.latency.record(call.figures.endUs - call.figures.sentUs);
    }
    const responder = this.#responder!;
    if ((this.phase & Phase.REQUEST_COMPLETE) === 0 && this.#copyCount > 0) this.phase |= Phase.REST;
    this.#over(Failure.ANSWERED_EARLY);
    if ((this.phase & Phase.REST) === 0) responder.finish();
    else if (!responder.finishEarly()) this.#endRest(Failure.ANSWERED_EARLY);
  }

  /** `#copyRest` passes what the client sends after the primary's response on to the copies. */
  #copyRest(piece: Uint8Array, last: boolean): void {
    this.#bodyBytesLeft -= piece.byteLength;
    if (this.#bodyBytesLeft < 0) {
      this.#endRest(Failure.BODY_TOO_LARGE);
      return;
    }
    if (last) this.phase &= ~Phase.REST;
    for (let i = 0; i < this.#copyCount; i++) this.#copies[i].body(piece, last);
  }

  #endRest(reason: Failure): void {
    this.phase &= ~Phase.REST;
    for (let i = 0; i < this.#copyCount; i++) this.#copies[i].abort(reason);
  }

  onSwitch(head: ResponseHead, tunnel: UpstreamTunnel): void {
    const counters = this.route!.counters;
    this.status = head.status;
    counters.response(this.status);
    if (this.route!.own !== null) this.route!.own.response(this.status);
    const responder = this.#responder!;
    this.#over(Failure.ANSWERED_EARLY);
    responder.switchProtocols(head, tunnel);
  }

  onFailure(failure: Failure): void {
    const headSent = (this.phase & Phase.HEAD_SENT) !== 0;
    if (this.route!.retry !== null && !headSent && this.#attempts!.afterFailure(failure)) return;
    if (this.route!.fallback !== null && !headSent && this.#fallsBack(failure)) return;
    this.failure = failure;
    this.#countFailure(failure);
    const responder = this.#responder!;
    const cut = headSent && !responder.recallHead();
    const lastWords = cut ? this.lastWords(failure) : '';
    if (!cut) this.status = this.#answerStatus(failure);
    this.#judged = this.status;
    if (this.#grpc !== null) this.#grpc.status = grpcStatusOfHttp(this.#answerStatus(failure));
    this.#over(blameOfFailure(failure) === 'client' ? failure : Failure.PRIMARY_FAILED);
    if (cut) responder.cut(lastWords);
    else if (this.cors === '') responder.answer(this.status, failureAnswers[failure].text);
    else responder.answer(this.status, failureAnswers[failure].text, PLAIN_TEXT + this.cors);
  }

  lastWords(reason: Failure): string {
    if (this.#grpc === null || !this.#grpc.mayEndHere) return '';
    return grpcStatusLines(this.#answerStatus(reason), failureAnswers[reason].text);
  }

  #countGrpc(grpc: GrpcCall): void {
    const { counters } = this.route!;
    const { endUs, sentUs } = this.#call.figures;
    counters.grpcResponse(grpc);
    counters.grpcMethods.answered(this.#request.target, grpc, grpc.hasMethod, endUs - sentUs);
  }

  #countFailure(failure: Failure): void {
    this.route!.counters.failure(failure);
    if (this.#grpc !== null) this.route!.counters.grpcMethods.failed(this.#request.target);
    if (this.route!.own !== null) this.route!.own.failure(failure);
  }

  #answerStatus(failure: Failure): number {
    return isUnreachable(failure) ? this.route!.plan.unreachableStatus : failureAnswers[failure].status;
  }

  /**
   * `#over` ends the exchange. Copies whose request is incomplete are aborted for `reason`, unless its rest
   * still arrives.
   */
  #over(reason: Failure): void {
    const requestComplete = (this.phase & Phase.REQUEST_COMPLETE) !== 0;
    this.phase |= Phase.OVER;
    this.#responder = null;
    if (this.route!.retry !== null) this.#attempts?.end();
    if (this.route!.fallback !== null) this.#fallback!.end();
    const counters = this.route!.counters;
    counters.add(VersionField.bytesSent, this.#call.figures.requestBytes);
    counters.add(VersionField.bytesReceived, this.#call.figures.responseBytes);
    if (this.#copyCount > 0) {
      const outcome = this.#outcome();
      for (let i = 0; i < this.#copyCount; i++) {
        const copy = this.#copies[i];
        if ((this.phase & Phase.REST) === 0) copy.abort(reason);
        copy.outcome(outcome);
      }
    }
    this.#home.ended(this, requestComplete);
  }

  #outcome(): Outcome {
    const outcome = this.#home.outcome;
    const call = this.#call;
    outcome.status = this.#judged;
    outcome.grpcStatus = this.grpcStatus;
    outcome.hasGrpcMethod = this.#grpc?.hasMethod ?? false;
    outcome.latencyUs = this.failure === none ? call.figures.endUs - call.figures.sentUs : 0;
    outcome.firstByteUs = this.failure === none ? call.figures.firstByteUs - call.figures.sentUs : 0;
    outcome.responseBytes = call.figures.responseBytes;
    outcome.failure = this.#firstFailure === none ? this.failure : this.#firstFailure;
    outcome.bodyDigest = this.#bodyDigest;
    return outcome;
  }
}

/** `isUnreachable` returns true when no response arrived, and no other failure of the version is known. */
function isUnreachable(failure: Failure): boolean {
  return failure === Failure.CONNECT || failure === Failure.TLS || failure === Failure.RESET;
}
