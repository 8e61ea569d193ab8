/**
 * A shadow thread: it reads the rings of all proxy threads, sends each mirrored request to its shadow and
 * measures the response. Entry point of the thread; core/mirror/shadow-receiver handles the frames.
 */
import { randomFillSync } from 'node:crypto';
import { nowUs } from '../../core/clock.js';
import { PairPort } from '../../core/compare/pair-port.js';
import { Failure, failureReasons } from '../../core/errors.js';
import { MirrorBounds } from '../../core/mirror/bounds.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { ShadowReceiver } from '../../core/mirror/shadow-receiver.js';
import { ShadowMirror, type ShadowRuntime } from '../../core/mirror/shadow-runtime.js';
import { mirrorsWithBaselines, type Plan } from '../../core/plan.js';
import { AccessLogPort } from '../../core/record/access-log.js';
import { MirrorCounters } from '../../core/record/mirror-counters.js';
import { SpanPort } from '../../core/record/span-record.js';
import { ThreadCounters } from '../../core/record/thread-counters.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { RingReader } from '../../core/ring/reader.js';
import { RingWriter } from '../../core/ring/writer.js';
import { seededRandom } from '../../core/route/random.js';
import { atOnce, inSlices, type Steps } from '../../core/steps.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares, ThreadStart } from '../protocol/messages.js';
import { yieldToProxyThreads } from './priority.js';
import { RingLoop } from './ring-loop.js';
import { type DataThread, runThread, say } from './thread.js';
import { TurnEnd } from './turn.js';
import { UpstreamSide } from './upstream-side.js';

/** Interval at which pairs are counted by endpoint. */
const endpointsMs = 1000;

class ShadowThread implements DataThread {
  readonly #receiver: ShadowReceiver;
  readonly #upstream = new UpstreamSide('shadow');
  readonly #log: AccessLogPort;
  readonly #pairs: PairPort;
  readonly #bounds: MirrorBounds[] = [];
  /** Indexed by slot. */
  readonly #counters: (MirrorCounters | undefined)[] = [];
  readonly #fullSlots: FullSlots;
  readonly #shadowThreads: number;
  readonly #random = seededRandom(randomFillSync(new Uint32Array(4)));
  readonly #loop: RingLoop;

  constructor(start: ThreadStart) {
    const turnEnd = new TurnEnd(() => {
      this.#log.flush();
      this.#pairs.flush();
      return false;
    });
    this.#shadowThreads = start.shadowThreads;
    this.#fullSlots = new FullSlots(start.fullSlots[0]);
    this.#fullSlots.clear();
    const toControl = new RingWriter(start.logRing!, new Doorbell(start.logDoorbell));
    const threadCounters = new ThreadCounters(start.threadCounters);
    const requestFlush = () => turnEnd.request();
    this.#log = new AccessLogPort(toControl, threadCounters, this.#random, requestFlush);
    const spans = new SpanPort(toControl, threadCounters, requestFlush);
    const readers = start.rings.map((ring) => new RingReader(ring));
    this.#pairs = new PairPort(new RingWriter(start.pairRing!, new Doorbell(start.pairDoorbell)), () =>
      turnEnd.request(),
    );
    this.#receiver = new ShadowReceiver(readers, this.#pairs, this.#log, nowUs, sayBreaker);
    this.#receiver.traceWith(spans, this.#random);
    this.#receiver.use(atOnce(this.#compile(start.plan, start.targets, start.counters)));
    this.#loop = new RingLoop({
      doorbell: new Doorbell(start.doorbells[0]),
      consumer: this.#receiver,
      onRead: () => {},
      lingerMs: 0,
    });
    setInterval(() => this.#pairs.sendEndpoints(), endpointsMs).unref();
    this.#loop.turn();
    say({ type: 'ready', descriptors: [] });
  }

  apply(plan: Plan, targets: Targets, counters: CountersShares): void {
    inSlices(this.#compile(plan, targets, counters), (runtime) => {
      this.#receiver.use(runtime);
      say({ type: 'planApplied', generation: plan.generation });
    });
  }

  move(targets: Targets): void {
    this.#upstream.move(targets);
  }

  releaseIdle(): void {
    this.#upstream.releaseIdle();
  }

  retire(belowGeneration: number): void {
    this.#receiver.retire(belowGeneration);
  }

  /**
   * `drain` is called when the proxy threads are gone. It finishes what is in the rings and in flight, and
   * aborts the rest in time.
   */
  drain(withinMs: number): void {
    this.#loop.drain(
      withinMs,
      () => this.#receiver.abortAll(Failure.DRAINING),
      () => say({ type: 'drained' }),
    );
  }

  leave(): void {
    this.#log.flush();
    this.#pairs.sendEndpoints();
    this.#pairs.flush();
    process.exit(0);
  }

  *#compile(plan: Plan, targets: Targets, shares: CountersShares): Steps<ShadowRuntime> {
    const closeOldPools = yield* this.#upstream.apply(plan, targets, shares);
    for (const [slot, shared] of shares.mirrors.entries()) {
      yield;
      if (shared !== undefined) this.#counters[slot] ??= new MirrorCounters(shared);
    }
    const counters = [...this.#counters];
    const mirrors: ShadowMirror[] = [];
    for (const route of plan.routes) {
      yield;
      for (const { mirror, baselineOf } of mirrorsWithBaselines(route)) {
        if (mirror.sink !== null) continue;
        this.#bounds[mirror.slot] ??= new MirrorBounds(mirror.slot, this.#fullSlots);
        const bounds = this.#bounds[mirror.slot];
        bounds.follow(mirror, this.#shadowThreads);
        counters[mirror.slot]!.setBreaker(bounds.breaker?.open ?? false, 0);
        mirrors[mirror.slot] = new ShadowMirror(
          mirror,
          route.name,
          this.#upstream.pool(mirror.to),
          this.#upstream.counters(mirror.to),
          counters[mirror.slot]!,
          bounds,
          this.#random,
          baselineOf !== null,
        );
      }
    }
    yield;
    this.#log.setShare(plan.accessLog?.shareMillionths ?? 0);
    closeOldPools();
    return { generation: plan.generation, mirrors, counters };
  }
}

function sayBreaker({ plan, route, pool }: ShadowMirror, open: boolean, failure: number): void {
  const reason = failureReasons[failure] ?? '';
  const cooldownMs = plan.breaker?.cooldownMs ?? 0;
  say({ type: 'breaker', route, to: pool.plan.name, open, reason, cooldownMs });
}

runThread((start) => {
  yieldToProxyThreads(start.plan.threads.nice);
  return new ShadowThread(start);
});
