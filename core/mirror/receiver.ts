/**
 * The shadow thread's end of its rings: takes frames and keeps, for each proxy thread, the mirrored requests
 * whose frames may still come. Admission is decided when a HEAD arrives, and every HEAD is accounted for.
 */
import type { Clock } from '../clock.js';
import { CaptureBudget, PairCapture } from '../compare/capture.js';
import type { PairPort } from '../compare/pair-port.js';
import { Drop, type Failure } from '../errors.js';
import { fieldValue } from '../http/fields.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import type { AccessLogPort } from '../record/access-log.js';
import { Unexamined } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import type { FrameHandler, RingReader } from '../ring/reader.js';
import { allExchanges, FrameFlag, MirroredHead, Numbers, Outcome, Seen } from './codec.js';
import { PlansInForce } from './plans-in-force.js';
import { ShadowRequest } from './shadow-request.js';
import type { ShadowMirror, ShadowRuntime } from './shadow-runtime.js';

/** One proxy thread's ring and the exchanges that its frames may name. */
class Source implements FrameHandler {
  readonly reader: RingReader;
  readonly open = new Map<number, ShadowRequest>();
  readonly #receiver: MirrorReceiver;
  #numbers: Numbers | null = null;

  constructor(reader: RingReader, receiver: MirrorReceiver) {
    this.reader = reader;
    this.#receiver = receiver;
  }

  onFrame(
    type: number,
    flags: number,
    slot: number,
    exchangeId: number,
    generation: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    this.#numbers ??= new Numbers(bytes);
    switch (type) {
      case FrameType.HEAD:
        this.#receiver.admit(this.open, exchangeId, slot, generation, flags, bytes, this.#numbers, start);
        return;
      case FrameType.BODY:
        this.#body(exchangeId, bytes.subarray(start, end), (flags & FrameFlag.LAST) !== 0);
        return;
      case FrameType.END:
        this.#body(exchangeId, bytes.subarray(start, start), true);
        return;
      case FrameType.TRAILERS:
        this.open.get(exchangeId)?.trailers(latin1Slice(bytes, start, end));
        return;
      case FrameType.ABORT:
        if (exchangeId === allExchanges) this.#abandon(flags as Failure);
        else this.#abort(exchangeId, flags as Failure);
        return;
      case FrameType.RESPONSE_HEAD:
      case FrameType.RESPONSE_BODY:
        this.open.get(exchangeId)?.primaryResponse(type, bytes.subarray(start, end));
        return;
      case FrameType.OUTCOME: {
        const mirrored = this.open.get(exchangeId);
        if (mirrored === undefined) return;
        this.open.delete(exchangeId);
        const outcome = this.#receiver.outcome;
        outcome.read(this.#numbers, start);
        mirrored.primary(outcome);
        return;
      }
    }
  }

  #body(exchangeId: number, piece: Uint8Array, last: boolean): void {
    const mirrored = this.open.get(exchangeId);
    if (mirrored === undefined) return;
    // Before the piece is told: what is over with it goes back to the spares and may be begun anew.
    if (last && mirrored.endsWithRequest) this.open.delete(exchangeId);
    mirrored.body(piece, last);
  }

  #abort(exchangeId: number, reason: Failure): void {
    const mirrored = this.open.get(exchangeId);
    if (mirrored === undefined) return;
    if (mirrored.endsWithRequest) this.open.delete(exchangeId);
    mirrored.abort(reason);
  }

  /** The proxy thread behind the ring was replaced: nothing more comes for what is open. */
  #abandon(reason: Failure): void {
    const open = [...this.open.values()];
    this.open.clear();
    for (const mirrored of open) {
      mirrored.abort(reason);
      mirrored.primaryKnown();
    }
  }
}

export class MirrorReceiver {
  readonly clock: Clock;
  readonly log: AccessLogPort;
  readonly outcome = new Outcome();
  readonly #sources: Source[];
  readonly #head = new MirroredHead();
  readonly #spare: ShadowRequest[] = [];
  /** What the upstream client works on now; a drain ends when it is empty. */
  readonly #underWay = new Set<ShadowRequest>();
  readonly #plans = new PlansInForce<ShadowMirror>();
  readonly #captures = new CaptureBudget(limits.capturedBytes);
  readonly #pairs: PairPort;
  #draining = false;

  constructor(readers: readonly RingReader[], pairs: PairPort, log: AccessLogPort, clock: Clock) {
    this.#pairs = pairs;
    this.#sources = readers.map((reader) => new Source(reader, this));
    this.log = log;
    this.clock = clock;
  }

  use(runtime: ShadowRuntime): void {
    this.#plans.use(runtime);
  }

  retire(belowGeneration: number): void {
    this.#plans.retire(belowGeneration);
  }

  /** Takes at most `framesMax` frames from each ring; returns how many came. */
  drain(framesMax: number): number {
    let count = 0;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i];
      count += source.reader.drain(source, framesMax);
    }
    if (count === 0) this.#plans.ringsAreEmpty();
    return count;
  }

  isEmpty(): boolean {
    for (let i = 0; i < this.#sources.length; i++) if (!this.#sources[i].reader.isEmpty()) return false;
    return true;
  }

  /** Exchanges are open whose primary may still be heard of. */
  get awaitsOutcomes(): boolean {
    for (let i = 0; i < this.#sources.length; i++) if (this.#sources[i].open.size > 0) return true;
    return false;
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** Requests whose HEAD comes from now on are dropped as `draining`. */
  refuseNew(): void {
    this.#draining = true;
  }

  /** Gives up everything that is under way. */
  giveUpAll(reason: Failure): void {
    for (const mirrored of [...this.#underWay]) mirrored.giveUp(reason);
  }

  admit(
    open: Map<number, ShadowRequest>,
    exchangeId: number,
    slot: number,
    generation: number,
    flags: number,
    bytes: Buffer,
    numbers: Numbers,
    start: number,
  ): void {
    const mirror = this.#plans.mirrorOf(slot, generation);
    if (mirror === undefined) {
      this.#plans.countUnserved(slot);
      return;
    }
    mirror.counters.received();
    const refused = this.#whyRefused(mirror, open.size);
    if (refused >= 0) {
      mirror.counters.dropped(refused as Drop);
      if ((flags & FrameFlag.CAPTURE) !== 0) mirror.counters.unexamined(Unexamined.NO_PAIR);
      return;
    }
    this.#head.read(bytes, numbers, start);
    const mirrored = this.#spare.pop() ?? new ShadowRequest(this);
    mirror.bounds.begun();
    this.#underWay.add(mirrored);
    const ended = FrameFlag.UNPAIRED | FrameFlag.LAST;
    if ((flags & ended) !== ended) open.set(exchangeId, mirrored);
    const capture =
      (flags & FrameFlag.CAPTURE) === 0 ? null : this.#captureOf(mirror, generation, exchangeId);
    mirrored.begin(mirror, this.#head, flags, capture);
  }

  /**
   * Both outcomes of a captured pair are known; `primary` is null where one of the two is not a whole response. Hands
   * the pair to the analysts, or counts why not.
   */
  examine(mirror: ShadowMirror, capture: PairCapture, primary: Outcome | null): void {
    if (primary === null) mirror.counters.unexamined(Unexamined.NO_PAIR);
    else if ((primary.seen & Seen.CAPTURED) === 0) mirror.counters.unexamined(Unexamined.RING_FULL);
    else if (capture.lost) mirror.counters.unexamined(Unexamined.MEMORY);
    else {
      capture.primary.status = primary.status;
      capture.primary.truncated = (primary.seen & Seen.TRUNCATED) !== 0;
      const taken = this.#pairs.offer(mirror.plan.slot, this.#plans.newest.generation, capture);
      if (taken) mirror.counters.handedToAnalysts();
      else mirror.counters.unexamined(Unexamined.ANALYSTS_BUSY);
    }
    capture.release();
  }

  #captureOf(mirror: ShadowMirror, generation: number, exchangeId: number): PairCapture | null {
    const { structure } = mirror.plan.compare;
    if (structure === null) return null;
    const { method, target, fields } = this.#head;
    const id = fieldValue(fields, 'x-request-id') ?? `${generation}-${exchangeId}`;
    return new PairCapture(this.#captures, structure.bodyBytesMax, id, method, target);
  }

  ended(mirrored: ShadowRequest): void {
    this.#underWay.delete(mirrored);
    if (mirrored.logged) this.#logMirrored(mirrored);
  }

  settled(mirrored: ShadowRequest): void {
    this.#spare.push(mirrored);
  }

  #whyRefused(mirror: ShadowMirror, openCount: number): Drop | -1 {
    if (this.#draining) return Drop.DRAINING;
    if (mirror.bounds.breakerRefuses(this.clock())) return Drop.BREAKER_OPEN;
    if (mirror.pool.outOfService) return Drop.NO_ENDPOINT;
    if (mirror.bounds.full) return Drop.IN_FLIGHT;
    if (openCount >= limits.openMirroredExchanges) return Drop.IN_FLIGHT;
    if (mirror.bounds.exceedsMemory(0)) return Drop.MEMORY;
    if (!mirror.bounds.takeRate(this.clock())) return Drop.RATE;
    return -1;
  }

  #logMirrored(mirrored: ShadowRequest): void {
    const mirror = mirrored.mirror!;
    const call = mirrored.call;
    this.log.write({
      role: 'shadow',
      route: mirror.route,
      version: mirror.pool.plan.name,
      source: mirrored.source,
      status: mirrored.status,
      flag: mirrored.flag,
      durationUs: this.clock() - mirrored.offeredUs,
      upstreamUs: mirrored.failure < 0 ? call.endUs - call.sentUs : -1,
      requestBytes: call.requestBytes,
      responseBytes: call.responseBytes,
      upstream: call.endpoint?.logged ?? '',
    });
  }
}
