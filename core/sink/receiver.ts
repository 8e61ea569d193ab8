/**
 * The sink thread's end of its rings: takes frames, gathers copies and puts each whole one into its sink. Every HEAD is
 * accounted for, as on a shadow thread.
 */
import type { Clock } from '../clock.js';
import { Drop, type Failure } from '../errors.js';
import { latin1Slice } from '../http/wire.js';
import { limits } from '../limits.js';
import { allExchanges, FrameFlag, MirroredHead, Numbers, Outcome } from '../mirror/codec.js';
import { Unexamined } from '../record/mirror-ledger.js';
import { FrameType } from '../ring/frame.js';
import type { FrameHandler, RingReader } from '../ring/reader.js';
import { Gathered } from './gathered.js';
import { none } from './sink.js';
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
  #runtimes: SinkRuntime[] = [];
  #retireBelow = 0;
  #draining = false;

  constructor(readers: readonly RingReader[], clock: Clock) {
    this.#sources = readers.map((reader) => new Source(reader, this));
    this.#clock = clock;
  }

  /** Frames of this generation on are served by `runtime`. */
  use(runtime: SinkRuntime): void {
    this.#runtimes.unshift(runtime);
  }

  /** Proxy threads offer nothing of older plans any more: once the rings are empty these can be forgotten. */
  retire(belowGeneration: number): void {
    this.#retireBelow = Math.max(this.#retireBelow, belowGeneration);
  }

  /** Takes at most so many frames from each ring; how many it took. */
  drain(framesMax: number): number {
    let count = 0;
    for (const source of this.#sources) count += source.reader.drain(source, framesMax);
    if (count === 0 && this.#retireBelow > 0) {
      const below = this.#retireBelow;
      this.#retireBelow = 0;
      this.#runtimes = this.#runtimes.filter(({ generation }) => generation >= below);
    }
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
    const mirror = this.#mirrorOf(slot, generation);
    if (mirror === undefined) {
      this.#countUnserved(slot);
      return;
    }
    const { ledger } = mirror;
    ledger.received();
    const captures = (flags & FrameFlag.CAPTURE) !== 0;
    const refused = this.#whyRefused(mirror, open.size);
    if (refused !== none) {
      ledger.dropped(refused);
      if (captures) ledger.unexamined(Unexamined.NO_PAIR);
      return;
    }
    this.#head.read(bytes, numbers, start);
    const gathered = new Gathered(mirror, this.#head, captures, this.#clock, this.#onOver);
    this.#underWay.add(gathered);
    if ((flags & FrameFlag.LAST) !== 0) gathered.complete();
    if (!gathered.over && !gathered.isPut) open.set(exchangeId, gathered);
  }

  /** By the plan that the frame was offered under, or the nearest that this thread still knows. */
  #mirrorOf(slot: number, generation: number): SinkMirror | undefined {
    let nearest: SinkMirror | undefined;
    for (const runtime of this.#runtimes) {
      nearest = runtime.mirrors[slot] ?? nearest;
      if (runtime.generation <= generation) break;
    }
    return nearest;
  }

  /** A thread that was restarted after a mirror was removed may still find its frames. */
  #countUnserved(slot: number): void {
    const ledger = this.#runtimes[0].ledgers[slot];
    if (ledger === undefined) throw new Error(`a frame names mirror slot ${slot}, which never existed`);
    ledger.received();
    ledger.dropped(Drop.DRAINING);
  }

  #whyRefused({ bounds, sink }: SinkMirror, openCount: number): Drop | typeof none {
    if (this.#draining) return Drop.DRAINING;
    if (bounds.full || openCount >= limits.openMirroredExchanges) return Drop.IN_FLIGHT;
    if (bounds.exceedsMemory(0)) return Drop.MEMORY;
    const refused = sink.refuses();
    if (refused !== none) return refused;
    return bounds.takeRate(this.#clock()) ? none : Drop.RATE;
  }
}
