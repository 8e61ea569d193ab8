/**
 * Main's side of the data plane: proxy, shadow and sink threads, the memory between them, and the plan that
 * they follow. Main itself handles no request.
 */
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import type { DataThreadKind, ObservedBlocks } from '../../core/report/observed.js';
import { atOnce, inSlices } from '../../core/steps.js';
import type { Targets } from '../../core/upstream/target.js';
import type { BreakerEvent, EndpointEvent, LogMessage, ThreadStart } from '../protocol/messages.js';
import { Condition } from './condition.js';
import { CounterBlocks } from './counter-blocks.js';
import { PlaneThread } from './plane-thread.js';
import { SharedMemory } from './shared-memory.js';
import { messageOf } from './supervised-thread.js';
import type { WatchedThread } from './thread-watch.js';

export interface DataPlaneEvents {
  /** A proxy thread can accept connections through these handles, one per listener. */
  onProxyReady(index: number, descriptors: readonly unknown[]): void;
  /** `descriptor` replaces one of its handles. */
  onProxyDescriptor(index: number, listener: number, descriptor: unknown): void;
  /** The thread can accept no more connections. May be called twice. */
  onProxyLeaving(index: number): void;
  onLog(message: LogMessage): void;
  /** `thread` names the thread that the event is from; null: that thread is gone, with its ejections. */
  onUpstream(thread: string, event: EndpointEvent | BreakerEvent | null): void;
}

/** One thread for all sinks, so that a directory has one writer. */
const sinkThreads = 1;
/**
 * Shadow and sink threads get at least this long for their rings, even when proxy threads used up the time,
 * in milliseconds.
 */
const shadowDrainMs = 250;

export class DataPlane {
  readonly memory: SharedMemory;
  readonly #counters: CounterBlocks;
  readonly #events: DataPlaneEvents;
  readonly #proxies: readonly PlaneThread[];
  readonly #shadows: readonly PlaneThread[];
  /** Started with the first plan that has a sink. */
  readonly #sinks: readonly PlaneThread[];
  readonly #targets: () => Targets;
  readonly #changed = new Condition();
  #plan: Plan;
  #started = false;
  #startFailure: string | null = null;

  /** `targets` returns the current addresses of the newest plan's endpoints. */
  constructor(plan: Plan, targets: () => Targets, events: DataPlaneEvents) {
    this.#plan = plan;
    this.#targets = targets;
    this.#events = events;
    const { proxy, shadow } = plan.threads;
    this.#counters = new CounterBlocks(proxy, shadow, sinkThreads);
    atOnce(this.#counters.enter(plan));
    this.memory = new SharedMemory(plan, sinkThreads);
    this.#shadows = this.#threads('shadow', shadow);
    this.#sinks = this.#threads('sink', sinkThreads);
    this.#proxies = this.#threads('proxy', proxy);
  }

  get plan(): Plan {
    return this.#plan;
  }

  /**
   * `start` starts every thread. It resolves when all are ready, and rejects with the first error if one
   * can't start.
   */
  async start(): Promise<void> {
    const threads = [...this.#shadows, ...this.#neededSinks(), ...this.#proxies];
    for (const thread of threads) thread.start();
    await this.#changed.until(() => this.#startFailure !== null || threads.every(({ ready }) => ready));
    if (this.#startFailure !== null) throw new Error(this.#startFailure);
    this.#started = true;
  }

  /**
   * `hasRoomFor` checks the number of version names, which is bounded: versions keep their figures for the
   * life of the process.
   */
  hasRoomFor(plan: Plan): boolean {
    return this.#counters.versionsWith(plan) <= limits.versions;
  }

  /**
   * `apply` applies `plan` on every thread. Shadow threads come first, so that no frame of it reaches one
   * that does not know it. It resolves when all have applied it, and must not be called again before that.
   */
  async apply(plan: Plan): Promise<void> {
    await new Promise<void>((resolve) => inSlices(this.#counters.enter(plan), resolve));
    this.#plan = plan;
    // The thread begins with this plan. Proxy threads need not wait for it, because their frames stay in the
    // ring.
    for (const thread of this.#neededSinks()) if (!thread.started) thread.start();
    for (const threads of [this.#shadows, this.#sinks, this.#proxies]) {
      await Promise.all(
        threads.map((thread) => {
          const counters = this.#counters.sharesFor(thread.kind, thread.index, plan);
          return thread.apply(plan, this.#targets, counters);
        }),
      );
    }
    for (const thread of [...this.#shadows, ...this.#sinks]) {
      thread.post({ type: 'retire', belowGeneration: plan.generation });
    }
  }

  /** `move` sends every thread the new addresses of endpoints. */
  move(): void {
    const targets = this.#targets();
    for (const thread of [...this.#shadows, ...this.#proxies]) thread.post({ type: 'targets', targets });
  }

  /**
   * `releaseIdle` closes idle upstream connections to free file descriptors: those of shadows, or those of
   * primaries.
   */
  releaseIdle(of: 'shadow' | 'primary'): void {
    for (const thread of of === 'shadow' ? this.#shadows : this.#proxies)
      thread.post({ type: 'releaseIdle' });
  }

  /**
   * `drain` stops new requests. Proxy threads finish theirs, then shadow threads, within `withinMs`. Threads
   * that do not answer are terminated, so the plane stops soon after that.
   */
  async drain(withinMs: number, handOver = false): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    await drainAll(this.#proxies, deadlineMs, handOver);
    await stopAll(this.#proxies);
    const shadowDeadlineMs = Math.max(deadlineMs, performance.now() + shadowDrainMs);
    await drainAll([...this.#shadows, ...this.#sinks], shadowDeadlineMs, false);
    await this.stop();
  }

  async stop(): Promise<void> {
    await stopAll(this.#proxies);
    await stopAll([...this.#shadows, ...this.#sinks]);
  }

  /** `observed` returns everything that the control thread reads. */
  observed(): Omit<ObservedBlocks, 'engine' | 'startedUs' | 'targets' | 'names'> {
    return {
      plan: this.#plan,
      ...this.#counters.observed(),
      ...this.memory.observed(this.#counters.hasSinks),
    };
  }

  /** `watched` returns the threads that should run now. */
  watched(): readonly WatchedThread[] {
    return [...this.#proxies, ...this.#shadows, ...this.#sinks]
      .filter(({ wanted }) => wanted)
      .map(({ kind, index }) => ({
        name: `${kind} thread ${index}`,
        counters: this.#counters.threadCounters(kind, index),
      }));
  }

  #neededSinks(): readonly PlaneThread[] {
    return this.#counters.hasSinks ? this.#sinks : [];
  }

  #threads(kind: DataThreadKind, count: number): PlaneThread[] {
    const events = {
      start: (thread: PlaneThread, incarnation: number) => this.#startOf(thread, incarnation),
      onReady: ({ index }: PlaneThread, descriptors: readonly unknown[]) => {
        if (kind === 'proxy') this.#events.onProxyReady(index, descriptors);
        this.#changed.notify();
      },
      onDescriptor: ({ index }: PlaneThread, listener: number, descriptor: unknown) =>
        this.#events.onProxyDescriptor(index, listener, descriptor),
      onLeaving: ({ index }: PlaneThread) => {
        if (kind === 'proxy') this.#events.onProxyLeaving(index);
      },
      onTerminated: (thread: PlaneThread, reason: string) => this.#onTerminated(thread, reason),
      onGone: (thread: PlaneThread, error: string | null) => this.#onGone(thread, error),
      onLog: this.#events.onLog,
      onUpstream: ({ kind, index }: PlaneThread, event: EndpointEvent | BreakerEvent) =>
        this.#events.onUpstream(`${kind}-${index}`, event),
    };
    return Array.from({ length: count }, (_, index) => new PlaneThread(kind, index, events));
  }

  #startOf({ kind, index }: PlaneThread, incarnation: number): ThreadStart {
    return {
      kind,
      index,
      incarnation,
      plan: { ...this.#plan, effective: '' },
      targets: this.#targets(),
      counters: this.#counters.sharesFor(kind, index, this.#plan),
      threadCounters: this.#counters.threadCounters(kind, index),
      shadowThreads: this.#shadows.length,
      ...this.memory.startOf(kind, index),
    };
  }

  #onTerminated({ kind, index }: PlaneThread, reason: string): void {
    this.#counters.terminated(kind, index);
    this.#log(`${kind} thread ${index} was terminated: ${reason}`, {});
  }

  #onGone({ kind, index }: PlaneThread, error: string | null): void {
    this.#counters.settle(kind, index);
    this.#events.onUpstream(`${kind}-${index}`, null);
    if (kind === 'proxy') this.memory.settleProxy(index);
    if (error !== null && !this.#started) {
      this.#startFailure ??= `a ${kind} thread can't start: ${messageOf(error)}`;
    } else if (error !== null) {
      this.#counters.restarted(kind, index);
      this.#log(`${kind} thread ${index} failed and is being replaced`, { error });
    }
    this.#changed.notify();
  }

  #log(message: string, fields: LogMessage['fields']): void {
    this.#events.onLog({ type: 'log', level: 'error', message, fields });
  }
}

async function drainAll(
  threads: readonly PlaneThread[],
  deadlineMs: number,
  handOver: boolean,
): Promise<void> {
  const withinMs = Math.max(0, deadlineMs - performance.now());
  await Promise.all(threads.map((thread) => thread.drain(withinMs, handOver)));
}

async function stopAll(threads: readonly PlaneThread[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.stop()));
}
