/**
 * Where requests enter the core: finds the route, takes an exchange and begins it. Exchanges are reused;
 * their number is that of the requests in flight at the busiest moment, which the listeners bound.
 */
import type { Clock } from '../clock.js';
import { failureAnswers, noRouteAnswer } from '../errors.js';
import { countsForwards, takeForward } from '../http/max-forwards.js';
import type { RequestHead } from '../http/message.js';
import { CopySource, Outcome } from '../mirror/codec.js';
import type { MirrorOffer } from '../mirror/offer.js';
import type { AccessLogPort } from '../record/access-log.js';
import { ThreadField, type ThreadLedger } from '../record/thread-ledger.js';
import { ignoredRequest, type RequestSink, type Responder } from './downstream.js';
import { Exchange } from './exchange.js';
import type { ProxyRuntime } from './runtime.js';

/** What an exchange needs of the thread it lives on. */
export interface ExchangeHome {
  readonly mirrors: MirrorOffer;
  readonly log: AccessLogPort;
  /** A scratch outcome, filled and read in one turn. */
  readonly outcome: Outcome;
  /** A client sent more than its listener takes; counted. */
  bodyTooLarge(): void;
  /** `exchange` is over. If its client may still send body (`requestComplete` is false) it is not reused. */
  ended(exchange: Exchange, requestComplete: boolean): void;
}

export class Forwarder implements ExchangeHome {
  readonly mirrors: MirrorOffer;
  readonly log: AccessLogPort;
  readonly outcome = new Outcome();
  /** Of a request that no exchange is begun for. */
  readonly #unrouted = new CopySource();
  readonly #clock: Clock;
  readonly #ledger: ThreadLedger;
  readonly #spare: Exchange[] = [];
  #runtime: ProxyRuntime;
  #inFlight = 0;

  constructor(
    runtime: ProxyRuntime,
    mirrors: MirrorOffer,
    ledger: ThreadLedger,
    log: AccessLogPort,
    clock: Clock,
  ) {
    this.#runtime = runtime;
    this.mirrors = mirrors;
    this.#ledger = ledger;
    this.log = log;
    this.#clock = clock;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Exchanges that begin from now on follow this plan. */
  use(runtime: ProxyRuntime): void {
    this.#runtime = runtime;
  }

  /** A request that has passed the edge; a body of more than `bodyBytesMax` is refused as it comes. */
  forward(head: RequestHead, responder: Responder, bodyBytesMax: number): RequestSink {
    const runtime = this.#runtime;
    this.#ledger.add(ThreadField.REQUESTS);
    if (countsForwards(head.method) && !takeForward(head)) return this.#answerHere(head, responder);
    const index = runtime.table.find(head);
    if (index < 0) {
      this.#ledger.add(ThreadField.UNROUTED);
      if (this.log.chosen()) this.#logUnrouted(head);
      responder.answer(noRouteAnswer.status, noRouteAnswer.text);
      return ignoredRequest;
    }
    const exchange = this.#spare.pop() ?? new Exchange(this);
    this.#inFlight++;
    exchange.begin(head, responder, runtime.routes[index], this.#clock(), bodyBytesMax);
    return exchange;
  }

  bodyTooLarge(): void {
    this.#ledger.add(ThreadField.BODY_TOO_LARGE);
  }

  ended(exchange: Exchange, requestComplete: boolean): void {
    this.#inFlight--;
    if (exchange.logged) this.#logExchange(exchange);
    if (requestComplete) this.#spare.push(exchange);
  }

  /** Its Max-Forwards was 0. A TRACE would have to be sent back as it came, with its secrets: it is refused instead. */
  #answerHere(head: RequestHead, responder: Responder): RequestSink {
    this.#ledger.add(ThreadField.LAST_HOP);
    if (head.method === 'OPTIONS') responder.answer(200, '');
    else responder.answer(501, 'TRACE is not answered here\n');
    return ignoredRequest;
  }

  #logExchange(exchange: Exchange): void {
    const call = exchange.call;
    const route = exchange.route!;
    this.log.write({
      role: 'primary',
      route: route.plan.name,
      version: route.pool.plan.name,
      source: exchange.source,
      status: exchange.status,
      flag: exchange.failure < 0 ? '' : failureAnswers[exchange.failure].flag,
      durationUs: this.#clock() - exchange.beganUs,
      upstreamUs: exchange.failure < 0 ? call.endUs - call.sentUs : -1,
      requestBytes: call.requestBytes,
      responseBytes: call.responseBytes,
      upstream: call.endpoint?.authority ?? '',
    });
  }

  #logUnrouted(head: RequestHead): void {
    this.#unrouted.take(head);
    this.log.write({
      role: 'primary',
      route: '',
      version: '',
      source: this.#unrouted,
      status: noRouteAnswer.status,
      flag: noRouteAnswer.flag,
      durationUs: 0,
      upstreamUs: -1,
      requestBytes: 0,
      responseBytes: noRouteAnswer.text.length,
      upstream: '',
    });
  }
}
