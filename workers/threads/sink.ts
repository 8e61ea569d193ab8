/**
 * The sink thread: drains its rings of all proxy threads and puts each copy into the sink of its mirror.
 * Entry point of the thread; what it does per frame is in core/sink, what a recording does in core/recording,
 * and a stream in core/stream.
 */
import { randomFillSync } from 'node:crypto';
import { nowUs } from '../../core/clock.js';
import { none } from '../../core/errors.js';
import { MirrorBounds } from '../../core/mirror/bounds.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import type { Plan } from '../../core/plan.js';
import { MirrorCounters, MirrorField } from '../../core/record/mirror-counters.js';
import { Redactor } from '../../core/recording/redactor.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { RingReader } from '../../core/ring/reader.js';
import { seededRandom } from '../../core/route/random.js';
import { SinkMirror, type SinkRuntime } from '../../core/sink/sink-mirror.js';
import { SinkReceiver } from '../../core/sink/sink-receiver.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares, ThreadStart } from '../protocol/messages.js';
import { yieldToProxyThreads } from './priority.js';
import { RingLoop } from './ring-loop.js';
import { Sinks } from './sinks.js';
import { type DataThread, runThread, say } from './thread.js';

/** Nobody waits for what is kept: in so long, copies gather for one write. */
const lingerMs = 2;
/** How often the state of each sink is reported. */
const reportMs = 500;

class SinkThread implements DataThread {
  readonly #receiver: SinkReceiver;
  readonly #bounds: MirrorBounds[] = [];
  readonly #fullSlots: FullSlots;
  readonly #random = seededRandom(randomFillSync(new Uint32Array(4)));
  readonly #loop: RingLoop;
  readonly #sinks = new Sinks();
  #mirrors: readonly SinkMirror[] = [];

  constructor(start: ThreadStart) {
    this.#fullSlots = new FullSlots(start.fullSlots[0]);
    this.#fullSlots.clear();
    this.#receiver = new SinkReceiver(
      start.rings.map((ring) => new RingReader(ring)),
      nowUs,
    );
    this.#receiver.use(this.#compile(start.plan, start.counters));
    this.#loop = new RingLoop({
      doorbell: new Doorbell(start.doorbells[0]),
      consumer: this.#receiver,
      onRead: () => this.#sinks.flush(),
      lingerMs,
    });
    this.#loop.turn();
    setInterval(() => this.#reportStates(), reportMs).unref();
    say({ type: 'ready', descriptors: [] });
  }

  apply(plan: Plan, _targets: Targets, counters: CountersShares): void {
    this.#receiver.use(this.#compile(plan, counters));
    say({ type: 'planApplied', generation: plan.generation });
  }

  /** Sinks have no endpoints. */
  move(): void {}

  /** Sinks keep no connections for later. */
  releaseIdle(): void {}

  retire(belowGeneration: number): void {
    this.#receiver.retire(belowGeneration);
    this.#sinks.retire();
  }

  /**
   * The proxy threads are gone: keeps what is in the rings, and drops or fails what is not whole or
   * acknowledged in time.
   */
  drain(withinMs: number): void {
    this.#loop.drain(
      withinMs,
      () => {
        this.#receiver.dropUnfinished();
        this.#sinks.abort();
      },
      () => void this.#sinks.close().then(() => say({ type: 'drained' })),
    );
  }

  leave(): void {
    this.#sinks.abort();
    void this.#sinks.close().then(() => process.exit(0));
  }

  #reportStates(): void {
    for (const { counters, sink } of this.#mirrors) {
      const trouble = sink.trouble();
      counters.setHighest(MirrorField.trouble, trouble === none ? null : trouble);
      counters.setHighest(MirrorField.lag, sink.lag());
    }
  }

  #compile(plan: Plan, shares: CountersShares): SinkRuntime {
    const redactor = new Redactor(plan.redact);
    this.#sinks.follow();
    const counters = shares.mirrors.map((shared) =>
      shared === undefined ? undefined : new MirrorCounters(shared),
    );
    const mirrors: SinkMirror[] = [];
    for (const route of plan.routes) {
      for (const mirror of route.mirrors) {
        if (mirror.sink === null) continue;
        this.#bounds[mirror.slot] ??= new MirrorBounds(mirror.slot, this.#fullSlots);
        const bounds = this.#bounds[mirror.slot];
        bounds.follow(mirror, 1);
        const sink = this.#sinks.sinkFor(mirror.sink, redactor);
        const mirrorCounters = counters[mirror.slot]!;
        mirrors[mirror.slot] = new SinkMirror(mirror, route.name, mirrorCounters, bounds, sink, this.#random);
      }
    }
    this.#sinks.followed();
    // Sinks that the plan no longer has report nothing any more.
    for (const { counters } of this.#mirrors) {
      counters.setHighest(MirrorField.trouble, null);
      counters.setHighest(MirrorField.lag, null);
    }
    this.#mirrors = mirrors.filter((mirror) => mirror !== undefined);
    // The others report at once, or a change of anything would look as if a full disk had room for a
    // moment.
    this.#reportStates();
    return { generation: plan.generation, mirrors, counters };
  }
}

runThread((start) => {
  yieldToProxyThreads(start.plan.threads.nice);
  return new SinkThread(start);
});
