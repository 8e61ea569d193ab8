/**
 * The sink thread's end of its rings: takes frames, gathers copies and puts each whole one into its sink. Every HEAD is
 * accounted for, as on a shadow thread.
 */
import type { Clock } from '../clock.js';
import { Drop, type Failure } from '../errors.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { allExchanges, FrameFlag, MirroredHead, Numbers, Outcome } from '../mirror/codec.js';
import { PlansInForce } from '../mirror/plans-in-force.js';
import { Unexamined } from '../record/mirror-counters.js';
import { FrameType } from '../ring/frame.js';
import type { FrameHandler, RingReader } from '../ring/reader.js';
import { Gathered } from './gathered.js';
import { none, reasonOr } from './sink.js';
import type { SinkMirror, SinkRuntime } from './sink-mirror.js';

/** One proxy thread's ring and the copies that its frames may name. */
class Source implements FrameHandler {
  readonly reader: RingReader;
  readonly open = new Map<number, Gathered>();
  readonly #receiver: SinkReceiver;
  #numbers: Numbers | null = null;

  constructor(reader: RingReader, receiver: SinkReceiver) {
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
    if (type === FrameType.HEAD) {
      this.#receiver.admit(this.open, exchangeId, slot, generation, flags, bytes, this.#numbers, start);
      return;
    }
    if (type === FrameType.ABORT && exchangeId === allExchanges) {
      this.#abandon(flags as Failure);
      return;
    }
    const gathered = this.open.get(exchangeId);
    if (gathered === undefined) return;
    switch (type) {
      case FrameType.BODY:
        gathered.addBody(bytes.subarray(start, end));
        if ((flags & FrameFlag.LAST) !== 0) gathered.complete();
        break;
      case FrameType.END:
        gathered.complete();
        break;
      case FrameType.TRAILERS:
        gathered.trailers = latin1Slice(bytes, start, end);
        break;
      case FrameType.ABORT:
        gathered.abort(flags as Failure);
        break;
      case FrameType.RESPONSE_HEAD:
        gathered.addResponseHead(latin1Slice(bytes, start, end));
        break;
      case FrameType.RESPONSE_BODY:
        gathered.addResponseBody(bytes.subarray(start, end));
        break;
      case FrameType.OUTCOME:
        this.#receiver.outcome.read(this.#numbers, start);
        gathered.primaryKnown(this.#receiver.outcome);
        break;
    }
    if (gathered.over || gathered.isPut) this.open.delete(exchangeId);
  }

  /** The proxy thread behind the ring was replaced: nothing more comes for what is open. */
  #abandon(reason: Failure): void {
    const open = [...this.open.values()];
    this.open.clear();
    for (const gathered of open) {
      gathered.abort(reason);
      gathered.primaryKnown(null);
    }
  }
}

export class SinkReceiver {
  readonly outcome = new Outcome();
  readonly #clock: Clock;
  readonly #sources: Source[];
  readonly #head = new MirroredHead();
  /** Gathered or in a sink; a drain ends when it is empty. */
  readonly #underWay = new Set<Gathered>();
  readonly #onOver = (gathered: Gathered) => this.#underWay.delete(gathered);
  readonly #plans = new PlansInForce<SinkMirror>();
  #draining = false;

  constructor(readers: readonly RingReader[], clock: Clock) {
    this.#sources = readers.map((reader) => new Source(reader, this));
    this.#clock = clock;
  }

  use(runtime: SinkRuntime): void {
    this.#plans.use(runtime);
  }

  retire(belowGeneration: number): void {
    this.#plans.retire(belowGeneration);
  }

  /** Takes at most so many frames from each ring; how many it took. */
  drain(framesMax: number): number {
    let count = 0;
    for (const source of this.#sources) count += source.reader.drain(source, framesMax);
    if (count === 0) this.#plans.ringsAreEmpty();
    return count;
  }

  isEmpty(): boolean {
    return this.#sources.every(({ reader }) => reader.isEmpty());
  }

  /** Copies are open whose primary may still be heard of, which rings no bell. */
  get awaitsOutcomes(): boolean {
    return this.#sources.some(({ open }) => open.size > 0);
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** Requests whose HEAD comes from now on are dropped as `draining`. */
  refuseNew(): void {
    this.#draining = true;
  }

  /** Drops what its sinks do not have yet. */
  giveUpGathering(): void {
    for (const gathered of [...this.#underWay]) gathered.drop(Drop.DRAINING);
  }

  admit(
    open: Map<number, Gathered>,
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
    const { counters } = mirror;
    counters.received();
    const captures = (flags & FrameFlag.CAPTURE) !== 0;
    const refused = this.#whyRefused(mirror, open.size);
    if (refused !== none) {
      counters.dropped(refused);
      if (captures) counters.unexamined(Unexamined.NO_PAIR);
      return;
    }
    this.#head.read(bytes, numbers, start);
    const waits = (flags & FrameFlag.UNPAIRED) === 0;
    const gathered = new Gathered(mirror, this.#head, waits, captures, this.#clock, this.#onOver);
    this.#underWay.add(gathered);
    if ((flags & FrameFlag.LAST) !== 0) gathered.complete();
    if (!gathered.over && !gathered.isPut) open.set(exchangeId, gathered);
  }

  #whyRefused({ bounds, sink }: SinkMirror, openCount: number): Drop | typeof none {
    if (this.#draining) return Drop.DRAINING;
    if (bounds.full || openCount >= limits.openMirroredExchanges)
      return reasonOr(Drop.IN_FLIGHT, sink.stalled());
    if (bounds.exceedsMemory(0)) return reasonOr(Drop.MEMORY, sink.stalled());
    const refused = sink.refuses();
    if (refused !== none) return refused;
    return bounds.takeRate(this.#clock()) ? none : Drop.RATE;
  }
}
