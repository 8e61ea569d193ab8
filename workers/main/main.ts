/**
 * umbra as one object: listeners, data plane and control thread under one plan. It starts them and stops them
 * in order.
 */
import { randomBytes } from 'node:crypto';
import type { LoadedAll } from '../../config/load-all.js';
import type { Origin } from '../../config/origin.js';
import { nowUs, wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { Plan } from '../../core/plan.js';
import { ReloadBlock } from '../../core/record/reload-block.js';
import type { ObservedBlocks } from '../../core/report/observed.js';
import { type Reading, read } from '../../core/report/reading.js';
import { engineNames, settleEngines } from '../downstream/acceptors.js';
import { type InheritedSocket, matchListeners } from '../downstream/inherited.js';
import type { ChangeAnswer, LogMessage, PlanSource } from '../protocol/messages.js';
import { openObservation } from '../protocol/observation.js';
import { AddressBook } from './address-book.js';
import { ControlThread } from './control-thread.js';
import { DataPlane } from './data-plane.js';
import { DescriptorReserve } from './descriptor-reserve.js';
import { EndpointLog } from './endpoint-log.js';
import { Listeners } from './listeners.js';
import { RunningPlan } from './running-plan.js';
import { ThreadWatch } from './thread-watch.js';

export interface UmbraOptions {
  readonly loaded: Extract<LoadedAll, { ok: true }>;
  readonly cores: number;
  readonly onLog: (message: LogMessage) => void;
  /** Called before another plan than the first one is applied. */
  readonly onPlan?: (plan: Plan) => void;
  /**
   * Serves on the addresses of another process. Called once umbra serves, to ask that process to leave them.
   */
  readonly takeOver?: (() => Promise<void>) | undefined;
  /** The process was started with `--takeover`, even if there was no process to take over from. */
  readonly mayTakeOver?: boolean;
  /** The bucket that `loaded` came from, which is followed. */
  readonly plan?: PlanSource | undefined;
  /** Sockets that systemd opened for listeners. */
  readonly inherited?: readonly InheritedSocket[];
}

export class Umbra {
  readonly #options: UmbraOptions;
  readonly #startedUs = nowUs();
  readonly #reload = ReloadBlock.create(wallClockMs());
  readonly #fleetId = randomBytes(4).toString('hex');
  readonly #running: RunningPlan;
  readonly #addresses: AddressBook;
  readonly #plane: DataPlane;
  readonly #control: ControlThread;
  readonly #endpointLog: EndpointLog;
  readonly #listeners = new Listeners();
  readonly #reserve: DescriptorReserve;
  readonly #watch: ThreadWatch;
  /** Inherited sockets by listener. */
  readonly #inherited: readonly (InheritedSocket | null)[];
  #stopped: Promise<void> | null = null;

  private constructor(options: UmbraOptions) {
    this.#options = options;
    const { loaded, cores, onLog } = options;
    this.#running = new RunningPlan({
      loaded,
      cores,
      onLog,
      source: options.plan ?? null,
      share: (text, revision) => this.#control.share(text, revision),
    });
    const { first } = this.#running;
    this.#inherited = matchListeners(first.listeners, options.inherited ?? []);
    const { listeners, warning } = settleEngines(first.listeners, this.#inherited, options.mayTakeOver);
    if (warning !== null) this.#log('warn', `${warning}; the node engine serves instead`);
    this.#addresses = new AddressBook({
      onChange: () => {
        this.#plane.move();
        void this.#control.observe(this.#observed(), this.#running.live);
      },
      onLog: (level, message, fields) => onLog({ type: 'log', level, message, fields }),
    });
    this.#endpointLog = new EndpointLog({
      onLog,
      onErrors: (errors) => this.#control.showErrors(errors),
      clockMs: () => performance.now(),
    });
    this.#plane = new DataPlane({ ...first, listeners }, () => this.#addresses.targets, {
      onProxyReady: (index, descriptors) => this.#listeners.add(index, descriptors),
      onProxyDescriptor: (index, listener, descriptor) =>
        this.#listeners.replace(index, listener, descriptor),
      onProxyLeaving: (index) => this.#listeners.remove(index),
      onLog,
      onUpstream: (thread, event) => {
        if (event === null) this.#endpointLog.gone(thread);
        else this.#endpointLog.take(thread, event);
      },
    });
    this.#control = new ControlThread(
      () => ({
        kind: 'control',
        observed: this.#observed(),
        live: this.#running.live,
        logRings: this.#plane.memory.logRings,
        logDoorbell: this.#plane.memory.logDoorbell,
        pairRings: this.#plane.memory.pairRings,
        pairDoorbell: this.#plane.memory.pairDoorbell,
        endpointErrors: this.#endpointLog.errors,
        reload: this.#reload,
        fleetId: this.#fleetId,
        plan: this.#running.source,
        takeoverMs: options.takeOver === undefined ? 0 : limits.takeoverMs,
      }),
      { change: (ask) => this.change(ask), onLog },
    );
    this.#reserve = new DescriptorReserve({
      onShortage: (checks) => this.#onShortage(checks),
      onRecovery: () => this.#onRecovery(),
    });
    this.#watch = new ThreadWatch(
      () => [...this.#plane.watched(), ...this.#control.watched()],
      (name, silent) =>
        silent
          ? this.#log('error', `${name} does not respond: its event loop has been blocked for ten seconds`)
          : this.#log('info', `${name} responds again`),
    );
  }

  /**
   * `start` resolves when umbra serves. If it can't, it stops everything and rejects with an Error of one
   * line.
   */
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

  /** `http://127.0.0.1:8080`, one per listener, with the actual ports. */
  get listening(): string[] {
    return this.#listeners.urls;
  }

  /** The admin API's URL; null when it is off. */
  get admin(): string | null {
    return this.#control.address;
  }

  /** False while a thread does not respond. */
  get allThreadsAnswer(): boolean {
    return this.#watch.allAnswer;
  }

  /** `read` returns all figures as of now. It only reads shared memory. */
  read(): Reading {
    return read(openObservation(this.#observed()), nowUs());
  }

  /** `change` is `RunningPlan.change`, and notes how a reload ended. */
  change(ask: Parameters<RunningPlan['change']>[0]): Promise<ChangeAnswer> {
    const answer = this.#running.change(ask);
    return ask.what === 'plan' ? this.#marked(answer) : answer;
  }

  /** `replace` is `RunningPlan.replace`, and notes how it ended. */
  replace(origin: Origin): Promise<ChangeAnswer> {
    return this.#marked(this.#running.replace(origin));
  }

  /** `#marked` notes how a reload ended, for the metrics. */
  async #marked(reload: Promise<ChangeAnswer>): Promise<ChangeAnswer> {
    const answer = await reload;
    new ReloadBlock(this.#reload).ended(answer.ok, wallClockMs());
    return answer;
  }

  /** `followAgain` applies the plan in its bucket again, with the files that it names. */
  followAgain(): void {
    this.#control.followAgain();
  }

  /** `reopenLog` begins a new access log file of the same name, after the old one was moved. */
  reopenLog(): void {
    this.#control.reopenLog();
  }

  /** `drain` stops accepting, finishes exchanges in flight within the plan's `drain`, then stops. */
  drain(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  /**
   * `handOver` is called when another process serves on these addresses. It stops accepting, answers requests
   * that still arrive on kept connections, then stops.
   */
  handOver(): Promise<void> {
    this.#stopped ??= this.#handOver();
    return this.#stopped;
  }

  /** `stopNow` stops at once and cuts exchanges in flight. */
  async stopNow(): Promise<void> {
    const closed = this.#running.close();
    this.#addresses.stop();
    this.#reserve.close();
    this.#watch.close();
    this.#listeners.close();
    await this.#plane.stop();
    await this.#control.stop();
    await closed;
  }

  async #start(): Promise<void> {
    const { takeOver } = this.#options;
    if (takeOver === undefined) await this.#running.own(0);
    await this.#addresses.apply(this.plan);
    await Promise.all([this.#plane.start(), takeOver === undefined ? this.#control.start() : undefined]);
    await this.#listeners.open(this.plan.listeners, takeOver !== undefined, this.#inherited);
    if (takeOver !== undefined) {
      await takeOver();
      await this.#ownAfterTakeover();
    }
    await this.#running.begin({
      plan: () => this.plan,
      apply: (plan) => this.#apply(plan),
      hasRoomFor: (plan) => this.#plane.hasRoomFor(plan),
      show: () => void this.#control.observe(this.#observed(), this.#running.live),
    });
    if (takeOver !== undefined) await this.#control.start();
    this.#control.setServing(true);
  }

  /**
   * `#ownAfterTakeover` serves even if it can't own the state directory, because the previous process stops
   * serving.
   */
  async #ownAfterTakeover(): Promise<void> {
    try {
      await this.#running.own(limits.takeoverMs);
    } catch (error) {
      this.#log(
        'error',
        `${(error as Error).message}; documents can't be changed, and live changes are not kept, until it is free`,
      );
    }
  }

  async #apply(plan: Plan): Promise<void> {
    this.#options.onPlan?.(plan);
    await this.#addresses.apply(plan);
    await this.#plane.apply(plan);
    this.#endpointLog.follow(plan.versions);
    await this.#control.observe(this.#observed(), this.#running.live);
  }

  async #drain(): Promise<void> {
    this.#control.setServing(false);
    this.#listeners.stopListening();
    await this.#plane.drain(this.plan.drainMs);
    await this.stopNow();
  }

  /** `#handOver` finishes and stores changes before the other process reads them. */
  async #handOver(): Promise<void> {
    this.#control.setServing(false);
    this.#listeners.stopListening();
    await this.#running.close();
    this.#control.closeAdmin();
    await this.#plane.drain(this.plan.drainMs, true);
    await this.stopNow();
  }

  /**
   * `#onShortage` closes idle connections of shadows first, then those of primaries. New clients are refused
   * meanwhile.
   */
  #onShortage(checks: number): void {
    if (checks === 1) {
      this.#control.countShortage();
      this.#plane.memory.closeToClients(true);
      this.#log(
        'warn',
        'out of file descriptors (EMFILE): idle upstream connections are closed and new clients are refused; raise LimitNOFILE= or lower connections.max',
      );
    }
    this.#plane.releaseIdle(checks === 1 ? 'shadow' : 'primary');
  }

  #onRecovery(): void {
    this.#plane.memory.closeToClients(false);
    this.#log('info', 'file descriptors are available again; clients are accepted');
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

  #log(level: LogMessage['level'], message: string): void {
    this.#options.onLog({ type: 'log', level, message, fields: {} });
  }
}
