/** Main's side of one data-plane thread: the plan that it has applied, and its messages. */
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import type { DataThreadKind } from '../../core/report/observed.js';
import type { Targets } from '../../core/upstream/target.js';
import type {
  BreakerEvent,
  CountersShares,
  EndpointEvent,
  FromThread,
  LogMessage,
  ThreadStart,
  ToThread,
} from '../protocol/messages.js';
import { partsOf } from '../protocol/plan-parts.js';
import { Condition } from './condition.js';
import { SupervisedThread } from './supervised-thread.js';

type ThreadReady = Extract<FromThread, { type: 'ready' }>;
type ThreadMessage = Exclude<FromThread, { type: 'ready' | 'failing' }>;

export interface PlaneThreadEvents {
  /** Returns what the next incarnation begins with. */
  start(thread: PlaneThread, incarnation: number): ThreadStart;
  onReady(thread: PlaneThread, descriptors: readonly unknown[]): void;
  onDescriptor(thread: PlaneThread, listener: number, descriptor: unknown): void;
  onLeaving(thread: PlaneThread): void;
  onTerminated(thread: PlaneThread, reason: string): void;
  onGone(thread: PlaneThread, error: string | null): void;
  onLog(message: LogMessage): void;
  onUpstream(thread: PlaneThread, event: EndpointEvent | BreakerEvent): void;
}

export class PlaneThread {
  readonly kind: DataThreadKind;
  readonly index: number;
  readonly #events: PlaneThreadEvents;
  readonly #thread: SupervisedThread<ThreadReady, ThreadMessage, ToThread>;
  /** Notified at each message, and when the thread is gone. */
  readonly #changed = new Condition();
  #appliedGeneration = 0;
  #drained = false;
  /** The thread did not drain in time. */
  #overdue = false;
  /** Parts of a plan that the thread has not acknowledged. */
  #partsOpen = 0;
  /** Blocks that this incarnation has received. */
  readonly #given = new Set<SharedArrayBuffer>();

  constructor(kind: DataThreadKind, index: number, events: PlaneThreadEvents) {
    this.kind = kind;
    this.index = index;
    this.#events = events;
    this.#thread = new SupervisedThread(`${kind}-${index}`, `threads/${kind}`, {
      start: (incarnation) => this.#start(incarnation),
      onReady: ({ descriptors }) => {
        events.onReady(this, descriptors);
        this.#changed.notify();
      },
      onMessage: (message) => this.#onMessage(message),
      onLeaving: () => events.onLeaving(this),
      onTerminated: (reason) => events.onTerminated(this, reason),
      onGone: (error) => {
        events.onGone(this, error);
        this.#changed.notify();
      },
    });
  }

  get ready(): boolean {
    return this.#thread.ready;
  }

  get started(): boolean {
    return this.#thread.started;
  }

  get wanted(): boolean {
    return this.#thread.wanted;
  }

  start(): void {
    this.#thread.start();
  }

  post(message: ToThread): void {
    this.#thread.post(message);
  }

  /**
   * `apply` sends `plan` in parts, each after the previous one was acknowledged, so that the thread serves in
   * between. It resolves when the thread has applied the plan, is gone, or was terminated because it did not
   * answer.
   */
  async apply(plan: Plan, targets: () => Targets, counters: CountersShares): Promise<void> {
    const { generation } = plan;
    for (const part of partsOf(plan, this.#fresh(plan, counters))) {
      // A thread that is gone begins with the whole plan when it returns.
      if (this.#hasApplied(generation)) return;
      this.#partsOpen++;
      this.post(part);
      await this.#answered(() => this.#partsOpen === 0 || this.#hasApplied(generation));
    }
    this.post({ type: 'plan', plan: { ...plan, routes: [], effective: '' }, targets: targets() });
    await this.#answered(() => this.#hasApplied(generation));
  }

  /** `drain` asks the thread to drain. It resolves when it has, is gone, or its time has passed. */
  async drain(withinMs: number, handOver: boolean): Promise<void> {
    this.post({ type: 'drain', withinMs, handOver });
    const isDone = () => this.#drained || !this.ready;
    this.#overdue = !(await this.#changed.until(isDone, withinMs + drainSlackMs));
  }

  /** `stop` ends the thread permanently. A thread that did not drain in time gets little time to leave. */
  stop(): Promise<void> {
    return this.#thread.stop(this.#overdue ? drainSlackMs : limits.threadLeaveMs);
  }

  #start(incarnation: number): ThreadStart {
    const start = this.#events.start(this, incarnation);
    // A thread that starts between two plans begins with the newer one, which counts as applied.
    this.#appliedGeneration = start.plan.generation;
    this.#partsOpen = 0;
    this.#drained = false;
    this.#given.clear();
    const { versions, mirrors, releases } = start.counters;
    for (const shared of [...versions, ...mirrors, ...releases.values()])
      if (shared !== undefined) this.#given.add(shared);
    return start;
  }

  /**
   * `#fresh` returns the counters under `plan` that the thread has not received yet, and marks them as
   * received.
   */
  #fresh(plan: Plan, { versions, mirrors, releases }: CountersShares) {
    const isFresh = (shared: SharedArrayBuffer | undefined): shared is SharedArrayBuffer => {
      if (shared === undefined || this.#given.has(shared)) return false;
      this.#given.add(shared);
      return true;
    };
    const freshOf = <Key>(shares: CountersShares['mirrors'], keyOf: (index: number) => Key) =>
      shares.flatMap((shared, index): (readonly [Key, SharedArrayBuffer])[] =>
        isFresh(shared) ? [[keyOf(index), shared]] : [],
      );
    return {
      versions: freshOf(versions, (index) => plan.versions[index].name),
      mirrors: freshOf(mirrors, (slot) => slot),
      releases: [...releases].filter(([, shared]) => isFresh(shared)),
    };
  }

  async #answered(holds: () => boolean): Promise<void> {
    if (await this.#changed.until(holds, limits.threadAnswerMs)) return;
    this.#thread.terminate(`the thread did not apply a plan within ${limits.threadAnswerMs} ms`);
    await this.#changed.until(holds);
  }

  /**
   * `#hasApplied` is also true for a thread that is gone: it mirrors nothing, and begins with the newest plan
   * when it returns.
   */
  #hasApplied(generation: number): boolean {
    return this.#appliedGeneration >= generation || !this.#thread.running;
  }

  #onMessage(message: ThreadMessage): void {
    if (message.type === 'planApplied') this.#appliedGeneration = message.generation;
    else if (message.type === 'partReceived') this.#partsOpen = Math.max(0, this.#partsOpen - 1);
    else if (message.type === 'drained') this.#drained = true;
    else if (message.type === 'descriptor')
      this.#events.onDescriptor(this, message.listener, message.descriptor);
    else if (message.type === 'endpoint' || message.type === 'breaker')
      this.#events.onUpstream(this, message);
    else this.#events.onLog(message);
    this.#changed.notify();
  }
}

/** A thread's own deadline comes first. Main's deadline is for a thread that does not answer. */
const drainSlackMs = 250;
