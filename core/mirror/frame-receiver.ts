/**
 * The consumer's end of the rings of all proxy threads, for shadow threads and the sink thread. It reads
 * frames, keeps the copies that may receive more frames, and delivers each frame to its copy. Admission is
 * decided when a HEAD arrives, and every HEAD is counted.
 */
import type { Clock } from '../clock.js';
import { Drop, type Failure, none } from '../errors.js';
import { latin1Slice } from '../http/wire.js';
import { type MirrorCounters, Unexamined } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import type { FrameHandler, ReadFrame, RingReader } from '../ring/reader.js';
import { allExchanges, FrameFlag, MirroredHead, Numbers, Outcome, offeredUs } from './codec.js';
import { type PlanInForce, PlansInForce } from './plans-in-force.js';

/**
 * One copy, as driven by the frames of its ring. Payloads are views of the ring and are valid during the call
 * only.
 */
export interface FramedCopy {
  /**
   * A further frame may belong to this copy. It is read after each frame; while it is true the copy is not
   * reused.
   */
  readonly expectsFrames: boolean;
  /** `piece` is the next piece of the request's body. The last one may be empty. */
  onBody(piece: Uint8Array, last: boolean): void;
  onTrailers(lines: string): void;
  /** The rest of the request will not arrive. Ignored when the request is complete. */
  onAbort(reason: Failure): void;
  /** A part of the primary's captured response: `FrameType.RESPONSE_HEAD`, `…_BODY` or `…_TRAILERS`. */
  onPrimaryResponse(type: number, bytes: Buffer): void;
  /**
   * `outcome` is the outcome of the primary's exchange, valid during the call. It is null when it will never
   * be known.
   */
  onOutcome(outcome: Outcome | null): void;
}

/** The ring of one proxy thread, and the copies that its frames may name. */
class Source<M extends { readonly counters: MirrorCounters }, C extends FramedCopy> implements FrameHandler {
  readonly reader: RingReader;
  /** Copies by exchange id. */
  readonly open = new Map<number, C>();
  /** All HEADs that were offered up to this time were read, in microseconds of core/clock. */
  readUpToUs = 0;
  readonly #receiver: FrameReceiver<M, C>;
  readonly #outcome = new Outcome();
  #numbers: Numbers | null = null;

  constructor(reader: RingReader, receiver: FrameReceiver<M, C>) {
    this.reader = reader;
    this.#receiver = receiver;
  }

  onFrame({ type, flags, slot, exchangeId, generation, bytes, start, end }: ReadFrame): void {
    this.#numbers ??= new Numbers(bytes);
    if (type === FrameType.HEAD) {
      this.readUpToUs = offeredUs(this.#numbers, start);
      const mirror = this.#receiver.admit(slot, generation, flags, this.open.size);
      const isTraced = (flags & FrameFlag.TRACED) !== 0;
      if (mirror === null && !isTraced) return;
      this.#receiver.head.read(bytes, this.#numbers, start);
      if (mirror === null) {
        this.#receiver.traceRefused(slot, generation);
        return;
      }
      const copy = this.#receiver.begin(mirror, generation, exchangeId, flags);
      if (copy?.expectsFrames) this.open.set(exchangeId, copy);
      return;
    }
    if (type === FrameType.ABORT && exchangeId === allExchanges) {
      this.#abandon(flags as Failure);
      return;
    }
    const copy = this.open.get(exchangeId);
    if (copy === undefined) return;
    switch (type) {
      case FrameType.BODY:
        copy.onBody(bytes.subarray(start, end), (flags & FrameFlag.LAST) !== 0);
        break;
      case FrameType.END:
        copy.onBody(bytes.subarray(start, start), true);
        break;
      case FrameType.TRAILERS:
        copy.onTrailers(latin1Slice(bytes, start, end));
        break;
      case FrameType.ABORT:
        copy.onAbort(flags as Failure);
        break;
      case FrameType.RESPONSE_HEAD:
      case FrameType.RESPONSE_BODY:
      case FrameType.RESPONSE_TRAILERS:
        copy.onPrimaryResponse(type, bytes.subarray(start, end));
        break;
      case FrameType.OUTCOME:
        this.#outcome.read(this.#numbers, start);
        copy.onOutcome(this.#outcome);
        break;
    }
    if (!copy.expectsFrames) this.open.delete(exchangeId);
  }

  /** The proxy thread behind the ring was replaced: open copies receive no further frames. */
  #abandon(reason: Failure): void {
    const open = [...this.open.values()];
    this.open.clear();
    for (const copy of open) {
      copy.onAbort(reason);
      copy.onOutcome(null);
    }
  }
}

export abstract class FrameReceiver<M extends { readonly counters: MirrorCounters }, C extends FramedCopy> {
  /** Scratch object for the HEAD that is being admitted. */
  readonly head = new MirroredHead();
  protected readonly plans = new PlansInForce<M>();
  readonly clock: Clock;
  readonly #sources: Source<M, C>[];
  #draining = false;
  #lastDrop: Drop = Drop.DRAINING;

  constructor(readers: readonly RingReader[], clock: Clock) {
    this.clock = clock;
    this.#sources = readers.map((reader) => new Source<M, C>(reader, this));
  }

  /** Copies that have not ended; a drain is complete when there are none. */
  abstract readonly inFlight: number;

  /**
   * `whyRefused` returns why a copy to `mirror` can't be admitted now, or `none`. `openCount` is the number
   * of copies of the same ring that still expect frames.
   */
  protected abstract whyRefused(mirror: M, openCount: number): Drop | typeof none;

  /**
   * `begin` begins the copy whose HEAD is in `head`; `flags` are `FrameFlag`s. It returns null if it dropped
   * the copy with `drop`.
   */
  abstract begin(mirror: M, generation: number, exchangeId: number, flags: number): C | null;

  /** `traceDropped` is called for a traced copy, whose head is in `head`, that was received and dropped. */
  protected traceDropped(_slot: number, _generation: number, _reason: Drop): void {}

  /** Called by a source, whose head is read by then. */
  traceRefused(slot: number, generation: number): void {
    this.traceDropped(slot, generation, this.#lastDrop);
  }

  /** `onRead` is called at the end of each `drain`. All HEADs that were offered up to `upToUs` were read. */
  protected onRead(_upToUs: number): void {}

  /** `drop` counts a copy that was received and is not begun. */
  protected drop({ counters }: M, reason: Drop, flags: number): void {
    counters.dropped(reason);
    this.#lastDrop = reason;
    if ((flags & FrameFlag.CAPTURE) !== 0) counters.unexamined(Unexamined.NO_PAIR);
  }

  /**
   * `use` applies a new plan. HEADs of earlier plans are still served by the plan that they were offered
   * under.
   */
  use(plan: PlanInForce<M>): void {
    this.plans.use(plan);
  }

  /** `retire` releases plans below this generation once the rings are seen empty. */
  retire(belowGeneration: number): void {
    this.plans.retire(belowGeneration);
  }

  /** `drain` reads at most `framesMax` frames from each ring and returns their number. */
  drain(framesMax: number): number {
    let count = 0;
    let readUpToUs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i];
      const beforeUs = this.clock();
      const taken = source.reader.drain(source, framesMax);
      // Fewer than `framesMax` frames: the ring was read to its end at `beforeUs` or later.
      if (taken < framesMax) source.readUpToUs = beforeUs;
      readUpToUs = Math.min(readUpToUs, source.readUpToUs);
      count += taken;
    }
    this.onRead(readUpToUs);
    if (count === 0) this.plans.ringsAreEmpty();
    return count;
  }

  isEmpty(): boolean {
    for (let i = 0; i < this.#sources.length; i++) if (!this.#sources[i].reader.isEmpty()) return false;
    return true;
  }

  /** Copies are open whose primary's outcome may still arrive. An outcome does not ring the doorbell. */
  get awaitsOutcomes(): boolean {
    for (let i = 0; i < this.#sources.length; i++) if (this.#sources[i].open.size > 0) return true;
    return false;
  }

  /** `refuseNew` drops requests whose HEAD arrives from now on, with the reason `draining`. */
  refuseNew(): void {
    this.#draining = true;
  }

  /**
   * `admit` decides whether the copy of a HEAD frame is admitted, and counts it. It returns null when the
   * copy is dropped.
   */
  admit(slot: number, generation: number, flags: number, openCount: number): M | null {
    const mirror = this.plans.mirrorOf(slot, generation);
    if (mirror === undefined) {
      this.plans.countUnserved(slot);
      this.#lastDrop = Drop.DRAINING;
      return null;
    }
    mirror.counters.received();
    const refused = this.#draining ? Drop.DRAINING : this.whyRefused(mirror, openCount);
    if (refused === none) return mirror;
    this.drop(mirror, refused, flags);
    return null;
  }
}
