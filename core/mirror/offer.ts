/**
 * Offers one exchange to the mirrors of its route. All checks are made at once, in this order: the sample (a
 * chosen request is eligible and accounted for), not a copy itself, method, body size, held back by the
 * guard, room in the ring.
 */

import { digestFields } from '../compare/digest.js';
import { Drop, Failure } from '../errors.js';
import { Framing, type RequestHead } from '../http/message.js';
import type { ResponseHead } from '../http/response-head.js';
import { headText } from '../http/response-text.js';
import type { MirrorPlan } from '../plan.js';
import { type MirrorCounters, MirrorField } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import type { Sampler } from '../route/sampler.js';
import { type CopySource, FrameFlag, type Outcome, Seen } from './codec.js';
import type { FullSlots } from './full-slots.js';
import type { HeldBack } from './held-back.js';
import { isCopy } from './loop-mark.js';
import { type ClientIdentity, noOrder, OrderKey } from './order-key.js';
import { accepted, type MirrorPort } from './port.js';

/** Ids stay small integers for V8 and below `allExchanges`. Far fewer exchanges are ever open at once. */
const exchangeIdMask = 0x3fff_ffff;

/** One mirror as a proxy thread runs it. */
export class Mirror {
  readonly plan: MirrorPlan;
  readonly counters: MirrorCounters;
  /**
   * The mirror that sends the baseline's copy of what this mirror samples for structural comparison; null for
   * none.
   */
  readonly baseline: Mirror | null;
  /** The copies are kept by a sink, not sent to a shadow. */
  readonly toSink: boolean;
  /** The primary's response is read: for checksums, or because it may be captured. */
  readonly watchesResponses: boolean;
  /** Null: the copies are not ordered. */
  readonly orderKey: OrderKey | null;

  constructor(plan: MirrorPlan, counters: MirrorCounters, baseline: Mirror | null = null) {
    this.plan = plan;
    this.toSink = plan.sink !== null;
    this.counters = counters;
    this.baseline = baseline;
    this.orderKey = plan.order === null ? null : new OrderKey(plan.order);
    const { capture, compare } = plan;
    this.watchesResponses =
      compare.digest || compare.headers.length > 0 || (capture !== null && capture.shareMillionths > 0);
  }
}

/** How much of the primary's response is captured, as bits of the OUTCOME. */
const Capture = {
  /** Not captured, or there was no room. */
  OFF: 0,
  ON: Seen.CAPTURED,
  TRUNCATED: Seen.CAPTURED | Seen.TRUNCATED,
} as const;
type Capture = (typeof Capture)[keyof typeof Capture];

/** The copy of one exchange to one mirror during the request. It is reused with its exchange. */
export class MirrorCopy {
  mirror: Mirror | null = null;
  port: MirrorPort | null = null;
  exchangeId = 0;
  bodyBytes = 0;
  /** The copy still accepts frames of the request. */
  open = false;
  /** The checksum of fields of the primary's response, if the mirror compares them. */
  fieldsDigest = 0;
  #capture: Capture = Capture.OFF;
  #capturedBytes = 0;

  begin(mirror: Mirror, port: MirrorPort, exchangeId: number, open: boolean, captures: boolean): void {
    this.mirror = mirror;
    this.port = port;
    this.exchangeId = exchangeId;
    this.bodyBytes = 0;
    this.open = open;
    this.fieldsDigest = 0;
    this.#capture = captures ? Capture.ON : Capture.OFF;
    this.#capturedBytes = 0;
  }

  /** The next piece of the request's body. */
  body(piece: Uint8Array, last: boolean): void {
    if (!this.open) return;
    const plan = this.mirror!.plan;
    this.bodyBytes += piece.byteLength;
    if (this.bodyBytes > plan.bodyBytesMax) {
      this.abort(Failure.BODY_TOO_LARGE);
      return;
    }
    const refused = this.port!.offerBody(plan.slot, this.exchangeId, piece, last);
    if (refused !== accepted) this.abort(refused);
    else if (last) this.open = false;
  }

  /** The trailers of the request's body. Its last piece follows. */
  trailers(lines: string): void {
    if (!this.open) return;
    const refused = this.port!.offerTrailers(this.mirror!.plan.slot, this.exchangeId, lines);
    if (refused !== accepted) this.abort(refused);
  }

  /** The request will not be completed. Ignored when the copy's request is complete. */
  abort(reason: Failure): void {
    if (!this.open) return;
    this.open = false;
    this.port!.abort(this.exchangeId, reason);
  }

  /** The head of the primary's response has arrived. */
  responseHead(head: ResponseHead): void {
    const { headers } = this.mirror!.plan.compare;
    if (headers.length > 0) this.fieldsDigest = digestFields(head, headers);
    if (this.#capture === Capture.ON) this.#captured(FrameType.RESPONSE_HEAD, headText(head));
  }

  /** The next piece of the response's body. */
  responseBody(bytes: Uint8Array): void {
    if (this.#capture !== Capture.ON) return;
    const room = this.mirror!.plan.capture!.bodyBytesMax - this.#capturedBytes;
    const piece = bytes.byteLength <= room ? bytes : bytes.subarray(0, room);
    this.#capturedBytes += piece.byteLength;
    if (this.#captured(FrameType.RESPONSE_BODY, piece) && bytes.byteLength > room)
      this.#capture = Capture.TRUNCATED;
  }

  /** The trailers of the response. They are captured even if the body is longer than its bound. */
  responseTrailers(lines: string): void {
    if (this.#capture === Capture.OFF) return;
    this.#captured(FrameType.RESPONSE_TRAILERS, Buffer.from(lines, 'latin1'));
  }

  /**
   * `outcome` is the same object for all copies of an exchange, except for the fields that this copy sets.
   */
  outcome(outcome: Outcome): void {
    const { compare } = this.mirror!.plan;
    if (!compare.pairs) return;
    outcome.fieldsDigest = this.fieldsDigest;
    outcome.seen =
      (compare.digest ? Seen.BODY_DIGEST : 0) |
      (compare.headers.length > 0 ? Seen.FIELDS_DIGEST : 0) |
      (outcome.hasGrpcMethod ? Seen.GRPC_METHOD : 0) |
      this.#capture;
    this.port!.outcome(this.exchangeId, outcome);
  }

  #captured(type: number, bytes: Uint8Array): boolean {
    const taken = this.port!.offerResponse(type, this.exchangeId, bytes);
    if (!taken) this.#capture = Capture.OFF;
    return taken;
  }
}

export class MirrorOffer {
  readonly #ports: readonly MirrorPort[];
  /** Indexed like `#ports`. */
  readonly #fullSlots: readonly FullSlots[];
  readonly #shadowThreads: number;
  readonly #heldBack: HeldBack;
  #sampler: Sampler;
  #lastId = 0;
  #turn = 0;

  /**
   * `ports` has one port for each of the `shadowThreads` shadow threads, followed by that of the sink thread.
   * `fullSlots` has the block of the thread behind each port.
   */
  constructor(
    ports: readonly MirrorPort[],
    fullSlots: readonly FullSlots[],
    sampler: Sampler,
    heldBack: HeldBack,
    shadowThreads: number = ports.length,
  ) {
    this.#ports = ports;
    this.#fullSlots = fullSlots;
    this.#shadowThreads = shadowThreads;
    this.#heldBack = heldBack;
    this.#sampler = sampler;
  }

  /** `sampleWith` sets the sampler of later requests. */
  sampleWith(sampler: Sampler): void {
    this.#sampler = sampler;
  }

  /**
   * `offer` offers the request to each mirror, fills `copies` with those that accepted it, and returns their
   * number. `head` is read before it returns, and `original` was filled from it. `forwarded` is the request
   * as the primary gets it; it is `original` where both are equal or no mirror needs it.
   */
  offer(
    mirrors: readonly Mirror[],
    head: RequestHead,
    original: CopySource,
    forwarded: CopySource,
    client: ClientIdentity,
    copies: MirrorCopy[],
  ): number {
    let count = 0;
    // Round robin over the shadow threads, so that each sees an equal part of every mirror: rate and
    // in-flight bounds are divided among them. Ordered copies go to the thread of their key instead.
    const turn = this.#turn++ % this.#shadowThreads;
    const last = head.framing === Framing.NONE ? FrameFlag.LAST : 0;
    const logged = original.logged ? FrameFlag.LOGGED : 0;
    const flags = last | logged | (original.trace === null ? 0 : FrameFlag.TRACED);
    for (let i = 0; i < mirrors.length; i++) {
      const mirror = mirrors[i];
      const plan = mirror.plan;
      if (!this.#sampler.chosen(plan, head, client)) continue;
      mirror.counters.eligible();
      const unfit = whyUnfit(plan, head);
      if (unfit !== accepted) {
        dropCopy(mirror, unfit, original);
        continue;
      }
      const heldBack = this.#heldBack.of(plan.slot);
      if (heldBack > 0 && !this.#sampler.stays(plan, heldBack, head, client)) {
        dropCopy(mirror, Drop.GUARD, original);
        continue;
      }
      const captures = plan.capture !== null && this.#sampler.happens(plan.capture.shareMillionths);
      const copyFlags = captures ? flags | FrameFlag.CAPTURE : flags;
      const source = plan.of === 'forwarded' ? forwarded : original;
      const orderKey = mirror.orderKey === null ? noOrder : mirror.orderKey.of(head, client);
      source.orderKey = orderKey;
      const shadow = orderKey === noOrder ? turn : orderKey % this.#shadowThreads;
      const to = mirror.toSink ? this.#shadowThreads : shadow;
      if (!this.#offerTo(mirror, to, source, copyFlags, copies, count)) continue;
      count++;
      if (!captures || mirror.baseline === null) continue;
      const { baseline } = mirror;
      baseline.counters.eligible();
      const baselineSource = baseline.plan.of === 'forwarded' ? forwarded : original;
      baselineSource.orderKey = orderKey;
      const unfitBaseline = whyUnfit(baseline.plan, head);
      if (unfitBaseline !== accepted) baseline.counters.dropped(unfitBaseline);
      else if (this.#offerTo(baseline, shadow, baselineSource, copyFlags, copies, count)) count++;
    }
    return count;
  }

  #offerTo(
    mirror: Mirror,
    shadow: number,
    source: CopySource,
    flags: number,
    copies: MirrorCopy[],
    at: number,
  ): boolean {
    const { plan, counters } = mirror;
    if (this.#fullSlots[shadow].has(plan.slot)) {
      dropCopy(mirror, Drop.IN_FLIGHT, source);
      return false;
    }
    const port = this.#ports[shadow];
    const exchangeId = this.#nextId();
    const headFlags = plan.compare.pairs ? flags : flags | FrameFlag.UNPAIRED;
    const refused = port.offerHead(plan.slot, exchangeId, source, headFlags, counters);
    if (refused !== accepted) {
      dropCopy(mirror, refused, source);
      return false;
    }
    const captures = (flags & FrameFlag.CAPTURE) !== 0;
    if (captures) counters.add(MirrorField.sampled);
    if (at === copies.length) copies.push(new MirrorCopy());
    copies[at].begin(mirror, port, exchangeId, (flags & FrameFlag.LAST) === 0, captures);
    return true;
  }

  #nextId(): number {
    this.#lastId = (this.#lastId + 1) & exchangeIdMask;
    return this.#lastId;
  }
}

/** `dropCopy` counts a copy that is not sent, and notes it in the trace of its request. */
function dropCopy({ plan, counters }: Mirror, reason: Drop, { trace }: CopySource): void {
  counters.dropped(reason);
  trace?.drops.push([plan.slot, reason]);
}

function whyUnfit(plan: MirrorPlan, head: RequestHead): Drop | typeof accepted {
  if (isCopy(head.fields)) return Drop.LOOP;
  if (head.upgrade !== '') return Drop.UPGRADE;
  if (plan.methods !== null && !plan.methods.includes(head.method)) return Drop.METHOD;
  if (head.framing === Framing.LENGTH && head.contentLength > plan.bodyBytesMax) return Drop.BODY_TOO_LARGE;
  return accepted;
}
