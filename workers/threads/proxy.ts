/**
 * A proxy thread: it gets connections from the acceptors, forwards each request to the primary of its route
 * and offers copies to the shadow threads. Entry point of the thread; core/exchange handles the requests.
 */
import { randomFillSync } from 'node:crypto';
import { nowUs } from '../../core/clock.js';
import { Edge } from '../../core/exchange/edge.js';
import { Forwarder } from '../../core/exchange/forwarder.js';
import { ProxyRuntime, RouteHandling, RouteRuntime } from '../../core/exchange/runtime.js';
import { RequestIds } from '../../core/http/request-id.js';
import { limits } from '../../core/limits.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import { Mirror, MirrorOffer } from '../../core/mirror/offer.js';
import { MirrorPort } from '../../core/mirror/port.js';
import { Tracer } from '../../core/mirror/tracer.js';
import { WaitingBudget } from '../../core/mirror/waiting-frames.js';
import type { ListenerPlan, MirrorPlan, Plan, PrimaryPlan, RoutePlan } from '../../core/plan.js';
import { AccessLogPort } from '../../core/record/access-log.js';
import { ConnectionCount } from '../../core/record/connection-count.js';
import { MirrorCounters } from '../../core/record/mirror-counters.js';
import { RouteCounts } from '../../core/record/route-counts.js';
import { SpanPort } from '../../core/record/span-record.js';
import { ThreadCounters } from '../../core/record/thread-counters.js';
import { VersionCounters } from '../../core/record/version-counters.js';
import { Doorbell } from '../../core/ring/doorbell.js';
import { RingWriter } from '../../core/ring/writer.js';
import { seededRandom } from '../../core/route/random.js';
import { Sampler } from '../../core/route/sampler.js';
import { RouteTable } from '../../core/route/table.js';
import { atOnce, inSlices, type Steps } from '../../core/steps.js';
import type { Targets } from '../../core/upstream/target.js';
import type { Downstream } from '../downstream/downstream.js';
import { openDownstreams } from '../downstream/downstreams.js';
import { type CountersShares, releaseKey, type ThreadStart } from '../protocol/messages.js';
import { type DataThread, runThread, say } from './thread.js';
import { TurnEnd } from './turn.js';
import { UpstreamSide } from './upstream-side.js';

class ProxyThread implements DataThread {
  readonly #ports: readonly MirrorPort[];
  readonly #log: AccessLogPort;
  readonly #upstream: UpstreamSide;
  readonly #offer: MirrorOffer;
  readonly #random: () => number;
  readonly #forwarder: Forwarder;
  readonly #turnEnd: TurnEnd;
  readonly #downstreams: readonly Downstream[];
  /** Indexed by listener, like the downstreams. */
  readonly #edges: readonly Edge[];
  /** Indexed by slot. */
  readonly #mirrorCounters: (MirrorCounters | undefined)[] = [];
  /** By `releaseKey`. */
  readonly #ownCounters = new Map<string, VersionCounters>();

  constructor(start: ThreadStart) {
    const counters = new ThreadCounters(start.threadCounters);
    const random = seededRandom(randomFillSync(new Uint32Array(4)));
    this.#turnEnd = new TurnEnd(() => this.#flush());
    const requestFlush = () => this.#turnEnd.request();
    const waiting = new WaitingBudget();
    const portTo = (ring: SharedArrayBuffer, doorbell: SharedArrayBuffer) =>
      new MirrorPort(new RingWriter(ring, new Doorbell(doorbell)), requestFlush, waiting);
    const toShadows = start.rings.map((ring, shadow) => portTo(ring, start.doorbells[shadow]));
    const toSink = start.sink === null ? null : portTo(start.sink.ring, start.sink.doorbell);
    this.#ports = toSink === null ? toShadows : [...toShadows, toSink];
    if (start.incarnation > 0) for (const port of this.#ports) port.announceReplacement();
    const toControl = new RingWriter(start.logRing!, new Doorbell(start.logDoorbell));
    this.#log = new AccessLogPort(toControl, counters, random, requestFlush);
    const routes = new RouteCounts(start.routeCounts!);
    const spans = new SpanPort(toControl, counters, requestFlush);
    this.#upstream = new UpstreamSide('primary');
    this.#random = random;
    this.#offer = new MirrorOffer(
      this.#ports,
      start.fullSlots.map((shared) => new FullSlots(shared)),
      new Sampler(start.plan.samplingSalt, random),
      new HeldBack(start.heldBack),
      toShadows.length,
    );
    const runtime = atOnce(this.#compile(start.plan, start.targets, start.counters));
    this.#forwarder = new Forwarder(runtime, this.#offer, counters, this.#log, nowUs, spans, routes);
    this.#forwarder.use(runtime, this.#tracerOf(start.plan));
    const ids = new RequestIds(random);
    const { listeners, threads } = start.plan;
    this.#edges = listeners.map((listener) => new Edge(listener, this.#forwarder, ids, counters));
    const counts = listeners.map(
      (_, listener) => new ConnectionCount(start.connectionCounts, listener, start.index, threads.proxy),
    );
    const { downstreams, descriptors, transfer } = openDownstreams(
      listeners,
      this.#edges,
      counts,
      counters,
      start.ticketKeys,
    );
    this.#downstreams = downstreams;
    say({ type: 'ready', descriptors }, transfer);
  }

  apply(plan: Plan, targets: Targets, counters: CountersShares): void {
    inSlices(this.#compile(plan, targets, counters), (runtime) => {
      this.#forwarder.use(runtime, this.#tracerOf(plan));
      for (const [index, listener] of plan.listeners.entries()) this.#follow(index, listener);
      say({ type: 'planApplied', generation: plan.generation });
    });
  }

  #tracerOf({ tracing }: Plan): Tracer | null {
    return tracing === null ? null : new Tracer(tracing, this.#random);
  }

  #follow(index: number, listener: ListenerPlan): void {
    this.#edges[index]!.use(listener);
    try {
      const descriptor = this.#downstreams[index]!.use(listener);
      if (descriptor !== null) say({ type: 'descriptor', listener: index, descriptor });
    } catch (error) {
      const message = `listen[${index}] keeps its old certificate: ${(error as Error).message}`;
      say({ type: 'log', level: 'error', message, fields: {} });
    }
  }

  move(targets: Targets): void {
    this.#upstream.move(targets);
  }

  releaseIdle(): void {
    this.#upstream.releaseIdle();
  }

  /** Frames carry their generation, so a proxy thread has nothing to release. */
  retire(): void {}

  /** Main bounds the time: it stops the thread when it has passed. */
  drain(_withinMs: number, handOver: boolean): void {
    void Promise.all(
      this.#downstreams.map((downstream) => (handOver ? downstream.handOver() : downstream.drain())),
    ).then(() => say({ type: 'drained' }));
  }

  /**
   * The order that uWS requires: main has removed the descriptors, connections close, and one turn later the
   * thread ends.
   */
  leave(): void {
    void Promise.all(this.#downstreams.map((downstream) => downstream.leave())).then(() => {
      this.#exitWhenSent(nowUs() + limits.waitingMs * 1000);
    });
  }

  /** `#exitWhenSent` first sends frames that wait for room in a ring, as far as time allows. */
  #exitWhenSent(deadlineUs: number): void {
    if (this.#turnEnd.now() && nowUs() < deadlineUs) setTimeout(() => this.#exitWhenSent(deadlineUs), 1);
    else setImmediate(() => process.exit(0));
  }

  /** The current plan stays in use until the last step, which switches to the new one at once. */
  *#compile(plan: Plan, targets: Targets, shares: CountersShares): Steps<ProxyRuntime> {
    const closeOldPools = yield* this.#upstream.apply(plan, targets, shares);
    const sampler = new Sampler(plan.samplingSalt, this.#random);
    const routes: RouteHandling[] = [];
    for (const route of plan.routes) {
      yield;
      const mirrors = route.mirrors
        .filter((mirror) => mirror.enabled)
        .map((mirror) => this.#openMirror(mirror, shares));
      const runtimeOf = (primary: PrimaryPlan, fallback: RouteRuntime | null): RouteRuntime => {
        const { version } = primary;
        const [pool, counters] = [this.#upstream.pool(version), this.#upstream.counters(version)];
        const own = this.#releaseCounters(route.name, plan.versions[version].name, shares);
        return new RouteRuntime(route, primary, pool, counters, mirrors, sampler, own, fallback);
      };
      const stable = fallbackOf(route);
      const fallback = stable === null ? null : runtimeOf(stable, null);
      const runtimes = route.primaries
        .filter(({ weight }) => weight > 0)
        .map((primary) =>
          fallback !== null && primary.version === stable?.version ? fallback : runtimeOf(primary, fallback),
        );
      routes.push(new RouteHandling(route, runtimes, sampler));
    }
    const runtime = new ProxyRuntime(plan, yield* RouteTable.of(plan.routes), routes);
    yield;
    for (const port of this.#ports) port.setGeneration(plan.generation);
    this.#offer.sampleWith(sampler);
    this.#log.setShare(plan.accessLog?.shareMillionths ?? 0);
    closeOldPools();
    return runtime;
  }

  /** Null where the version is not counted by route. */
  #releaseCounters(route: string, version: string, shares: CountersShares): VersionCounters | null {
    const key = releaseKey(route, version);
    const shared = shares.releases.get(key);
    const known = this.#ownCounters.get(key);
    if (shared === undefined || known !== undefined) return known ?? null;
    const counters = new VersionCounters(shared);
    this.#ownCounters.set(key, counters);
    return counters;
  }

  #openMirror(plan: MirrorPlan, shares: CountersShares): Mirror {
    const baseline = plan.compare.structure?.baseline ?? null;
    this.#mirrorCounters[plan.slot] ??= new MirrorCounters(shares.mirrors[plan.slot]!);
    const counters = this.#mirrorCounters[plan.slot]!;
    return new Mirror(plan, counters, baseline === null ? null : this.#openMirror(baseline, shares));
  }

  #flush(): boolean {
    let waiting = false;
    for (const port of this.#ports) waiting = port.flush() || waiting;
    this.#log.flush();
    return waiting;
  }
}

/** The primary that answers what another one was not given; null: there is none. */
function fallbackOf({ fallback, primaries }: RoutePlan): PrimaryPlan | null {
  if (fallback === null) return null;
  return (
    primaries.find(({ version }) => version === fallback) ?? { version: fallback, weight: 0, headers: null }
  );
}

runThread((start) => new ProxyThread(start));
