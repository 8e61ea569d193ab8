/**
 * Routes requests: it finds the route, takes an exchange and begins it. Exchanges are reused. There are as
 * many as requests were in flight at the busiest moment, which the listeners bound.
 */

import { delayFlag, failureAnswers, faultAnswer, noRouteAnswer, retriesExhaustedFlag } from '../answers.js';
import type { Clock } from '../clock.js';
import { GRPC_ANSWER_STATUS, grpcStatusOfAnswer } from '../grpc/grpc-answer.js';
import { GrpcStatus } from '../grpc/grpc-status.js';
import { countsForwards, takeForward } from '../http/max-forwards.js';
import type { RequestHead } from '../http/message.js';
import { limits } from '../limits.js';
import { CopySource, Outcome } from '../mirror/codec.js';
import type { MirrorOffer } from '../mirror/offer.js';
import type { RequestTrace, Tracer } from '../mirror/tracer.js';
import type { AccessLogPort } from '../record/access-log.js';
import { ResponseDetails, responseDetails } from '../record/response-details.js';
import type { RouteCounts } from '../record/route-counts.js';
import type { SpanPort } from '../record/span-record.js';
import { type ThreadCounters, ThreadField } from '../record/thread-counters.js';
import { Delays } from './delays.js';
import { DiscardedRequest, isAnsweredAtOnce } from './discarded-request.js';
import {
  type DirectAnswer,
  hasNoBody,
  ignoredRequest,
  PLAIN_TEXT,
  type RequestSink,
  type Responder,
} from './downstream.js';
import { Exchange, type ExchangeHome, Phase } from './exchange.js';
import type { ProxyRuntime, RouteHandling, RouteRuntime } from './runtime.js';

/** Sentinel: the request was not delayed. */
const NOT_DELAYED = -1;

export class Forwarder implements ExchangeHome {
  readonly mirrors: MirrorOffer;
  readonly log: AccessLogPort;
  readonly #spans: SpanPort | null;
  readonly #routes: RouteCounts | null;
  tracer: Tracer | null = null;
  readonly outcome = new Outcome();
  /** Scratch source, used to log requests that were never forwarded. */
  readonly #unforwarded = new CopySource();
  readonly #clock: Clock;
  readonly #counters: ThreadCounters;
  readonly #spare: Exchange[] = [];
  readonly #delays: Delays;
  #runtime: ProxyRuntime;
  #inFlight = 0;
  /** Bytes of request bodies that are kept for retries. */
  #keptBytes = 0;

  constructor(
    runtime: ProxyRuntime,
    mirrors: MirrorOffer,
    counters: ThreadCounters,
    log: AccessLogPort,
    clock: Clock,
    spans: SpanPort | null = null,
    routes: RouteCounts | null = null,
  ) {
    this.#runtime = runtime;
    this.mirrors = mirrors;
    this.#counters = counters;
    this.log = log;
    this.#spans = spans;
    this.#routes = routes;
    this.#clock = clock;
    this.#delays = new Delays(clock);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** `use` applies this plan to later exchanges. `tracer` is null when nothing is traced. */
  use(runtime: ProxyRuntime, tracer: Tracer | null = null): void {
    this.#runtime = runtime;
    this.tracer = tracer;
  }

  /**
   * `forward` routes a request that has passed the edge. It rejects a body of more than `bodyBytesMax` as it
   * arrives. Routes match `matched`, which may differ from the target that the version gets.
   */
  forward(
    head: RequestHead,
    responder: Responder,
    bodyBytesMax: number,
    matched: string = head.target,
  ): RequestSink {
    const runtime = this.#runtime;
    this.#counters.add(ThreadField.requests);
    if (countsForwards(head.method) && !takeForward(head)) return this.#answerHere(head, responder);
    const { target } = head;
    head.target = matched;
    const index = runtime.table.find(head);
    head.target = target;
    if (index < 0) {
      this.#counters.add(ThreadField.unrouted);
      if (this.log.chosen()) {
        this.#unforwarded.take(head);
        const { status, flag, text } = noRouteAnswer;
        const { NO_ROUTE } = ResponseDetails;
        this.#logUnforwarded(this.#unforwarded, '', status, flag, NO_ROUTE, text.length, NOT_DELAYED);
      }
      responder.answer(noRouteAnswer.status, noRouteAnswer.text);
      return ignoredRequest;
    }
    const handling = runtime.routes[index];
    if (handling.plain === null) return this.#delayOrHandle(handling, head, responder, bodyBytesMax);
    return this.#begin(handling.plain, head, responder, bodyBytesMax);
  }

  #begin(route: RouteRuntime, head: RequestHead, responder: Responder, bodyBytesMax: number): Exchange {
    if (head.upgrade !== '') head.upgrade = route.passedUpgrade(head.upgrade);
    const exchange = this.#spare.pop() ?? new Exchange(this);
    this.#inFlight++;
    exchange.begin(head, responder, route, this.#clock(), bodyBytesMax);
    return exchange;
  }

  /** `#delayOrHandle` delays the request if the route's fault does so, then answers or forwards it. */
  #delayOrHandle(
    handling: RouteHandling,
    head: RequestHead,
    responder: Responder,
    bodyBytesMax: number,
  ): RequestSink {
    const preflight = handling.cors?.preflight(head) ?? null;
    if (preflight !== null) {
      this.#counters.add(ThreadField.answered);
      return this.#answerOwn(handling, preflight, '', head, responder, NOT_DELAYED);
    }
    const delayMs = handling.fault?.drawDelayMs() ?? 0;
    if (delayMs > 0) {
      const sinceUs = this.#clock();
      const delayed = this.#delays.hold(delayMs, head, responder, (head, responder) =>
        this.#answerOrForward(handling, head, responder, bodyBytesMax, sinceUs),
      );
      this.#counters.add(delayed === null ? ThreadField.faultOverflows : ThreadField.faultDelays);
      if (delayed !== null) return delayed;
    }
    return this.#answerOrForward(handling, head, responder, bodyBytesMax, NOT_DELAYED);
  }

  /** `sinceUs` is when a delayed request arrived. */
  #answerOrForward(
    handling: RouteHandling,
    head: RequestHead,
    responder: Responder,
    bodyBytesMax: number,
    sinceUs: number,
  ): RequestSink {
    const abort = handling.fault?.drawAbort() ?? null;
    const cors = handling.cors?.lines(head) ?? '';
    if (abort === null && handling.answer === null) {
      const exchange = this.#begin(handling.split.choose(head, responder), head, responder, bodyBytesMax);
      if (sinceUs !== NOT_DELAYED) exchange.wasDelayed(sinceUs);
      exchange.cors = cors;
      return exchange;
    }
    const delayed = sinceUs === NOT_DELAYED ? '' : delayFlag;
    this.#counters.add(abort === null ? ThreadField.answered : ThreadField.faultAborts);
    if (abort === null)
      return this.#answerOwn(
        handling,
        handling.answer!.to(head, responder, cors),
        delayed,
        head,
        responder,
        sinceUs,
      );
    const { status, grpcStatus } = abort;
    const outcome = head.grpc && grpcStatus !== GrpcStatus.NONE ? `grpc-status: ${grpcStatus}\r\n` : '';
    const answer = {
      status,
      body: hasNoBody(status) ? '' : faultAnswer.text,
      lines: PLAIN_TEXT + outcome + cors,
    };
    return this.#answerOwn(handling, answer, flags(delayed, faultAnswer.flag), head, responder, sinceUs);
  }

  /** `#answerOwn` answers the request without a version. */
  #answerOwn(
    handling: RouteHandling,
    { status, body, lines }: DirectAnswer,
    flag: string,
    head: RequestHead,
    responder: Responder,
    sinceUs: number,
  ): RequestSink {
    const source = this.log.chosen() ? new CopySource() : null;
    source?.take(head);
    const bodyBytes = head.method === 'HEAD' ? 0 : Buffer.byteLength(body);
    const answer = () => {
      responder.answer(status, body, lines);
      const tookUs = sinceUs === NOT_DELAYED ? 0 : this.#clock() - sinceUs;
      this.#routes?.count(handling.plan.slot, status, true, tookUs);
      if (source === null) return;
      const details = flag.endsWith(faultAnswer.flag) ? ResponseDetails.FAULT : ResponseDetails.DIRECT;
      this.#logUnforwarded(source, handling.plan.name, status, flag, details, bodyBytes, sinceUs, lines);
    };
    if (!isAnsweredAtOnce(head)) return new DiscardedRequest(answer);
    answer();
    return ignoredRequest;
  }

  keep(bytes: number): boolean {
    if (this.#keptBytes + bytes > limits.retryHeldBytes) {
      this.#counters.add(ThreadField.retryOverflows);
      return false;
    }
    this.#keptBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#keptBytes -= bytes;
  }

  bodyTooLarge(): void {
    this.#counters.add(ThreadField.bodyTooLarge);
  }

  ended(exchange: Exchange, requestComplete: boolean): void {
    this.#inFlight--;
    this.#countRoute(exchange);
    if (exchange.logged) this.#logExchange(exchange);
    if (exchange.trace !== null) this.#traceExchange(exchange, exchange.trace);
    if (requestComplete) this.#spare.push(exchange);
  }

  /**
   * `#answerHere` answers a request whose Max-Forwards was 0. An answer to TRACE would repeat the request
   * with its secrets, so TRACE is rejected.
   */
  #answerHere(head: RequestHead, responder: Responder): RequestSink {
    this.#counters.add(ThreadField.lastHop);
    if (head.method === 'OPTIONS') responder.answer(200, '');
    else responder.answer(501, 'TRACE is not answered here\n');
    return ignoredRequest;
  }

  /** A failure before a head was sent is answered by umbra. After it the response of the version was cut. */
  #countRoute(exchange: Exchange): void {
    const { route, status, failure, phase, beganUs, call } = exchange;
    const isOwn = failure >= 0 && (phase & Phase.HEAD_SENT) === 0;
    this.#routes?.count(route!.plan.slot, status, isOwn, call.figures.endUs - beganUs);
  }

  #logExchange(exchange: Exchange): void {
    const call = exchange.call;
    const route = exchange.route!;
    this.log.write({
      role: 'primary',
      route: route.plan.name,
      version: route.pool.plan.name,
      source: exchange.source,
      // Answers of umbra are 200 for gRPC clients.
      status: exchange.isGrpc && exchange.failure >= 0 ? GRPC_ANSWER_STATUS : exchange.status,
      grpcStatus: exchange.grpcStatus,
      flag: flagsOf(exchange),
      details: responseDetails(
        exchange.failure,
        (exchange.phase & Phase.HEAD_SENT) !== 0,
        call.figures.error,
      ),
      durationUs: this.#clock() - exchange.beganUs,
      upstreamUs: exchange.failure < 0 ? call.figures.endUs - call.figures.sentUs : -1,
      requestBytes: call.figures.requestBytes,
      responseBytes: call.figures.responseBytes,
      upstream: call.figures.endpoint?.logged ?? '',
    });
  }

  #traceExchange(exchange: Exchange, trace: RequestTrace): void {
    const { call, source, status, failure, beganUs } = exchange;
    const { plan, pool } = exchange.route!;
    const { wire, methodBytes, targetBytes, hostBytes, http2 } = source;
    const targetEnd = methodBytes + targetBytes;
    this.#spans?.write({
      kind: 'exchange',
      traceId: trace.traceId,
      parentId: trace.parentId,
      serverId: trace.serverId,
      clientId: trace.clientId,
      method: wire.slice(0, methodBytes),
      target: wire.slice(methodBytes, targetEnd),
      host: wire.slice(targetEnd, targetEnd + hostBytes),
      http2,
      route: plan.name,
      version: pool.plan.name,
      upstream: call.figures.endpoint?.logged ?? '',
      startUs: beganUs,
      sentUs: call.figures.sentUs,
      answeredUs: call.figures.endUs,
      endUs: this.#clock(),
      status,
      failure,
      details: responseDetails(failure, (exchange.phase & Phase.HEAD_SENT) !== 0, call.figures.error),
      requestBytes: call.figures.requestBytes,
      responseBytes: call.figures.responseBytes,
      drops: trace.drops,
    });
  }

  /** `#logUnforwarded` logs a request that no version received. */
  #logUnforwarded(
    source: CopySource,
    route: string,
    status: number,
    flag: string,
    details: string,
    responseBytes: number,
    sinceUs: number,
    lines = '',
  ): void {
    this.log.write({
      role: 'primary',
      route,
      version: '',
      source,
      status: source.grpc ? GRPC_ANSWER_STATUS : status,
      grpcStatus: source.grpc ? grpcStatusOfAnswer(status, lines) : GrpcStatus.NONE,
      flag,
      details,
      durationUs: sinceUs === NOT_DELAYED ? 0 : this.#clock() - sinceUs,
      upstreamUs: -1,
      requestBytes: 0,
      responseBytes,
      upstream: '',
    });
  }
}

function flagsOf({ delayed, failure, retriesExhausted }: Exchange): string {
  const failed = failure < 0 ? '' : failureAnswers[failure].flag;
  const exhausted = retriesExhausted ? retriesExhaustedFlag : '';
  return flags(flags(delayed ? delayFlag : '', failed), exhausted);
}

/** `flags` joins two flags, as Envoy does. */
function flags(one: string, other: string): string {
  return one === '' || other === '' ? one + other : `${one},${other}`;
}
