/**
 * The consumer's end of the rings from all proxy threads, for shadow threads and the sink thread alike. It
 * takes frames, keeps the copies whose frames may still come, and delivers each frame to its copy. Admission
 * is decided when a HEAD arrives, and every HEAD is counted.
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
 * One copy, as the frames of its ring drive it. Payloads are views of the ring and die when the call returns.
 */
export interface FramedCopy {
  /**
   * A further frame may concern this copy. Read after each frame; while it is true the copy is not reused.
   */
  readonly expectsFrames: boolean;
  /** `piece` is the next piece of the request's body, and may be empty where it is the last one. */
  onBody(piece: Uint8Array, last: boolean): void;
  onTrailers(lines: string): void;
  /** The rest of the request will not come. Does nothing where the request is complete. */
  onAbort(reason: Failure): void;
  /** A part of the primary's response, where it is captured: `FrameType.RESPONSE_HEAD` or `RESPONSE_BODY`. */
  onPrimaryResponse(type: number, bytes: Buffer): void;
  /**
   * `outcome` is what the primary's exchange came to, and valid during the call; null: it will never be
   * known.
   */
  onOutcome(outcome: Outcome | null): void;
}

/** One proxy thread's ring and the copies that its frames may name. */
class Source<M extends { readonly counters: MirrorCounters }, C extends FramedCopy> implements FrameHandler {
  readonly reader: RingReader;
  /** By exchange id. */
  readonly open = new Map<number, C>();
  /** Every HEAD that was offered up to this time, in microseconds of core/clock, was read. */
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
      if (mirror === null) return;
      this.#receiver.head.read(bytes, this.#numbers, start);
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
        copy.onPrimaryResponse(type, bytes.subarray(start, end));
        break;
      case FrameType.OUTCOME:
        this.#outcome.read(this.#numbers, start);
        copy.onOutcome(this.#outcome);
        break;
    }
    if (!copy.expectsFrames) this.open.delete(exchangeId);
  }

  /** The proxy thread behind the ring was replaced: nothing more comes for what is open. */
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
  /** Scratch: the HEAD that is being admitted. */
  readonly head = new MirroredHead();
  protected readonly plans = new PlansInForce<M>();
  readonly clock: Clock;
  readonly #sources: Source<M, C>[];
  #draining = false;

  constructor(readers: readonly RingReader[], clock: Clock) {
    this.clock = clock;
    this.#sources = readers.map((reader) => new Source<M, C>(reader, this));
  }

  /** Copies that are not over; a drain ends when there are none. */
  abstract readonly inFlight: number;

  /**
   * Why a copy to `mirror` can't be taken now. `openCount`: copies of the same ring that still expect frames.
   */
  protected abstract whyRefused(mirror: M, openCount: number): Drop | typeof none;

  /** Begins the copy whose HEAD is in `head`; `flags` are `FrameFlag`s. Null: it is dropped by `drop`. */
  abstract begin(mirror: M, generation: number, exchangeId: number, flags: number): C | null;

  /**
   * All rings were read up to this time: a HEAD that was offered by then was seen. Called at the end of each
   * `drain`.
   */
  protected onRead(_upToUs: number): void {}

  /** Counts a copy that was received and is not begun. */
  protected drop({ counters }: M, reason: Drop, flags: number): void {
    counters.dropped(reason);
    if ((flags & FrameFlag.CAPTURE) !== 0) counters.unexamined(Unexamined.NO_PAIR);
  }

  /** HEADs of this plan and of earlier ones are served by the plan that they were offered under. */
  use(plan: PlanInForce<M>): void {
    this.plans.use(plan);
  }

  /** Plans below this generation are released once the rings are seen empty. */
  retire(belowGeneration: number): void {
    this.plans.retire(belowGeneration);
  }

  /** Takes at most `framesMax` frames from each ring; returns how many came. */
  drain(framesMax: number): number {
    let count = 0;
    let readUpToUs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i];
      const beforeUs = this.clock();
      const taken = source.reader.drain(source, framesMax);
      // Fewer than the most: the ring was read to where it ended at `beforeUs` or later.
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

  /** Copies are open whose primary's outcome may still come, which rings no bell. */
  get awaitsOutcomes(): boolean {
    for (let i = 0; i < this.#sources.length; i++) if (this.#sources[i].open.size > 0) return true;
    return false;
  }

  /** Requests whose HEAD comes from now on are dropped as `draining`. */
  refuseNew(): void {
    this.#draining = true;
  }

  /** Decides whether the copy of a HEAD frame is taken, and counts it; null: it is dropped. */
  admit(slot: number, generation: number, flags: number, openCount: number): M | null {
    const mirror = this.plans.mirrorOf(slot, generation);
    if (mirror === undefined) {
      this.plans.countUnserved(slot);
      return null;
    }
    mirror.counters.received();
    const refused = this.#draining ? Drop.DRAINING : this.whyRefused(mirror, openCount);
    if (refused === none) return mirror;
    this.drop(mirror, refused, flags);
    return null;
  }
}
