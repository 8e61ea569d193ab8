/** One data-plane thread as main sees it: how far it has followed the plan, and its messages. */
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import type { DataThreadKind } from '../../core/report/observed.js';
import type { Targets } from '../../core/upstream/target.js';
import type { CountersShares, FromThread, LogMessage, ThreadStart, ToThread } from '../protocol/messages.js';
import { partsOf } from '../protocol/plan-parts.js';
import { Condition } from './condition.js';
import { SupervisedThread } from './supervised-thread.js';

type ThreadReady = Extract<FromThread, { type: 'ready' }>;
type ThreadMessage = Exclude<FromThread, { type: 'ready' | 'failing' }>;

export interface PlaneThreadEvents {
  /** What the next incarnation begins with. */
  start(thread: PlaneThread, incarnation: number): ThreadStart;
  onReady(thread: PlaneThread, descriptors: readonly unknown[]): void;
  onDescriptor(thread: PlaneThread, listener: number, descriptor: unknown): void;
  onLeaving(thread: PlaneThread): void;
  onTerminated(thread: PlaneThread, reason: string): void;
  onGone(thread: PlaneThread, error: string | null): void;
  onLog(message: LogMessage): void;
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
  /** It did not drain in time. */
  #overdue = false;
  /** Parts of a plan that it has not acknowledged. */
  #partsOpen = 0;
  /** Blocks that this incarnation has been given. */
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

  start(): void {
    this.#thread.start();
  }

  post(message: ToThread): void {
    this.#thread.post(message);
  }

  /**
   * Sends `plan` in parts, each when the thread has the one before, so that between two of them it serves.
   * Resolves when it has applied the plan, is gone, or was terminated because it did not answer.
   */
  async apply(plan: Plan, targets: () => Targets, counters: CountersShares): Promise<void> {
    const { generation } = plan;
    for (const part of partsOf(plan, this.#fresh(plan, counters))) {
      // A thread that is gone begins with the whole plan when it is back.
      if (this.#hasApplied(generation)) return;
      this.#partsOpen++;
      this.post(part);
      await this.#answered(() => this.#partsOpen === 0 || this.#hasApplied(generation));
    }
    this.post({ type: 'plan', plan: { ...plan, routes: [], effective: '' }, targets: targets() });
    await this.#answered(() => this.#hasApplied(generation));
  }

  /** Asks the thread to drain. Resolves when it has, is gone, or its time is over. */
  async drain(withinMs: number, handOver: boolean): Promise<void> {
    this.post({ type: 'drain', withinMs, handOver });
    const isDone = () => this.#drained || !this.ready;
    this.#overdue = !(await this.#changed.until(isDone, withinMs + drainSlackMs));
  }

  /** Takes the thread away for good. One that did not drain in time gets little time to leave. */
  stop(): Promise<void> {
    return this.#thread.stop(this.#overdue ? drainSlackMs : limits.threadLeaveMs);
  }

  #start(incarnation: number): ThreadStart {
    const start = this.#events.start(this, incarnation);
    // A thread that starts between two plans begins with the newer one: that is as good as having applied it.
    this.#appliedGeneration = start.plan.generation;
    this.#partsOpen = 0;
    this.#drained = false;
    this.#given.clear();
    for (const shared of [...start.counters.versions, ...start.counters.mirrors])
      if (shared !== undefined) this.#given.add(shared);
    return start;
  }

  /** The counters under `plan` that the thread has not been given yet. It has been from now on. */
  #fresh(plan: Plan, { versions, mirrors }: CountersShares) {
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
    };
  }

  async #answered(holds: () => boolean): Promise<void> {
    if (await this.#changed.until(holds, limits.threadAnswerMs)) return;
    this.#thread.terminate(`the thread did not apply a plan within ${limits.threadAnswerMs} ms`);
    await this.#changed.until(holds);
  }

  /** A thread that is gone mirrors nothing, and begins with the newest plan when it is back. */
  #hasApplied(generation: number): boolean {
    return this.#appliedGeneration >= generation || !this.#thread.running;
  }

  #onMessage(message: ThreadMessage): void {
    if (message.type === 'planApplied') this.#appliedGeneration = message.generation;
    else if (message.type === 'partReceived') this.#partsOpen = Math.max(0, this.#partsOpen - 1);
    else if (message.type === 'drained') this.#drained = true;
    else if (message.type === 'descriptor')
      this.#events.onDescriptor(this, message.listener, message.descriptor);
    else this.#events.onLog(message);
    this.#changed.notify();
  }
}

/** A thread's own deadline comes first; main's is for a thread that does not answer. */
const drainSlackMs = 250;
