/**
 * One mirrored request on a shadow thread. The same client as for the primary sends it, its response is
 * measured and discarded, and its outcome is paired with the primary's. It ends exactly once in the counters:
 * dropped (nothing was attempted), completed or failed.
 *
 * The file is long because events of three sources (its frames, its call, its primary) end a copy and share
 * its phases.
 */
import type { Clock } from '../clock.js';
import type { PairCapture } from '../compare/capture.js';
import { digestBody, digestFields } from '../compare/digest.js';
import { EndpointPair } from '../compare/endpoint-batch.js';
import { blameOfFailure, type Drop, dropOfUnsent, Failure, failures, none } from '../errors.js';
import { GrpcCall } from '../grpc/grpc-call.js';
import { GRPC_METHOD } from '../grpc/grpc-method.js';
import { GrpcStatus } from '../grpc/grpc-status.js';
import { grpcTimeoutOf } from '../grpc/grpc-timeout.js';
import { Framing } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { safeMethods } from '../http/safe-methods.js';
import { Differs, End, endOf, MirrorField, pairOutcome } from '../record/mirror-counters.js';
import { VersionField } from '../record/version-counters.js';
import { FrameType } from '../ring/frame.js';
import type { Call } from '../upstream/call.js';
import { Calls } from '../upstream/calls.js';
import type { ResponseSink } from '../upstream/response-sink.js';
import { UpstreamRequest } from '../upstream/upstream-request.js';
import type { Breaker } from './breaker.js';
import { CopySource, FrameFlag, type MirroredHead, Outcome, Seen } from './codec.js';
import type { CopyTrace } from './copy-trace.js';
import type { FramedCopy } from './frame-receiver.js';
import { HeldBody } from './held-body.js';
import { noOrder } from './order-key.js';
import type { OrderedCopy } from './order-queues.js';
import type { ShadowMirror } from './shadow-runtime.js';

const noBytes = Buffer.alloc(0);

const Phase = {
  IDLE: 0,
  /** The copy was handed to the upstream client. */
  STARTED: 1,
  /** All frames of the request have arrived. */
  REQUEST_COMPLETE: 2,
  /** The copy counts as sent. */
  SENT: 4,
  /** Completed, failed or dropped. */
  OVER: 8,
  /** The primary's outcome is known, or will never be. */
  PRIMARY_KNOWN: 16,
  /** No outcome of the primary will arrive, so there is nothing to compare. */
  UNPAIRED: 32,
  /** Returned to the receiver. */
  SETTLED: 64,
} as const;

/** The services of the shadow thread that a copy needs. */
export interface ShadowRequestHome {
  readonly clock: Clock;
  /** The copy has completed, failed or been dropped. */
  ended(request: ShadowRequest): void;
  /** Nothing refers to the copy any more: it may be reused. */
  settled(request: ShadowRequest): void;
  /** The breaker has opened or closed with a copy that failed for `failure`; -1: it completed. */
  breakerTurned(mirror: ShadowMirror, failure: number): void;
  /** Begins the trace of a copy: `copied` are the fields of the request, and `fields` those of the copy. */
  traceOf(copied: string, fields: string): CopyTrace | null;
  /** Returns why a copy whose turn has come in its order can't be sent now, or `none`. */
  whyNotSent(mirror: ShadowMirror): Drop | typeof none;
  /**
   * Both outcomes of a captured pair are known. `primary` is null when one of them is not a whole response.
   */
  examine(mirror: ShadowMirror, capture: PairCapture, primary: Outcome | null): void;
  /** Counts a pair by its endpoint. `pair` is only valid during the call. */
  countByEndpoint(mirror: ShadowMirror, method: string, target: string, pair: EndpointPair): void;
}

/** Reused for each pair. */
const endpointPair = new EndpointPair();

export class ShadowRequest implements ResponseSink, FramedCopy, OrderedCopy {
  readonly #home: ShadowRequestHome;
  readonly #calls: Calls;
  readonly request = new UpstreamRequest();
  readonly source = new CopySource();
  mirror: ShadowMirror | null = null;
  #phase = Phase.IDLE as number;
  /** The target of the client's request. */
  #target = '';
  offeredUs = 0;
  orderKey = noOrder;
  nextInOrder: this | null = null;
  previousInOrder: this | null = null;
  /** The received body of an ordered request until its turn; created for the first one that is held. */
  #held: HeldBody | null = null;
  /** The ticket from `#breaker.enter`. A reload may give the mirror another breaker. */
  #ticket = 0;
  #breaker: Breaker | null = null;
  /** The part of the mirror's `heldBytes` that belongs to this copy. */
  #heldBytes = 0;
  /** The primary's exchange is logged in the access log, so the copy is too. */
  logged = false;
  status = 0;
  /** The status that the response is judged by: for gRPC that of its `grpc-status`. */
  #judged = 0;
  /** Null unless the copy is a gRPC call. */
  #grpc: GrpcCall | null = null;
  /** Created for the first gRPC call. */
  #spareGrpc: GrpcCall | null = null;
  failure = -1;
  /** Null: the copy is not traced. The figures below are for its span. */
  trace: CopyTrace | null = null;
  /** Why it was dropped, or `none`. */
  drop: Drop | typeof none = none;
  /** `Differs` bits of a pair of whole responses, or `none`. */
  differs: number = none;
  deltaUs = 0;
  /** When it completed, failed or was dropped. */
  overUs = 0;
  #bodyDigest = 0;
  #fieldsDigest = 0;
  /** The outcome of the primary's exchange. Its failure is -1 only after a whole response is known. */
  readonly #primary = new Outcome();
  #capture: PairCapture | null = null;

  constructor(home: ShadowRequestHome) {
    this.#home = home;
    this.#calls = new Calls(this);
  }

  /** The call that carries the request. */
  get call(): Call {
    return this.#calls.current;
  }

  get #call(): Call {
    return this.#calls.current;
  }

  /** The copy was handed to the upstream client. */
  get wasStarted(): boolean {
    return (this.#phase & Phase.STARTED) !== 0;
  }

  get expectsFrames(): boolean {
    const all = Phase.REQUEST_COMPLETE | Phase.PRIMARY_KNOWN;
    return (this.#phase & all) !== all;
  }

  /**
   * `begin` builds the copy's head from an admitted HEAD frame and sends it. An ordered copy is held until
   * `advance`.
   */
  begin(mirror: ShadowMirror, head: MirroredHead, flags: number, capture: PairCapture | null): void {
    this.mirror = mirror;
    this.#phase =
      ((flags & FrameFlag.LAST) !== 0 ? Phase.REQUEST_COMPLETE : 0) |
      ((flags & FrameFlag.UNPAIRED) !== 0 ? Phase.PRIMARY_KNOWN | Phase.UNPAIRED : 0);
    this.#target = head.target;
    this.offeredUs = head.offeredUs;
    this.orderKey = head.orderKey;
    this.logged = (flags & FrameFlag.LOGGED) !== 0;
    this.status = 0;
    this.#judged = 0;
    this.#grpc = head.grpc ? this.#beginGrpc() : null;
    this.failure = -1;
    this.drop = none;
    this.differs = none;
    this.deltaUs = 0;
    this.overUs = 0;
    this.#bodyDigest = 0;
    this.#fieldsDigest = 0;
    this.#primary.failure = Failure.ABORTED;
    this.#primary.seen = 0;
    this.#capture = capture;
    this.#heldBytes = 0;
    this.#breaker = null;
    const target = mirror.targetFor(head.target);
    const host = mirror.hostFor(head.host);
    const changed = mirror.fieldsFor(head);
    this.trace = (flags & FrameFlag.TRACED) === 0 ? null : this.#home.traceOf(head.fields, changed);
    const fields = this.trace === null ? changed : this.trace.fields;
    // The log lines of both sides are matched by the fields of the client's request, whatever the mirror
    // changes.
    if (this.logged) this.source.takeParts(head.method, target, host, head.fields);
    const request = this.request;
    const { plan } = mirror;
    request.method = head.method;
    request.target = target;
    request.host = host;
    request.fields = fields;
    request.framing = head.framing;
    request.contentLength = head.framing === Framing.LENGTH ? head.contentLength : 0;
    request.lengthZero = head.lengthZero;
    request.grpc = this.#grpc;
    request.neverIndexed = head.neverIndexed;
    request.takeTimeouts(plan.timeouts);
    if (head.grpc) request.limitTotal(grpcTimeoutOf(head.fields));
    request.resends.begin(head.method, null);
    if (head.orderKey === noOrder) this.#start();
    else {
      this.#held ??= new HeldBody();
      this.#held.begin(target.length + host.length + fields.length, head.framing === Framing.NONE);
      this.#countWaiting(1);
    }
    this.#accountHeld();
  }

  #beginGrpc(): GrpcCall {
    this.#spareGrpc ??= new GrpcCall();
    this.#spareGrpc.begin();
    return this.#spareGrpc;
  }

  /** The status of the copy as a gRPC call, or `NONE`. */
  get grpcStatus(): GrpcStatus {
    return this.#grpc === null ? GrpcStatus.NONE : this.#grpc.status;
  }

  /**
   * `advance` is called when the turn of an ordered copy has come. It sends what is held, or drops the copy.
   */
  advance(): void {
    const refused = this.#home.whyNotSent(this.mirror!);
    if (refused !== none) {
      this.mirror!.counters.dropped(refused);
      this.drop = refused;
      this.#over();
      return;
    }
    this.#start();
    const held = this.#held!;
    if (this.request.framing !== Framing.NONE) this.#writeHeld(held);
    held.clear();
    this.#countWaiting(-1);
    this.#accountHeld();
  }

  #countWaiting(change: number): void {
    const { bounds, counters } = this.mirror!;
    bounds.waiting += change;
    counters.set(MirrorField.waiting, bounds.waiting);
  }

  #writeHeld({ pieces, trailers, complete }: HeldBody): void {
    const call = this.#call;
    for (const piece of pieces) call.write(piece, false);
    if (trailers !== '') call.trailers(trailers);
    call.write(noBytes, complete);
  }

  #start(): void {
    const mirror = this.mirror!;
    this.#phase |= Phase.STARTED;
    mirror.bounds.begun();
    this.#breaker = mirror.bounds.breaker;
    if (this.#breaker !== null) this.#ticket = this.#breaker.enter();
    mirror.version.requestStarted();
    const request = this.request;
    const { pool, plan } = mirror;
    if (mirror.pipelines(request)) this.#calls.startPipelined(pool, request, plan.pipelining);
    else this.#calls.start(pool, request);
  }

  // --- frames

  onBody(piece: Uint8Array, last: boolean): void {
    if (last) this.#phase |= Phase.REQUEST_COMPLETE;
    this.#grpc?.sent.take(piece);
    if ((this.#phase & Phase.OVER) !== 0) {
      this.#settle();
      return;
    }
    // A slow shadow is never waited for: what it does not read is held, up to the bounds of the mirror, the
    // call and the thread.
    if (this.mirror!.bounds.exceedsMemory(piece.byteLength)) {
      this.cancel(Failure.MEMORY);
      return;
    }
    if (this.wasStarted) this.#call.write(piece, last);
    else this.#held!.add(piece, last);
    this.#accountHeld();
  }

  onTrailers(lines: string): void {
    if ((this.#phase & Phase.OVER) !== 0) return;
    if (this.wasStarted) this.#call.trailers(lines);
    else this.#held!.trailers = lines;
  }

  onAbort(reason: Failure): void {
    const complete = (this.#phase & Phase.REQUEST_COMPLETE) !== 0;
    this.#phase |= Phase.REQUEST_COMPLETE;
    if ((this.#phase & Phase.OVER) !== 0) this.#settle();
    else if (!complete) this.cancel(reason);
  }

  /** `cancel` ends the copy now, whatever its phase. */
  cancel(reason: Failure): void {
    if ((this.#phase & Phase.OVER) !== 0) return;
    if (this.wasStarted) this.#call.cancel();
    this.#fail(reason);
  }

  onOutcome(outcome: Outcome | null): void {
    if ((this.#phase & Phase.PRIMARY_KNOWN) !== 0) return;
    if (outcome !== null) this.#primary.take(outcome);
    this.#phase |= Phase.PRIMARY_KNOWN;
    // The client ended the primary's request. Without a measured primary the copy has no use. A write
    // continues, because the primary may have executed it.
    if (outcome !== null && isClients(outcome.failure) && safeMethods.includes(this.request.method))
      this.cancel(outcome.failure as Failure);
    this.#settle();
  }

  /** Ignored when the response is not captured. */
  onPrimaryResponse(type: number, bytes: Buffer): void {
    if (this.#capture === null) return;
    if (type === FrameType.RESPONSE_HEAD) this.#capture.primaryHead(bytes);
    else if (type === FrameType.RESPONSE_TRAILERS) this.#capture.primaryTrailers(bytes);
    else this.#capture.primaryBody(bytes);
  }

  // --- from the shadow

  batch(run: () => void): void {
    run();
  }

  onSent(): void {
    this.#countSent();
  }

  onDrain(): void {
    this.#accountHeld();
  }

  onInterim(_head: ResponseHead): void {}

  /** Upgrades are not mirrored, and any other 101 is refused earlier. */
  onSwitch(): void {}

  onHead(head: ResponseHead): void {
    this.status = head.status;
    this.#grpc?.onHead(head);
    const { headers } = this.mirror!.plan.compare;
    if (headers.length > 0) this.#fieldsDigest = digestFields(head, headers);
    this.#capture?.shadowHead(head);
    this.#accountHeld();
  }

  /** The body is measured and discarded. A response above the bound ends the copy. */
  onResponseBody(bytes: Uint8Array): void {
    if (this.#call.figures.responseBytes > this.mirror!.plan.responseBytesMax) {
      this.cancel(Failure.RESPONSE_TOO_LARGE);
      return;
    }
    if (this.mirror!.plan.compare.digest) this.#bodyDigest = digestBody(bytes, this.#bodyDigest);
    this.#capture?.shadowBody(bytes);
    this.#grpc?.received.take(bytes);
  }

  onResponseTrailers(lines: string): void {
    this.#grpc?.onTrailers(lines);
    this.#capture?.shadowTrailers(lines);
  }

  onEnd(): void {
    const mirror = this.mirror!;
    const call = this.#call;
    this.#judged = this.#grpc === null ? this.status : this.#grpc.onEnd(this.status);
    mirror.counters.completed();
    this.#endTicket(call.figures.endUs);
    mirror.version.response(this.#judged);
    if (this.#grpc !== null) mirror.version.grpcResponse(this.#grpc);
    mirror.version.latency.record(call.figures.endUs - call.figures.sentUs);
    mirror.version.firstByte.record(call.figures.firstByteUs - call.figures.sentUs);
    this.#over();
  }

  /**
   * A breaker counts failures to answer, not answers. For gRPC UNAVAILABLE is one, because proxies and
   * clients of gRPC say so where HTTP has a connection that fails.
   */
  #endTicket(endUs: number): void {
    if (this.#breaker === null) return;
    if (this.grpcStatus === GrpcStatus.UNAVAILABLE) this.#breaker.failed(this.#ticket, endUs);
    else this.#breaker.completed(this.#ticket, endUs);
  }

  onFailure(failure: Failure): void {
    this.#fail(failure);
  }

  #fail(failure: Failure): void {
    this.failure = failure;
    const mirror = this.mirror!;
    const drop = (this.#phase & Phase.SENT) === 0 ? dropOfUnsent(failure) : -1;
    if (drop !== -1) {
      this.drop = drop;
      mirror.counters.dropped(drop);
    } else {
      this.#countSent();
      mirror.counters.failed(failure);
    }
    if (this.wasStarted) mirror.version.failure(failure);
    if (this.#breaker !== null) {
      if (drop === -1 && blameOfFailure(failure) === 'shadow')
        this.#breaker.failed(this.#ticket, this.#home.clock());
      else this.#breaker.released(this.#ticket);
    }
    this.#over();
  }

  /** `#accountHeld` updates the held bytes, which change by writes and by what the socket takes of them. */
  #accountHeld(): void {
    const held = (this.#phase & Phase.OVER) === 0 ? this.#heldNow : 0;
    if (held === this.#heldBytes) return;
    const mirror = this.mirror!;
    mirror.bounds.heldBytes += held - this.#heldBytes;
    mirror.counters.set(MirrorField.heldBytes, mirror.bounds.heldBytes);
    this.#heldBytes = held;
  }

  get #heldNow(): number {
    return this.wasStarted ? this.#call.heldBytes : this.#held!.bytes;
  }

  #countSent(): void {
    if ((this.#phase & Phase.SENT) !== 0) return;
    this.#phase |= Phase.SENT;
    const counters = this.mirror!.counters;
    counters.sent();
    counters.queue.record(this.#home.clock() - this.offeredUs);
  }

  #over(): void {
    this.#phase |= Phase.OVER;
    if (this.trace !== null) this.overUs = this.#home.clock();
    this.#accountHeld();
    if (this.wasStarted) this.#countEnd(this.mirror!);
    else this.#endWaiting();
    this.#home.ended(this);
    this.#settle();
  }

  #endWaiting(): void {
    this.#held!.clear();
    this.#countWaiting(-1);
  }

  #countEnd({ bounds, counters, version }: ShadowMirror): void {
    bounds.ended();
    if (bounds.breaker !== null) counters.setBreaker(bounds.breaker.open, bounds.newlyOpened());
    if (bounds.breakerTurned()) this.#home.breakerTurned(this.mirror!, this.failure);
    version.add(VersionField.bytesSent, this.#call.figures.requestBytes);
    version.add(VersionField.bytesReceived, this.#call.figures.responseBytes);
  }

  /**
   * `#settle` pairs the outcomes when both are known, and returns the copy to the receiver when nothing
   * refers to it and no further frame can arrive.
   */
  #settle(): void {
    const all = Phase.OVER | Phase.PRIMARY_KNOWN | Phase.REQUEST_COMPLETE;
    if ((this.#phase & (all | Phase.SETTLED)) !== all) return;
    this.#phase |= Phase.SETTLED;
    const isPaired = (this.#phase & Phase.UNPAIRED) === 0;
    if (isPaired) this.#pair();
    if (this.#grpc !== null && this.wasStarted) this.#countMethod(this.#grpc, isPaired);
    this.#home.settled(this);
  }

  /** Methods are those that the primary has, so that one that the shadow lacks is counted by its name. */
  #countMethod(grpc: GrpcCall, isPaired: boolean): void {
    const { grpcMethods } = this.mirror!.version;
    const { target } = this.request;
    const { endUs, sentUs } = this.#call.figures;
    const hasMethod = isPaired ? (this.#primary.seen & Seen.GRPC_METHOD) !== 0 : grpc.hasMethod;
    if (this.failure >= 0) grpcMethods.failed(target);
    else grpcMethods.answered(target, grpc, hasMethod, endUs - sentUs);
  }

  #pair(): void {
    const { counters } = this.mirror!;
    const whole = this.wasStarted && this.failure < 0 && this.#primary.failure < 0;
    const primaryEnd = endOf(this.#primary.failure, this.#primary.status);
    const shadowEnd = endOf(this.failure, this.#judged);
    const wasSent = (this.#phase & Phase.SENT) !== 0;
    let differs = 0;
    let shadowUs = 0;
    if (wasSent) counters.pairEnded(primaryEnd, shadowEnd);
    if (whole) {
      const call = this.#call;
      differs = this.#differs();
      shadowUs = call.figures.endUs - call.figures.sentUs;
      this.differs = differs;
      this.deltaUs = shadowUs - this.#primary.latencyUs;
      const isOk = primaryEnd === End.OK && shadowEnd === End.OK;
      counters.pairMeasured(this.#primary.latencyUs, shadowUs, differs, isOk);
    } else if (wasSent) {
      counters.add(MirrorField.notComparable);
    }
    const outcome = pairOutcome(primaryEnd, shadowEnd);
    if (wasSent && outcome >= 0) {
      endpointPair.outcome = outcome;
      endpointPair.differs = differs;
      endpointPair.primaryUs = this.#primary.latencyUs;
      endpointPair.shadowUs = shadowUs;
      const method = this.#grpc === null ? this.request.method : GRPC_METHOD;
      this.#home.countByEndpoint(this.mirror!, method, this.#target, endpointPair);
    }
    if (this.#capture !== null) this.#home.examine(this.mirror!, this.#capture, whole ? this.#primary : null);
    this.#capture = null;
  }

  /**
   * `#differs` returns `Differs` bits. Checksums are compared only if both sides made them: the plan may have
   * changed between them.
   */
  #differs(): number {
    const primary = this.#primary;
    const { digest, headers } = this.mirror!.plan.compare;
    let differs = 0;
    if (this.#judged !== primary.status || this.grpcStatus !== primary.grpcStatus) differs |= Differs.STATUS;
    if (this.#call.figures.responseBytes !== primary.responseBytes) differs |= Differs.SIZE;
    if (digest && (primary.seen & Seen.BODY_DIGEST) !== 0 && this.#bodyDigest !== primary.bodyDigest) {
      differs |= Differs.BODY;
    }
    if (
      headers.length > 0 &&
      (primary.seen & Seen.FIELDS_DIGEST) !== 0 &&
      this.#fieldsDigest !== primary.fieldsDigest
    ) {
      differs |= Differs.HEADER;
    }
    return differs;
  }

  /** Envoy's response flag, for the access log. */
  get flag(): string {
    return this.failure < 0 ? '' : failures[this.failure as Failure].flag;
  }
}

/** `isClients` returns true when the client caused the failure; -1 is no failure. */
function isClients(failure: number): boolean {
  return failure >= 0 && blameOfFailure(failure as Failure) === 'client';
}
