/**
 * umbra as one object: acceptors, data plane and control thread under one plan. Main starts them, hands
 * connections out, carries changes to every thread, and takes everything down in order.
 */
import { randomBytes } from 'node:crypto';
import { compilePlan } from '../../config/compile.js';
import { writeStore } from '../../config/documents/files.js';
import type { LoadedAll, LoadJob } from '../../config/load-all.js';
import type { Origin } from '../../config/origin.js';
import { formatProblem } from '../../config/problem.js';
import { MirrorSlots, MirrorSlotsFullError } from '../../config/slots.js';
import { nowUs, wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import { type Reading, read } from '../../core/report/reading.js';
import { engineNames, openAcceptor, settleEngines } from '../downstream/acceptors.js';
import type { Acceptor } from '../downstream/downstream.js';
import { type InheritedSocket, matchListeners } from '../downstream/inherited.js';
import type { ChangeAnswer, ChangeAsk, LogMessage, PlanSource } from '../protocol/messages.js';
import { openObservation } from '../protocol/observation.js';
import { AddressBook } from './address-book.js';
import { ControlThread } from './control-thread.js';
import { DataPlane } from './data-plane.js';
import { DescriptorReserve } from './descriptor-reserve.js';
import { followListeners } from './listener-change.js';
import { loadInThread } from './loading.js';
import { withLiveChanges, withMirror, withWeights } from './plan-change.js';

export interface UmbraOptions {
  readonly loaded: Extract<LoadedAll, { ok: true }>;
  readonly cores: number;
  readonly onLog: (message: LogMessage) => void;
  /**
   * Serves on addresses that another process has, and calls this, which asks that process to leave them, once
   * it does.
   */
  readonly takeOver?: (() => void) | undefined;
  /** The process was started with `--takeover`, also where there was nothing to take over. */
  readonly mayTakeOver?: boolean;
  /** The bucket that `loaded` came from, to be followed. */
  readonly plan?: PlanSource | undefined;
  /** Sockets that systemd opened for listeners. */
  readonly inherited?: readonly InheritedSocket[];
}

export class Umbra {
  readonly #options: UmbraOptions;
  readonly #slots = new MirrorSlots();
  readonly #startedUs = nowUs();
  readonly #fleetId = randomBytes(4).toString('hex');
  readonly #addresses: AddressBook;
  readonly #plane: DataPlane;
  readonly #control: ControlThread;
  readonly #reserve: DescriptorReserve;
  /** By listener. */
  readonly #inherited: readonly (InheritedSocket | null)[];
  #acceptors: Acceptor[] = [];
  /** By proxy thread: its handles, by listener; null while it can take no connections. */
  readonly #descriptors: (readonly unknown[] | null)[] = [];
  /** Changes wait for each other: a plan is never sent while another is being taken. */
  #changes: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | null = null;
  /** The plan in a bucket that is followed, with the revision in force. */
  #followed: PlanSource | null;
  /** Where the configuration in force came from. */
  #origin: Origin;
  /** The plan in force as it was before anybody changed a mirror of it live. */
  #configured: Plan;

  private constructor(options: UmbraOptions) {
    this.#options = options;
    this.#origin = options.loaded.origin;
    this.#followed = options.plan ?? null;
    const compiled = compilePlan(options.loaded.config, 1, this.#slots, options.cores);
    this.#configured = compiled;
    this.#inherited = matchListeners(compiled.listeners, options.inherited ?? []);
    const { listeners, warning } = settleEngines(compiled.listeners, this.#inherited, options.mayTakeOver);
    if (warning !== null) this.#warn(`${warning}; the node engine serves instead`);
    const plan = { ...compiled, listeners };
    this.#addresses = new AddressBook({
      onChange: () => {
        this.#plane.move();
        void this.#control.observe(this.#observed());
      },
      onLog: (level, message, fields) => options.onLog({ type: 'log', level, message, fields }),
    });
    this.#plane = new DataPlane(plan, () => this.#addresses.targets, {
      onProxyReady: (index, descriptors) => this.#onProxyReady(index, descriptors),
      onProxyDescriptor: (index, listener, descriptor) => this.#onDescriptor(index, listener, descriptor),
      onProxyLeaving: (index) => this.#onProxyLeaving(index),
      onLog: options.onLog,
    });
    this.#control = new ControlThread(
      () => ({
        kind: 'control',
        observed: this.#observed(),
        logRings: this.#plane.memory.logRings,
        logDoorbell: this.#plane.memory.logDoorbell,
        pairRings: this.#plane.memory.pairRings,
        pairDoorbell: this.#plane.memory.pairDoorbell,
        fleetId: this.#fleetId,
        plan: this.#followed,
        takeoverMs: options.takeOver === undefined ? 0 : limits.takeoverMs,
      }),
      { change: (ask) => this.change(ask), onLog: options.onLog },
    );
    this.#reserve = new DescriptorReserve({
      onShortage: (checks) => this.#onShortage(checks),
      onRecovery: () => this.#onRecovery(),
    });
  }

  /** Resolves when it serves; rejects with an Error of one line when it can't, with nothing left running. */
  static async start(options: UmbraOptions): Promise<Umbra> {
    const umbra = new Umbra(options);
    try {
      await umbra.#start();
      return umbra;
    } catch (error) {
      await umbra.stopNow();
      throw error;
    }
  }

  get plan(): Plan {
    return this.#plane.plan;
  }

  /** `http://127.0.0.1:8080`, one per listener, with the real ports. */
  get listening(): string[] {
    return this.#acceptors.map((acceptor) => acceptor.url);
  }

  /** The admin API's URL, null where it is switched off. */
  get admin(): string | null {
    return this.#control.address;
  }

  /** Everything measured so far, as of now. Reads shared memory only. */
  read(): Reading {
    return read(openObservation(this.#observed()), nowUs());
  }

  /** A change of the running plan; answers when every thread has taken it. */
  change(ask: ChangeAsk): Promise<ChangeAnswer> {
    return this.#inTurn(() => this.#changed(ask));
  }

  /**
   * Another configuration takes the place of this one, or the running one stays in force and the answer says
   * why. What `origin` leaves open is read when every change before this one is done, so that of two reloads
   * the later one has the newer text. What was applied stays applied.
   */
  replace(origin: Origin): Promise<ChangeAnswer> {
    return this.#inTurn(() => this.#replaceBy(origin));
  }

  /** The plan in its bucket is taken once more, with what it names. */
  followAgain(): void {
    this.#control.followAgain();
  }

  /** After the access log's file was moved away: a new one of its name is begun. */
  reopenLog(): void {
    this.#control.reopenLog();
  }

  /** Stops accepting, finishes what is in flight within the plan's `drain`, then stops. */
  drain(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  /** Stops at once; exchanges in flight are cut. */
  async stopNow(): Promise<void> {
    this.#addresses.stop();
    this.#reserve.close();
    for (const acceptor of this.#acceptors) acceptor.close();
    await this.#plane.stop();
    await this.#control.stop();
  }

  /**
   * Another process serves on these addresses: stops accepting, answers what still comes on kept connections,
   * then stops.
   */
  handOver(): Promise<void> {
    this.#stopped ??= this.#handOver();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    await this.#addresses.follow(this.plan);
    const { takeOver } = this.#options;
    await Promise.all([this.#plane.start(), takeOver === undefined ? this.#control.start() : undefined]);
    for (const [index, listener] of this.plan.listeners.entries()) {
      const inherited = this.#inherited[index] ?? null;
      this.#acceptors.push(await openAcceptor(listener, takeOver !== undefined, inherited));
      this.#descriptors.forEach((descriptors, thread) => {
        if (descriptors !== null) this.#addChildren(thread, descriptors, index);
      });
    }
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.settled()));
    if (takeOver !== undefined) {
      takeOver();
      await this.#control.start();
    }
    this.#control.setServing(true);
  }

  async #drain(): Promise<void> {
    this.#control.setServing(false);
    for (const acceptor of this.#acceptors) acceptor.stopListening();
    await this.#plane.drain(this.plan.drainMs);
    await this.stopNow();
  }

  async #handOver(): Promise<void> {
    this.#control.setServing(false);
    for (const acceptor of this.#acceptors) acceptor.stopListening();
    this.#control.closeAdmin();
    await this.#plane.drain(this.plan.drainMs, true);
    await this.stopNow();
  }

  #onProxyReady(index: number, descriptors: readonly unknown[]): void {
    this.#descriptors[index] = descriptors;
    for (const listener of this.#acceptors.keys()) this.#addChildren(index, descriptors, listener);
  }

  #addChildren(index: number, descriptors: readonly unknown[], listener: number): void {
    this.#acceptors[listener].addChild(index, descriptors[listener]);
  }

  #onDescriptor(index: number, listener: number, descriptor: unknown): void {
    const descriptors = this.#descriptors[index];
    if (descriptors == null) return;
    this.#descriptors[index] = descriptors.map((before, i) => (i === listener ? descriptor : before));
    this.#acceptors[listener]?.addChild(index, descriptor);
  }

  #onProxyLeaving(index: number): void {
    if (this.#descriptors[index] == null) return;
    this.#descriptors[index] = null;
    for (const acceptor of this.#acceptors) acceptor.removeChild(index);
  }

  /** Shadows' idle connections go first, then those of primaries. Clients that come meanwhile are refused. */
  #onShortage(checks: number): void {
    if (checks === 1) {
      this.#control.countShortage();
      this.#plane.memory.closeToClients(true);
      this.#warn(
        'out of file descriptors (EMFILE): idle upstream connections are closed and new clients are refused; raise LimitNOFILE= or lower connections.max',
      );
    }
    this.#plane.releaseIdle(checks === 1 ? 'shadow' : 'primary');
  }

  #onRecovery(): void {
    this.#plane.memory.closeToClients(false);
    this.#options.onLog({
      type: 'log',
      level: 'info',
      message: 'file descriptors are available again; clients are accepted',
      fields: {},
    });
  }

  #observed(): ObservedBlocks {
    const plane = this.#plane.observed();
    return {
      ...plane,
      threads: [...plane.threads, { kind: 'control', name: 'control', block: this.#control.shared }],
      engine: engineNames(this.plan.listeners),
      startedUs: this.#startedUs,
      targets: this.#addresses.targets,
      names: this.#addresses.names,
    };
  }

  #changed(ask: ChangeAsk): Promise<ChangeAnswer> {
    if (ask.what === 'plan') return this.#follow(ask);
    if (ask.what === 'config') return this.#replace(ask.text);
    if (ask.what === 'documents') return this.#changeDocuments(ask);
    return ask.what === 'weights' ? this.#weights(ask) : this.#mirror(ask);
  }

  async #mirror(ask: Extract<ChangeAsk, { what: 'mirror' }>): Promise<ChangeAnswer> {
    const changed = withMirror(this.plan, ask);
    if (!changed.ok) return changed;
    return this.#take(changed.plan);
  }

  #inTurn(change: () => Promise<ChangeAnswer>): Promise<ChangeAnswer> {
    const done = this.#changes.then(change).catch((error: unknown): ChangeAnswer => {
      const message = `the change failed: ${error instanceof Error ? error.message : String(error)}`;
      this.#options.onLog({ type: 'log', level: 'error', message, fields: {} });
      return { ok: false, status: 500, message, problems: [] };
    });
    this.#changes = done;
    return done;
  }

  async #weights(ask: Extract<ChangeAsk, { what: 'weights' }>): Promise<ChangeAnswer> {
    const changed = withWeights(this.plan, ask);
    if (!changed.ok) return changed;
    return this.#take(changed.plan);
  }

  #replace(text: string): Promise<ChangeAnswer> {
    const { file, directory } = this.#origin;
    return this.#replaceBy({ file, text, sent: true, set: [], directory, applied: null });
  }

  async #follow({ text, revision }: Extract<ChangeAsk, { what: 'plan' }>): Promise<ChangeAnswer> {
    const answer = await this.#replaceBy({ ...this.#options.loaded.origin, text });
    if (answer.ok && this.#followed !== null) this.#followed = { ...this.#followed, revision };
    return answer;
  }

  async #replaceBy(origin: Origin): Promise<ChangeAnswer> {
    const { applied } = this.#origin;
    const loaded = await loadInThread(jobOf({ ...origin, applied }));
    if (!loaded.ok) return refused(loaded.problems.map(formatProblem));
    const next = this.#compile(loaded);
    if ('ok' in next) return next;
    this.#origin = loaded.origin;
    this.#configured = next;
    return this.#put(next);
  }

  /** Live changes of mirrors stay, but of those that the change is about. */
  async #changeDocuments(ask: Extract<ChangeAsk, { what: 'documents' }>): Promise<ChangeAnswer> {
    const { change, dryRun } = ask;
    const job = { origin: this.#origin, change, nowMs: wallClockMs(), yaml: dryRun };
    const loaded = await loadInThread(job);
    if (!loaded.ok) return refused(loaded.problems.map(formatProblem));
    const { told, yaml } = loaded;
    const warnings = loaded.warnings.map(formatProblem);
    if (dryRun) return { ok: true, generation: this.plan.generation, documents: { told, warnings, yaml } };
    const next = this.#compile(loaded);
    if ('ok' in next) return next;
    if (loaded.store === null)
      warnings.push('kept until this process ends: `documents.state` of the configuration is not set');
    else await writeStore(loaded.store, loaded.origin.applied ?? []);
    const answer = await this.#put(withLiveChanges(this.#configured, this.plan, next));
    this.#origin = loaded.origin;
    this.#configured = next;
    return answer.ok ? { ...answer, documents: { told, warnings, yaml: null } } : answer;
  }

  /** The plan of what was loaded, or why it can't be taken. */
  #compile({ config }: Extract<LoadedAll, { ok: true }>): Plan | Extract<ChangeAnswer, { ok: false }> {
    let next: Plan;
    try {
      next = compilePlan(config, this.plan.generation + 1, this.#slots, this.#options.cores);
    } catch (error) {
      if (error instanceof MirrorSlotsFullError) return refused([error.message]);
      throw error;
    }
    if (this.#plane.hasRoomFor(next)) return next;
    return refused([
      `more than ${limits.versions} names of versions since the start: umbra must be started anew`,
    ]);
  }

  #put(next: Plan): Promise<ChangeAnswer> {
    const { plan } = this;
    const fixed = whatNeedsRestart(plan, next);
    if (fixed.length > 0) {
      this.#warn(
        `a change of ${fixed.join(', ')} takes effect only when umbra is started anew; the rest was taken`,
      );
    }
    const { admin, threads } = plan;
    const listeners = followListeners(plan.listeners, next.listeners) ?? plan.listeners;
    return this.#take({ ...next, listeners, admin, threads });
  }

  #warn(message: string): void {
    this.#options.onLog({ type: 'log', level: 'warn', message, fields: {} });
  }

  async #take(plan: Plan): Promise<ChangeAnswer> {
    await this.#addresses.follow(plan);
    await this.#plane.apply(plan);
    await this.#control.observe(this.#observed());
    return { ok: true, generation: plan.generation };
  }
}

function jobOf(origin: Origin): LoadJob {
  return { origin, change: null, nowMs: wallClockMs(), yaml: false };
}

function refused(problems: readonly string[]): Extract<ChangeAnswer, { ok: false }> {
  const message = 'the configuration has errors; the running one stays in force';
  return { ok: false, status: 422, message, problems };
}

/** Keys that a running process can't change: sockets, threads and rings are there from the start. */
function whatNeedsRestart(running: Plan, next: Plan): string[] {
  const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);
  const keys: string[] = [];
  if (followListeners(running.listeners, next.listeners) === null) keys.push('listen');
  if (differs(running.admin, next.admin)) keys.push('admin');
  if (differs(running.threads, next.threads)) keys.push('threads');
  return keys;
}
