/**
 * The data plane as main sees it: proxy and shadow threads, the rings between them, and the plan that they all
 * follow. Main itself touches no request.
 */
import { limits } from '../../core/limits.js';
import { FullSlots } from '../../core/mirror/full-slots.js';
import { HeldBack } from '../../core/mirror/held-back.js';
import type { Plan } from '../../core/plan.js';
import { ConnectionCount, createConnectionCounts } from '../../core/record/connection-count.js';
import type { DataThreadKind, ObservedBlocks } from '../../core/report/observed.js';
import { createDoorbell } from '../../core/ring/doorbell.js';
import { createRing } from '../../core/ring/layout.js';
import { atOnce, inSlices } from '../../core/steps.js';
import type { Targets } from '../../core/upstream/target.js';
import { entryFile } from '../protocol/entry.js';
import type { FromThread, LogMessage, ThreadStart } from '../protocol/messages.js';
import { partsOf } from '../protocol/plan-parts.js';
import { CounterBlocks } from './counter-blocks.js';
import { SupervisedThread, type ThreadEvents } from './supervisor.js';

export interface DataPlaneEvents {
  /** A proxy thread can take connections through these handles, one per listener. */
  onProxyReady(index: number, descriptors: readonly unknown[]): void;
  /** One of its handles is another one from now on. */
  onProxyDescriptor(index: number, listener: number, descriptor: unknown): void;
  /** It can't any more. May be called twice. */
  onProxyLeaving(index: number): void;
  onLog(message: LogMessage): void;
}

/** What main knows of one thread. */
interface Member {
  readonly thread: SupervisedThread;
  takenGeneration: number;
  drained: boolean;
  /** Parts of a plan that it has not said to have taken. */
  partsOpen: number;
  /** Blocks that this incarnation has been given. */
  readonly given: Set<SharedArrayBuffer>;
}

export class DataPlane {
  readonly logDoorbell = createDoorbell();
  /** Of all threads, proxy threads first. */
  readonly logRings: readonly SharedArrayBuffer[];
  readonly pairDoorbell = createDoorbell();
  /** By shadow thread. */
  readonly pairRings: readonly SharedArrayBuffer[];
  readonly #book: CounterBlocks;
  readonly #connectionCounts: SharedArrayBuffer;
  readonly #events: DataPlaneEvents;
  readonly #proxies: Member[] = [];
  readonly #shadows: Member[] = [];
  /** Started with the first plan that has a sink. */
  readonly #sinks: Member[] = [];
  /** By proxy thread, then by shadow thread. */
  readonly #rings: readonly (readonly SharedArrayBuffer[])[];
  /** By shadow thread. */
  readonly #doorbells: readonly SharedArrayBuffer[];
  /** By shadow thread, and behind them the sink thread's. */
  readonly #fullSlots: readonly SharedArrayBuffer[];
  /** By proxy thread; untouched memory until a sink is fed. */
  readonly #sinkRings: readonly SharedArrayBuffer[];
  readonly #sinkDoorbell = createDoorbell();
  readonly #heldBack = HeldBack.create();
  readonly #targets: () => Targets;
  #plan: Plan;
  #started = false;
  #startFailure: string | null = null;
  #waiters: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  /** `targets`: where the endpoints of the newest plan are, as of now. */
  constructor(plan: Plan, targets: () => Targets, events: DataPlaneEvents) {
    this.#plan = plan;
    this.#targets = targets;
    this.#events = events;
    const { proxy, shadow, ringBytes } = plan.threads;
    this.#book = new CounterBlocks(proxy, shadow, sinkThreads);
    atOnce(this.#book.enter(plan));
    this.#connectionCounts = createConnectionCounts(plan.listeners.length, proxy);
    this.#rings = range(proxy).map(() => range(shadow).map(() => createRing(ringBytes)));
    this.#sinkRings = range(proxy).map(() => createRing(ringBytes));
    this.#doorbells = range(shadow).map(() => createDoorbell());
    this.#fullSlots = range(shadow + sinkThreads).map(() => FullSlots.create());
    this.logRings = range(proxy + shadow).map(() => createRing(limits.accessLogRingBytes));
    this.pairRings = range(shadow).map(() => createRing(limits.pairRingBytes));
    for (const index of range(shadow)) this.#shadows.push(this.#member('shadow', index));
    for (const index of range(sinkThreads)) this.#sinks.push(this.#member('sink', index));
    for (const index of range(proxy)) this.#proxies.push(this.#member('proxy', index));
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Starts every thread; resolves when all are ready, rejects with the first one's error if it can't start. */
  async start(): Promise<void> {
    const members = [...this.#shadows, ...this.#neededSinks(), ...this.#proxies];
    for (const { thread } of members) thread.start();
    await this.#until(() => this.#startFailure !== null || members.every(({ thread }) => thread.ready));
    if (this.#startFailure !== null) throw new Error(this.#startFailure);
    this.#started = true;
  }

  /** Versions keep their figures for the life of the process, so the number of names it has seen is bounded. */
  hasRoomFor(plan: Plan): boolean {
    return this.#book.versionsWith(plan) <= limits.versions;
  }

  /**
   * Every thread takes `plan`: shadow threads first, so that no frame of it comes to one that does not know it.
   * Resolves when all have taken it. Not to be called again before it has.
   */
  async take(plan: Plan): Promise<void> {
    await new Promise<void>((resolve) => inSlices(this.#book.enter(plan), resolve));
    this.#plan = plan;
    const rest = { ...plan, routes: [], effective: '' };
    // It begins with the plan that it is started for, and a proxy thread need not wait for it: what it offers stays in the ring.
    for (const { thread } of this.#neededSinks()) if (!thread.started) thread.start();
    for (const members of [this.#shadows, this.#sinks, this.#proxies]) {
      await Promise.all(members.map((member) => this.#sendParts(member, plan)));
      for (const { thread } of members) thread.post({ type: 'plan', plan: rest, targets: this.#targets() });
      await this.#until(() => members.every((member) => hasTaken(member, plan.generation)));
    }
    for (const { thread } of [...this.#shadows, ...this.#sinks]) {
      thread.post({ type: 'retire', belowGeneration: plan.generation });
    }
  }

  /** One after the other, so that between two of them the thread serves. */
  async #sendParts(member: Member, plan: Plan): Promise<void> {
    const { thread } = member;
    const counters = this.#book.sharesFor(dataKind(thread), thread.index, plan);
    const fresh = <T>(blocks: readonly (readonly [T, SharedArrayBuffer | undefined])[]) =>
      blocks.filter(
        (block): block is readonly [T, SharedArrayBuffer] =>
          block[1] !== undefined && !member.given.has(block[1]),
      );
    const versions = fresh(counters.versions.map((shared, index) => [plan.versions[index].name, shared]));
    const mirrors = fresh(counters.mirrors.map((shared, slot) => [slot, shared]));
    for (const [, shared] of [...versions, ...mirrors]) member.given.add(shared);
    for (const part of partsOf(plan, { versions, mirrors })) {
      // A thread that is gone begins with the whole plan when it is back.
      if (hasTaken(member, plan.generation)) return;
      member.partsOpen++;
      thread.post(part);
      await this.#until(() => member.partsOpen === 0 || hasTaken(member, plan.generation));
    }
  }

  /** Endpoints have moved: every thread is told where they are now. */
  move(): void {
    const targets = this.#targets();
    for (const { thread } of [...this.#shadows, ...this.#proxies]) thread.post({ type: 'targets', targets });
  }

  /** Proxy threads answer what they have and take nothing new; then shadow threads finish theirs; at most `withinMs` in all. */
  async drain(withinMs: number, handOver = false): Promise<void> {
    const deadlineMs = performance.now() + withinMs;
    await this.#drainAll(this.#proxies, deadlineMs, handOver);
    await Promise.all(this.#proxies.map((member) => member.thread.stop()));
    await this.#drainAll(
      [...this.#shadows, ...this.#sinks],
      Math.max(deadlineMs, performance.now() + shadowDrainMs),
      false,
    );
    await this.stop();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#proxies.map((member) => member.thread.stop()));
    await Promise.all([...this.#shadows, ...this.#sinks].map((member) => member.thread.stop()));
  }

  /** Everything that the control thread reads. */
  observed(): Omit<ObservedBlocks, 'engine' | 'startedUs' | 'targets' | 'names'> {
    return {
      plan: this.#plan,
      ...this.#book.observed(),
      heldBack: this.#heldBack,
      rings: [
        ...this.#rings.flatMap((rings, proxy) =>
          rings.map((shared, shadow) => ({ name: `proxy-${proxy}/shadow-${shadow}`, shared })),
        ),
        ...(this.#book.hasSinks ? this.#sinkRings : []).map((shared, proxy) => ({
          name: `proxy-${proxy}/sink-0`,
          shared,
        })),
      ],
    };
  }

  #neededSinks(): readonly Member[] {
    return this.#book.hasSinks ? this.#sinks : [];
  }

  async #drainAll(members: readonly Member[], deadlineMs: number, handOver: boolean): Promise<void> {
    const withinMs = Math.max(0, deadlineMs - performance.now());
    for (const { thread } of members) thread.post({ type: 'drain', withinMs, handOver });
    const drained = this.#until(() => members.every((member) => member.drained || !member.thread.ready));
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs + drainSlackMs);
    });
    await Promise.race([drained, tooLate]);
    clearTimeout(timer);
  }

  #member(kind: DataThreadKind, index: number): Member {
    const file = entryFile(`threads/${kind}`);
    const member: Member = {
      thread: new SupervisedThread(
        kind,
        index,
        file,
        this.#threadEvents(() => member),
      ),
      takenGeneration: 0,
      drained: false,
      partsOpen: 0,
      given: new Set(),
    };
    return member;
  }

  #threadEvents(member: () => Member): ThreadEvents {
    return {
      start: (incarnation) => this.#threadStart(member(), incarnation),
      onReady: (thread, descriptors) => {
        if (thread.kind === 'proxy') this.#events.onProxyReady(thread.index, descriptors);
        this.#wake();
      },
      onMessage: (_thread, message) => this.#onMessage(member(), message),
      onLeaving: (thread) => {
        if (thread.kind === 'proxy') this.#events.onProxyLeaving(thread.index);
      },
      onGone: (thread, error) => this.#onGone(thread, error),
    };
  }

  #threadStart(member: Member, incarnation: number): ThreadStart {
    const { thread } = member;
    const kind = dataKind(thread);
    const isProxy = kind === 'proxy';
    // A thread that starts between two plans begins with the newer one: that is as good as having taken it.
    member.takenGeneration = this.#plan.generation;
    member.partsOpen = 0;
    member.given.clear();
    const counters = this.#book.sharesFor(kind, thread.index, this.#plan);
    for (const shared of [...counters.versions, ...counters.mirrors])
      if (shared !== undefined) member.given.add(shared);
    return {
      kind,
      index: thread.index,
      incarnation,
      plan: { ...this.#plan, effective: '' },
      targets: this.#targets(),
      counters,
      threadCounters: this.#book.threadCounters(kind, thread.index),
      connectionCounts: this.#connectionCounts,
      ...this.#ringsOf(kind, thread.index),
      sink: isProxy ? { ring: this.#sinkRings[thread.index], doorbell: this.#sinkDoorbell } : null,
      shadowThreads: this.#shadows.length,
      heldBack: this.#heldBack,
      logRing:
        kind === 'sink' ? null : this.logRings[isProxy ? thread.index : this.#proxies.length + thread.index],
      logDoorbell: this.logDoorbell,
      pairRing: kind === 'shadow' ? this.pairRings[thread.index] : null,
      pairDoorbell: this.pairDoorbell,
    };
  }

  #ringsOf(kind: DataThreadKind, index: number): Pick<ThreadStart, 'rings' | 'doorbells' | 'fullSlots'> {
    const fullSlots = this.#fullSlots;
    if (kind === 'proxy') return { rings: this.#rings[index], doorbells: this.#doorbells, fullSlots };
    if (kind === 'sink') {
      const own = fullSlots[this.#shadows.length + index];
      return { rings: this.#sinkRings, doorbells: [this.#sinkDoorbell], fullSlots: [own] };
    }
    return {
      rings: this.#rings.map((rings) => rings[index]),
      doorbells: [this.#doorbells[index]],
      fullSlots: [fullSlots[index]],
    };
  }

  #onMessage(member: Member, message: FromThread): void {
    if (message.type === 'planTaken') member.takenGeneration = message.generation;
    else if (message.type === 'partTaken') member.partsOpen = Math.max(0, member.partsOpen - 1);
    else if (message.type === 'drained') member.drained = true;
    else if (message.type === 'descriptor')
      this.#events.onProxyDescriptor(member.thread.index, message.listener, message.descriptor);
    else if (message.type === 'log') this.#events.onLog(message);
    this.#wake();
  }

  #onGone(thread: SupervisedThread, error: string | null): void {
    this.#book.settle(dataKind(thread), thread.index);
    if (thread.kind === 'proxy') this.#settleConnections(thread.index);
    if (error !== null && !this.#started) {
      this.#startFailure ??= `a ${thread.kind} thread can't start: ${messageOf(error)}`;
    } else if (error !== null) {
      this.#book.restarted(dataKind(thread), thread.index);
      this.#events.onLog({
        type: 'log',
        level: 'error',
        message: `${thread.kind} thread ${thread.index} failed and is being replaced`,
        fields: { error },
      });
    }
    this.#wake();
  }

  #settleConnections(proxy: number): void {
    const { listeners, threads } = this.#plan;
    for (const listener of listeners.keys())
      new ConnectionCount(this.#connectionCounts, listener, proxy, threads.proxy).settle();
  }

  #until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ done, resolve }));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = waiters.filter((waiter) => !waiter.done());
    for (const waiter of waiters) if (!this.#waiters.includes(waiter)) waiter.resolve();
  }
}

/** One for all sinks: what is written to one directory goes through one hand. */
const sinkThreads = 1;
/** Shadow and sink threads get at least this long for what is in their rings, also when the proxy threads used the time up. */
const shadowDrainMs = 250;
/** A thread's own deadline comes first; main's is for a thread that does not answer. */
const drainSlackMs = 500;

/** A thread that is gone mirrors nothing, and begins with the newest plan when it is back. */
function hasTaken(member: Member, generation: number): boolean {
  return member.takenGeneration >= generation || !member.thread.running;
}

function dataKind({ kind }: SupervisedThread): DataThreadKind {
  return kind === 'control' ? 'shadow' : kind;
}

/** The first line of an error's stack without the error's class: what a person needs who starts umbra. */
function messageOf(stack: string): string {
  return stack.replace(/\n[\s\S]*/, '').replace(/^\w*Error: /, '');
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
