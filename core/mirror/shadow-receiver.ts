/**
 * The shadow thread's end of its rings: it admits copies within the bounds of their mirror, sends each as a
 * `ShadowRequest`, and hands captured pairs to the analysts.
 */
import type { Clock } from '../clock.js';
import { CaptureBudget, PairCapture } from '../compare/capture.js';
import type { EndpointPair } from '../compare/endpoint-batch.js';
import type { PairPort } from '../compare/pair-port.js';
import { Drop, type Failure, none } from '../errors.js';
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { fieldValue } from '../http/fields.js';
import { limits } from '../limits.js';
import type { AccessLogPort } from '../record/access-log.js';
import { MirrorField, Unexamined } from '../record/mirror-counters.js';
import { responseDetails } from '../record/response-details.js';
import type { SpanPort } from '../record/span-record.js';
import type { RingReader } from '../ring/reader.js';
import { FrameFlag, type Outcome, Seen } from './codec.js';
import { beginCopyTrace, type CopyTrace } from './copy-trace.js';
import { FrameReceiver } from './frame-receiver.js';
import { noOrder } from './order-key.js';
import { OrderQueues } from './order-queues.js';
import { ShadowRequest } from './shadow-request.js';
import type { ShadowMirror } from './shadow-runtime.js';
import type { Random } from './trace-fields.js';

/** Hears that a breaker opened or closed, and what the last copy failed for (-1: it completed). */
export type BreakerListener = (mirror: ShadowMirror, open: boolean, failure: number) => void;

export class ShadowReceiver extends FrameReceiver<ShadowMirror, ShadowRequest> {
  readonly log: AccessLogPort;
  readonly #spare: ShadowRequest[] = [];
  /** Copies that the upstream client has; a drain is complete when it is empty. */
  readonly #underWay = new Set<ShadowRequest>();
  readonly #captures = new CaptureBudget(limits.capturedBytes);
  readonly #pairs: PairPort;
  readonly #queues = new OrderQueues<ShadowRequest>();
  readonly #onBreaker: BreakerListener;
  #spans: SpanPort | null = null;
  #random: Random | null = null;
  #readUpToUs = 0;
  #advancing = false;

  constructor(
    readers: readonly RingReader[],
    pairs: PairPort,
    log: AccessLogPort,
    clock: Clock,
    onBreaker: BreakerListener = () => {},
  ) {
    super(readers, clock);
    this.#onBreaker = onBreaker;
    this.#pairs = pairs;
    this.log = log;
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** Cancels every copy that is under way. */
  abortAll(reason: Failure): void {
    for (const request of [...this.#underWay]) request.cancel(reason);
  }

  begin(mirror: ShadowMirror, generation: number, _exchangeId: number, flags: number): ShadowRequest | null {
    if (this.head.orderKey !== noOrder && this.#queues.isFull(this.head.orderKey)) {
      this.drop(mirror, Drop.ORDER_FULL, flags);
      if ((flags & FrameFlag.TRACED) !== 0) this.traceDropped(mirror.plan.slot, generation, Drop.ORDER_FULL);
      return null;
    }
    const request = this.#spare.pop() ?? new ShadowRequest(this);
    this.#underWay.add(request);
    const captured = (flags & FrameFlag.CAPTURE) !== 0;
    request.begin(mirror, this.head, flags, captured ? this.#captureOf(mirror, generation) : null);
    if (request.orderKey !== noOrder) this.#queues.enter(request);
    return request;
  }

  protected override onRead(upToUs: number): void {
    this.#readUpToUs = upToUs;
    this.#advance();
  }

  /** `whyNotSent` returns why a copy whose turn has come can't be sent now, or `none`. */
  whyNotSent({ bounds, pool }: ShadowMirror): Drop | typeof none {
    if (bounds.breakerRefuses(this.clock())) return Drop.BREAKER_OPEN;
    if (pool.outOfService) return Drop.NO_ENDPOINT;
    return bounds.full ? Drop.IN_FLIGHT : none;
  }

  /** `traceWith` sets where spans of traced copies go, and the source of their ids. */
  traceWith(spans: SpanPort, random: Random): void {
    this.#spans = spans;
    this.#random = random;
  }

  traceOf(copied: string, fields: string): CopyTrace | null {
    return this.#random === null ? null : beginCopyTrace(copied, fields, this.#random);
  }

  protected override traceDropped(slot: number, generation: number, reason: Drop): void {
    const { method, target, host, fields, offeredUs } = this.head;
    const mirror = this.plans.mirrorOf(slot, generation);
    const trace = mirror === undefined ? null : this.traceOf(fields, fields);
    if (trace === null) return;
    const nowUs = this.clock();
    this.#spans?.write({
      ...spanOf(trace, mirror!),
      method,
      target,
      host,
      upstream: '',
      startUs: offeredUs,
      sentUs: 0,
      endUs: nowUs,
      status: 0,
      failure: none,
      details: '',
      drop: reason,
      differs: none,
      deltaUs: 0,
    });
  }

  #writeSpan(request: ShadowRequest, trace: CopyTrace): void {
    const { call, status, failure, drop, differs, deltaUs } = request;
    const { method, target, host } = request.request;
    this.#spans?.write({
      ...spanOf(trace, request.mirror!),
      method,
      target,
      host,
      upstream: request.wasStarted ? (call.figures.endpoint?.logged ?? '') : '',
      startUs: request.offeredUs,
      sentUs: request.wasStarted ? call.figures.sentUs : 0,
      endUs: request.overUs,
      status,
      failure,
      details: request.wasStarted ? responseDetails(failure as Failure | -1, false, call.figures.error) : '',
      drop,
      differs,
      deltaUs,
    });
  }

  breakerTurned(mirror: ShadowMirror, failure: number): void {
    this.#onBreaker(mirror, mirror.bounds.breaker?.open ?? false, failure);
  }

  #advance(): void {
    // A copy that ends within `advance` calls this method again. The loop that already runs finds the next
    // copy.
    if (this.#advancing) return;
    this.#advancing = true;
    this.#queues.advanceUpTo(this.#readUpToUs);
    this.#advancing = false;
  }

  /**
   * `examine` is called when both outcomes of a captured pair are known; `primary` is null when one of them
   * is not a whole response. It hands the pair to the analysts, or counts why not.
   */
  examine(mirror: ShadowMirror, capture: PairCapture, primary: Outcome | null): void {
    if (primary === null) mirror.counters.unexamined(Unexamined.NO_PAIR);
    else if ((primary.seen & Seen.CAPTURED) === 0) mirror.counters.unexamined(Unexamined.RING_FULL);
    else if (capture.lost) mirror.counters.unexamined(Unexamined.MEMORY);
    else {
      capture.primary.truncated = (primary.seen & Seen.TRUNCATED) !== 0;
      const taken = this.#pairs.offer(mirror.plan.slot, this.plans.newest.generation, capture);
      if (taken) mirror.counters.add(MirrorField.handedToAnalysts);
      else mirror.counters.unexamined(Unexamined.ANALYSTS_BUSY);
    }
    capture.release();
  }

  countByEndpoint(
    { plan, counters, isBaseline }: ShadowMirror,
    method: string,
    target: string,
    pair: EndpointPair,
  ): void {
    if (isBaseline) return;
    this.#pairs.countPair(plan.slot, counters, method, target, pair);
  }

  #captureOf(mirror: ShadowMirror, generation: number): PairCapture | null {
    const { capture } = mirror.plan;
    if (capture === null) return null;
    const { target, fields, offeredUs, grpc } = this.head;
    const method = grpc ? GRPC_METHOD : this.head.method;
    // The copies of one request were offered at the same time, so the baseline's has the same id.
    const id = fieldValue(fields, 'x-request-id') ?? `${generation}-${Math.round(offeredUs).toString(36)}`;
    return new PairCapture(this.#captures, capture.bodyBytesMax, id, method, target);
  }

  ended(request: ShadowRequest): void {
    this.#underWay.delete(request);
    if (request.orderKey !== noOrder) {
      this.#queues.leave(request);
      this.#advance();
    }
    if (request.wasStarted && request.logged) this.#writeLog(request);
  }

  settled(request: ShadowRequest): void {
    if (request.trace !== null) this.#writeSpan(request, request.trace);
    this.#spare.push(request);
  }

  protected whyRefused(mirror: ShadowMirror, openCount: number): Drop | typeof none {
    const notSent = this.whyNotSent(mirror);
    if (notSent !== none) return notSent;
    if (openCount >= limits.openMirroredExchanges) return Drop.IN_FLIGHT;
    const { bounds } = mirror;
    if (bounds.exceedsMemory(0)) return Drop.MEMORY;
    return bounds.takeRate(this.clock()) ? none : Drop.RATE;
  }

  #writeLog(request: ShadowRequest): void {
    const mirror = request.mirror!;
    const call = request.call;
    request.source.http2 = call.figures.http2;
    this.log.write({
      role: 'shadow',
      route: mirror.route,
      version: mirror.pool.plan.name,
      source: request.source,
      status: request.status,
      grpcStatus: request.grpcStatus,
      flag: request.flag,
      details: responseDetails(request.failure as Failure | -1, false, call.figures.error),
      durationUs: this.clock() - request.offeredUs,
      upstreamUs: request.failure < 0 ? call.figures.endUs - call.figures.sentUs : -1,
      requestBytes: call.figures.requestBytes,
      responseBytes: call.figures.responseBytes,
      upstream: call.figures.endpoint?.logged ?? '',
    });
  }
}

function spanOf({ traceId, spanId, ofTraceId, ofSpanId }: CopyTrace, { route, pool }: ShadowMirror) {
  return { kind: 'copy', traceId, spanId, ofTraceId, ofSpanId, route, version: pool.plan.name } as const;
}
