/**
 * The sink thread: it reads the rings of all proxy threads and passes each copy to the sink of its mirror.
 * Entry point of the thread; core/sink handles the frames, core/recording the recordings, and core/stream the
 * streams.
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

/** Nothing waits for copies in sinks, so within this time they gather for one write. */
const lingerMs = 2;
/** Interval at which the state of each sink is reported. */
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

  /** Sinks keep no idle connections. */
  releaseIdle(): void {}

  retire(belowGeneration: number): void {
    this.#receiver.retire(belowGeneration);
    this.#sinks.retire();
  }

  /**
   * `drain` is called when the proxy threads are gone. It keeps what is in the rings, and drops or fails
   * copies that are not complete or acknowledged in time.
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
    // Sinks that left the plan no longer report a state.
    for (const { counters } of this.#mirrors) {
      counters.setHighest(MirrorField.trouble, null);
      counters.setHighest(MirrorField.lag, null);
    }
    this.#mirrors = mirrors.filter((mirror) => mirror !== undefined);
    // The others report at once. Otherwise any change of the plan would look as if a full disk had room for a
    // moment.
    this.#reportStates();
    return { generation: plan.generation, mirrors, counters };
  }
}

runThread((start) => {
  yieldToProxyThreads(start.plan.threads.nice);
  return new SinkThread(start);
});
