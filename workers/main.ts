/**
 * umbra as one object: acceptors, data plane and control thread under one plan. Main starts them, hands
 * connections out, carries changes to every thread, and takes everything down in order.
 */
import { dirname } from 'node:path';
import { compilePlan } from '../config/compile.js';
import type { Config, LoadResult } from '../config/load.js';
import { formatProblem, loadConfig, unreadable } from '../config/load.js';
import { MirrorSlots, MirrorSlotsFullError } from '../config/slots.js';
import { nowUs } from '../core/clock.js';
import { limits } from '../core/limits.js';
import type { Plan } from '../core/plan.js';
import type { ObservedBlocks } from '../core/report/observed.js';
import { type Reading, read } from '../core/report/reading.js';
import { AddressBook } from './address-book.js';
import { ControlThread } from './control-thread.js';
import { DataPlane } from './data-plane.js';
import type { Acceptor } from './downstream/downstream.js';
import { engineNames, openAcceptor, settleEngines } from './downstream/open.js';
import { followListeners } from './listener-change.js';
import type { ChangeAnswer, ChangeAsk, LogMessage } from './messages.js';
import { openObservation } from './observation.js';
import { withMirror } from './plan-change.js';

export interface UmbraOptions {
  readonly config: Config;
  /** Path of the configuration: relative paths in one that comes through the admin API start from its directory. */
  readonly file: string;
  readonly cores: number;
  readonly onLog: (message: LogMessage) => void;
  /** Serves on addresses that another process has, and calls this, which asks that process to leave them, once it does. */
  readonly takeOver?: (() => void) | undefined;
}

export class Umbra {
  readonly #options: UmbraOptions;
  readonly #slots = new MirrorSlots();
  readonly #startedUs = nowUs();
  readonly #addresses: AddressBook;
  readonly #plane: DataPlane;
  readonly #control: ControlThread;
  #acceptors: Acceptor[] = [];
  /** By proxy thread: its handles, by listener; null while it can take no connections. */
  readonly #descriptors: (readonly unknown[] | null)[] = [];
  /** Changes wait for each other: a plan is never sent while another is being taken. */
  #changes: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | null = null;

  private constructor(options: UmbraOptions) {
    this.#options = options;
    const compiled = compilePlan(options.config, 1, this.#slots, options.cores);
    const { listeners, warning } = settleEngines(compiled.listeners);
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
        logRings: this.#plane.logRings,
        logDoorbell: this.#plane.logDoorbell,
        pairRings: this.#plane.pairRings,
        pairDoorbell: this.#plane.pairDoorbell,
        takeoverMs: options.takeOver === undefined ? 0 : limits.takeoverMs,
      }),
      { change: (ask) => this.change(ask), onLog: options.onLog },
    );
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
    const change = this.#changes.then(() =>
      ask.what === 'config' ? this.#replace(ask.text) : this.#mirror(ask),
    );
    this.#changes = change.catch(() => undefined);
    return change;
  }

  /**
   * Another configuration takes the place of this one, or the running one stays in force and the answer says why.
   * `load` is called when every change before this one is done, so that of two reloads the later one has the newer text.
   */
  replace(load: () => Promise<LoadResult>): Promise<ChangeAnswer> {
    const change = this.#changes.then(async () => this.#replaceLoaded(await load()));
    this.#changes = change.catch(() => undefined);
    return change;
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
    for (const acceptor of this.#acceptors) acceptor.close();
    await this.#plane.stop();
    await this.#control.stop();
  }

  /** Another process serves on these addresses: stops accepting, answers what still comes on kept connections, then stops. */
  handOver(): Promise<void> {
    this.#stopped ??= this.#handOver();
    return this.#stopped;
  }

  async #start(): Promise<void> {
    await this.#addresses.follow(this.plan);
    const { takeOver } = this.#options;
    await this.#plane.start();
    if (takeOver === undefined) await this.#control.start();
    for (const listener of this.plan.listeners) {
      this.#acceptors.push(await openAcceptor(listener, takeOver !== undefined));
      this.#descriptors.forEach((descriptors, index) => {
        if (descriptors !== null) this.#addChildren(index, descriptors, this.#acceptors.length - 1);
      });
    }
    await Promise.all(this.#acceptors.map((acceptor) => acceptor.settled()));
    if (takeOver !== undefined) {
      takeOver();
      await this.#control.start();
    }
    this.#control.setReady(true);
  }

  async #drain(): Promise<void> {
    this.#control.setReady(false);
    for (const acceptor of this.#acceptors) acceptor.stopListening();
    await this.#plane.drain(this.plan.drainMs);
    await this.stopNow();
  }

  async #handOver(): Promise<void> {
    this.#control.setReady(false);
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

  #observed(): ObservedBlocks {
    return {
      ...this.#plane.observed(),
      engine: engineNames(this.plan.listeners),
      startedUs: this.#startedUs,
      targets: this.#addresses.targets,
      names: this.#addresses.names,
    };
  }

  async #mirror(ask: Extract<ChangeAsk, { what: 'mirror' }>): Promise<ChangeAnswer> {
    const changed = withMirror(this.plan, ask);
    if (!changed.ok) return changed;
    return this.#take(changed.plan);
  }

  #replace(text: string): Promise<ChangeAnswer> {
    return this.#replaceLoaded(
      loadConfig(text, 'request', { directory: dirname(this.#options.file), unreadable }),
    );
  }

  async #replaceLoaded(loaded: LoadResult): Promise<ChangeAnswer> {
    if (!loaded.ok) {
      return refused(loaded.problems.map(formatProblem));
    }
    const { plan } = this;
    let next: Plan;
    try {
      next = compilePlan(loaded.config, plan.generation + 1, this.#slots, this.#options.cores);
    } catch (error) {
      if (error instanceof MirrorSlotsFullError) return refused([error.message]);
      throw error;
    }
    if (!this.#plane.hasRoomFor(next)) {
      return refused([
        `more than ${limits.versions} names of versions since the start: umbra must be started anew`,
      ]);
    }
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
    await this.#plane.take(plan);
    await this.#control.observe(this.#observed());
    return { ok: true, generation: plan.generation };
  }
}

function refused(problems: readonly string[]): ChangeAnswer {
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
