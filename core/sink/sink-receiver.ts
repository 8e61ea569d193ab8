/**
 * The sink thread's end of its rings: admits copies within the bounds of their mirror, and puts each one that
 * is whole into the sink of its mirror.
 */
import type { Clock } from '../clock.js';
import { Drop, none } from '../errors.js';
import { limits } from '../limits.js';
import { FrameReceiver } from '../mirror/frame-receiver.js';
import type { RingReader } from '../ring/reader.js';
import { reasonOr } from './sink.js';
import { SinkCopy } from './sink-copy.js';
import type { SinkMirror } from './sink-mirror.js';

export class SinkReceiver extends FrameReceiver<SinkMirror, SinkCopy> {
  /** Copies that are incomplete or in a sink; a drain ends when it is empty. */
  readonly #underWay = new Set<SinkCopy>();
  readonly #onOver = (copy: SinkCopy) => this.#underWay.delete(copy);

  constructor(readers: readonly RingReader[], clock: Clock) {
    super(readers, clock);
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** Drops every copy that its sink does not have yet. */
  dropUnfinished(): void {
    for (const copy of [...this.#underWay]) copy.drop(Drop.DRAINING);
  }

  begin(mirror: SinkMirror, _generation: number, _exchangeId: number, flags: number): SinkCopy {
    const copy = new SinkCopy(mirror, this.head, flags, this.clock, this.#onOver);
    this.#underWay.add(copy);
    copy.begin();
    return copy;
  }

  protected whyRefused({ bounds, sink }: SinkMirror, openCount: number): Drop | typeof none {
    if (bounds.full || openCount >= limits.openMirroredExchanges)
      return reasonOr(Drop.IN_FLIGHT, sink.stalled());
    if (bounds.exceedsMemory(0)) return reasonOr(Drop.MEMORY, sink.stalled());
    const refused = sink.refuses();
    if (refused !== none) return refused;
    return bounds.takeRate(this.clock()) ? none : Drop.RATE;
  }
}
