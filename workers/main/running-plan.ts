/**
 * The current plan, its origin, and every way to change it: another configuration, documents, and live
 * changes of mirrors and weights. Changes wait for each other. Main thread.
 */
import { compilePlan } from '../../config/compile.js';
import { readStore, writeStore } from '../../config/documents/store-file.js';
import type { LoadedAll } from '../../config/load-all.js';
import type { Origin } from '../../config/origin.js';
import { formatProblem } from '../../config/problem.js';
import { MirrorSlots, MirrorSlotsFullError } from '../../config/slots.js';
import { wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { LiveState } from '../../core/live/live-state.js';
import type { Plan } from '../../core/plan.js';
import type { LiveAsk, LiveView, SharedLive, ShareResult } from '../protocol/live-change.js';
import type { ChangeAnswer, ChangeAsk, LogMessage, PlanSource } from '../protocol/messages.js';
import { followListeners } from './listener-change.js';
import { joinLive } from './live-overlay.js';
import { loadInThread } from './loading.js';
import { RunningLive, startLine } from './running-live.js';
import { StateLock } from './state-lock.js';

type Loaded = Extract<LoadedAll, { ok: true }>;
type Refusal = Extract<ChangeAnswer, { ok: false }>;

/** Applies plans. */
export interface PlanTarget {
  plan(): Plan;
  /** Resolves when every thread has applied the plan. */
  apply(plan: Plan): Promise<void>;
  hasRoomFor(plan: Plan): boolean;
  /** Shows the live changes again where they are shown, without another plan. */
  show(): void;
}

export interface RunningPlanOptions {
  readonly loaded: Loaded;
  readonly cores: number;
  /** The bucket that `loaded` came from, which is followed. */
  readonly source: PlanSource | null;
  readonly onLog: (message: LogMessage) => void;
  /** Writes live changes to the bucket of `source`. */
  readonly share: (text: string, revision: number) => Promise<ShareResult>;
}

export class RunningPlan {
  /** The plan of the configuration that umbra starts with, with the live changes that were kept. */
  readonly first: Plan;
  readonly #options: RunningPlanOptions;
  readonly #slots = new MirrorSlots();
  #target: PlanTarget | null = null;
  /** The origin of the current configuration. */
  #origin: Origin;
  /** The state directory; null when documents and live changes last as long as the process. */
  #directory: string | null;
  #config: Loaded['config'];
  /** The current plan without live changes. */
  #configured: Plan;
  readonly #live: RunningLive;
  #source: PlanSource | null;
  #lock: StateLock | null = null;
  /** The last change. Plans are applied one after the other. */
  #changes: Promise<unknown>;
  /** Releases the first change; there are none before `begin`. */
  #open: () => void = () => {};
  #closed = false;

  constructor(options: RunningPlanOptions) {
    this.#options = options;
    const { loaded, source, cores } = options;
    this.#origin = loaded.origin;
    this.#directory = loaded.store;
    this.#source = source;
    this.#config = loaded.config;
    this.#configured = compilePlan(loaded.config, 1, this.#slots, cores);
    this.#live = new RunningLive({
      directory: this.#directory,
      shared: source?.live ?? null,
      own: async (directory) => (await this.#ownNow(directory))?.message ?? null,
      share: options.share,
      log: (level, message) => this.#log(level, message),
    });
    this.first = this.#joined(this.#live.state).plan;
    this.#changes = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
  }

  /** The live changes in force. */
  get live(): LiveView {
    return this.#live.view;
  }

  /** The bucket that is followed, with the current revision. */
  get source(): PlanSource | null {
    return this.#source;
  }

  /**
   * `own` locks the state directory, if there is one. It rejects with one line that names its owner, or what
   * prevents its use.
   */
  async own(withinMs: number): Promise<void> {
    if (this.#directory === null) return;
    try {
      this.#lock = await StateLock.acquire(this.#directory, withinMs);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        code === undefined ? message : `the state directory ${this.#directory} can't be used: ${message}`,
      );
    }
  }

  /**
   * `begin` accepts changes for `target` from now on. It first applies documents and live changes that the
   * previous owner stored after they were loaded here.
   */
  async begin(target: PlanTarget): Promise<void> {
    this.#target = target;
    if (this.#storeHasChanged()) {
      const answer = await this.#load({ ...this.#origin, applied: null });
      if (!answer.ok) this.#log('error', answer.message, answer);
    }
    await this.#beginLive();
    this.#open();
  }

  /**
   * `change` makes a change that a user or a bucket requests. It resolves when every thread has applied it.
   */
  change(ask: ChangeAsk): Promise<ChangeAnswer> {
    return this.#inTurn(() => this.#change(ask));
  }

  /**
   * `replace` replaces the configuration, or keeps the current one and returns why. What `origin` leaves open
   * is read after all earlier changes, so that of two reloads the later one has the newer text. Applied
   * documents stay.
   */
  replace(origin: Origin): Promise<ChangeAnswer> {
    return this.#inTurn(() => this.#load({ ...origin, applied: this.#origin.applied }));
  }

  /**
   * `close` refuses further changes. It resolves when current ones are done and the state directory is
   * released.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#open();
    await this.#changes;
    this.#lock?.release();
  }

  #inTurn(change: () => Promise<ChangeAnswer>): Promise<ChangeAnswer> {
    if (this.#closed) return Promise.resolve(refusal(503, 'umbra is stopping; nothing was changed'));
    const done = this.#changes.then(change).catch((error: unknown): ChangeAnswer => {
      const message = `the change failed: ${error instanceof Error ? error.message : String(error)}`;
      this.#log('error', message);
      return refusal(500, message);
    });
    this.#changes = done;
    return done;
  }

  #change(ask: ChangeAsk): Promise<ChangeAnswer> {
    switch (ask.what) {
      case 'plan':
        return this.#changePlan(ask);
      case 'config': {
        const { file, directory, applied } = this.#origin;
        return this.#load({ file, text: ask.text, sent: true, set: [], directory, applied });
      }
      case 'documents':
        return this.#changeDocuments(ask);
      case 'live':
      case 'allMirrors':
      case 'resetWeights':
        return this.#changeLive(ask);
      case 'shared':
        return this.#takeShared(ask.live);
    }
  }

  async #changeLive(ask: LiveAsk): Promise<ChangeAnswer> {
    const refuse = (state: LiveState): string | null => {
      const before = new Set(this.#joined(this.#live.state).ended);
      return this.#joined(state).ended.find((line) => !before.has(line)) ?? null;
    };
    const before = this.#live.state;
    const made = await this.#live.make(ask, this.#configured, refuse);
    if (!made.ok) {
      // Another instance was quicker, and what it wrote stands although nothing of this change does.
      if (this.#live.state !== before) await this.#apply(this.#next(this.#joined(this.#live.state).plan));
      return { ...made, problems: [] };
    }
    const answer = await this.#apply(this.#next(this.#joined(made.state).plan));
    return { ...answer, warnings: made.warnings, kept: made.kept };
  }

  /**
   * `#takeShared` applies what other instances have changed. A change that does not fit to the configuration
   * of this one stays shared: a revision of the plan may be on its way.
   */
  async #takeShared(shared: SharedLive): Promise<ChangeAnswer> {
    const before = JSON.stringify(this.#live.state);
    const problem = await this.#live.take(shared, this.#configured);
    if (problem !== null || JSON.stringify(this.#live.state) === before) {
      this.#target!.show();
      return problem === null ? { ok: true, generation: this.#plan.generation } : refusal(409, problem);
    }
    return this.#apply(this.#next(this.#joined(this.#live.state).plan));
  }

  /**
   * `#beginLive` reads the live changes once more, now that nobody else writes them. What the configuration
   * has ended meanwhile is reported here, once.
   */
  async #beginLive(): Promise<void> {
    const before = JSON.stringify(this.#joined(this.#live.state).state);
    if (this.#lock !== null) this.#live.readAgain();
    const { state, plan, ended } = this.#joined(this.#live.state);
    this.#report(ended);
    if (ended.length > 0 && this.#lock !== null) await this.#live.put(state);
    if (JSON.stringify(state) !== before) await this.#apply(this.#next(plan));
    const line = startLine(state);
    if (line !== null) this.#log('info', line);
  }

  /** `#joined` returns what of `state` holds under the configuration, and the plan of both. */
  #joined(state: LiveState) {
    return joinLive(state, { config: this.#config, plan: this.#configured }, this.#slots);
  }

  /** `#next` numbers a plan of live changes. What needs a restart stays as it runs. */
  #next(plan: Plan): Plan {
    const { generation, listeners, admin, threads } = this.#plan;
    return { ...plan, generation: generation + 1, listeners, admin, threads };
  }

  #report(ended: readonly string[]): void {
    for (const line of ended) this.#log('warn', `live change of ${line}`);
  }

  async #changePlan({ text, revision }: Extract<ChangeAsk, { what: 'plan' }>): Promise<ChangeAnswer> {
    const { applied } = this.#origin;
    const answer = await this.#load({ ...this.#options.loaded.origin, text, applied });
    if (answer.ok && this.#source !== null) this.#source = { ...this.#source, revision };
    return answer;
  }

  async #load(origin: Origin): Promise<ChangeAnswer> {
    const loaded = await loadInThread({ origin, change: null, nowMs: wallClockMs(), yaml: false });
    if (!loaded.ok) return invalid(loaded.problems.map(formatProblem));
    const next = this.#compile(loaded);
    if ('ok' in next) return next;
    this.#origin = loaded.origin;
    return this.#applyConfigured(next, loaded);
  }

  async #changeDocuments({
    change,
    dryRun,
  }: Extract<ChangeAsk, { what: 'documents' }>): Promise<ChangeAnswer> {
    const job = { origin: this.#origin, change, nowMs: wallClockMs(), yaml: dryRun };
    const loaded = await loadInThread(job);
    if (!loaded.ok) return invalid(loaded.problems.map(formatProblem));
    const { told, yaml } = loaded;
    const warnings = loaded.warnings.map(formatProblem);
    if (dryRun) return { ok: true, generation: this.#plan.generation, documents: { told, warnings, yaml } };
    const next = this.#compile(loaded);
    if ('ok' in next) return next;
    if (loaded.store === null) {
      warnings.push('kept until this process ends: `state` of the configuration is not set');
    } else {
      const refused = await this.#ownNow(loaded.store);
      if (refused !== null) return refused;
      await writeStore(loaded.store, loaded.origin.applied ?? []);
    }
    const answer = await this.#applyConfigured(next, loaded);
    this.#origin = loaded.origin;
    return answer.ok ? { ...answer, documents: { told, warnings, yaml: null } } : answer;
  }

  /**
   * `#ownNow` locks the directory, because a reload may have named another one. It returns null, or why it
   * can't be locked.
   */
  async #ownNow(directory: string): Promise<Refusal | null> {
    if (this.#lock?.directory === directory) return null;
    try {
      const lock = await StateLock.acquire(directory, 0);
      this.#lock?.release();
      this.#lock = lock;
      return null;
    } catch (error) {
      return refusal(409, (error as Error).message);
    }
  }

  #storeHasChanged(): boolean {
    if (this.#directory === null) return false;
    const { lines } = readStore(this.#directory);
    return JSON.stringify(lines) !== JSON.stringify(this.#origin.applied ?? []);
  }

  /** `#compile` returns the plan of a loaded configuration, or why it can't be applied. */
  #compile({ config }: Loaded): Plan | Refusal {
    let next: Plan;
    try {
      next = compilePlan(config, this.#plan.generation + 1, this.#slots, this.#options.cores);
    } catch (error) {
      if (error instanceof MirrorSlotsFullError) return invalid([error.message]);
      throw error;
    }
    if (this.#target!.hasRoomFor(next)) return next;
    return invalid([
      `more than ${limits.versions} names of versions since the start; restart umbra to use new ones`,
    ]);
  }

  /**
   * Sockets, engines, the admin API and threads stay the same for the life of the process. Live changes stay
   * unless `next` changes the same values. A configuration without a state directory keeps the one in use.
   */
  async #applyConfigured(next: Plan, { config, store }: Loaded): Promise<ChangeAnswer> {
    const fixed = whatNeedsRestart(this.#plan, next);
    if (fixed.length > 0)
      this.#log('warn', `changing ${fixed.join(', ')} requires a restart; all other changes were applied`);
    const { admin, threads } = this.#plan;
    const listeners = followListeners(this.#plan.listeners, next.listeners) ?? this.#plan.listeners;
    this.#config = config;
    this.#configured = next;
    const { state, ended } = this.#joined(this.#live.state);
    this.#report(ended);
    if (ended.length > 0) await this.#live.put(state);
    else this.#live.use(state);
    const { plan } = this.#joined(this.#live.state);
    if (store !== null && store !== this.#directory) {
      this.#directory = store;
      await this.#live.move(store);
    }
    const answer = await this.#apply({ ...plan, listeners, admin, threads });
    return ended.length === 0 ? answer : { ...answer, ended };
  }

  async #apply(plan: Plan): Promise<Extract<ChangeAnswer, { ok: true }>> {
    await this.#target!.apply(plan);
    return { ok: true, generation: plan.generation };
  }

  #log(level: LogMessage['level'], message: string, fields: LogMessage['fields'] = {}): void {
    this.#options.onLog({ type: 'log', level, message, fields });
  }

  get #plan(): Plan {
    return this.#target!.plan();
  }
}

function invalid(problems: readonly string[]): Refusal {
  const message = 'the configuration has errors; the running one stays in force';
  return { ok: false, status: 422, message, problems };
}

function refusal(status: number, message: string): Refusal {
  return { ok: false, status, message, problems: [message] };
}

/** `whatNeedsRestart` returns the changed keys that a running process can't change. */
function whatNeedsRestart(running: Plan, next: Plan): string[] {
  const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a) !== JSON.stringify(b);
  const keys: string[] = [];
  if (followListeners(running.listeners, next.listeners) === null) keys.push('listen');
  if (differs(running.admin, next.admin)) keys.push('admin');
  if (differs(running.threads, next.threads)) keys.push('threads');
  return keys;
}
