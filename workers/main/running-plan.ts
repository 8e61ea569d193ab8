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
import type { Plan } from '../../core/plan.js';
import type { ChangeAnswer, ChangeAsk, LogMessage, PlanSource } from '../protocol/messages.js';
import { followListeners } from './listener-change.js';
import { loadInThread } from './loading.js';
import { withLiveChanges, withMirror, withWeights } from './plan-change.js';
import { StateLock } from './state-lock.js';

type Loaded = Extract<LoadedAll, { ok: true }>;
type Refusal = Extract<ChangeAnswer, { ok: false }>;

/** Applies plans. */
export interface PlanTarget {
  plan(): Plan;
  /** Resolves when every thread has applied the plan. */
  apply(plan: Plan): Promise<void>;
  hasRoomFor(plan: Plan): boolean;
}

export interface RunningPlanOptions {
  readonly loaded: Loaded;
  readonly cores: number;
  /** The bucket that `loaded` came from, which is followed. */
  readonly source: PlanSource | null;
  readonly onLog: (message: LogMessage) => void;
}

export class RunningPlan {
  /** The plan of the configuration that umbra starts with. */
  readonly first: Plan;
  readonly #options: RunningPlanOptions;
  readonly #slots = new MirrorSlots();
  #target: PlanTarget | null = null;
  /** The origin of the current configuration. */
  #origin: Origin;
  /** The directory of applied documents; null when they last as long as the process. */
  readonly #store: string | null;
  /** The current plan without live changes of mirrors and weights. */
  #configured: Plan;
  #source: PlanSource | null;
  #lock: StateLock | null = null;
  /** The last change. Plans are applied one after the other. */
  #changes: Promise<unknown>;
  /** Releases the first change; there are none before `begin`. */
  #open: () => void = () => {};
  #closed = false;

  constructor(options: RunningPlanOptions) {
    this.#options = options;
    this.#origin = options.loaded.origin;
    this.#store = options.loaded.store;
    this.#source = options.source;
    this.first = compilePlan(options.loaded.config, 1, this.#slots, options.cores);
    this.#configured = this.first;
    this.#changes = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
  }

  /** The bucket that is followed, with the current revision. */
  get source(): PlanSource | null {
    return this.#source;
  }

  /** `own` locks the state directory, if there is one. It rejects with one line that names its owner. */
  async own(withinMs: number): Promise<void> {
    if (this.#store !== null) this.#lock = await StateLock.acquire(this.#store, withinMs);
  }

  /**
   * `begin` accepts changes for `target` from now on. It first applies documents that the previous owner
   * stored after they were loaded here.
   */
  async begin(target: PlanTarget): Promise<void> {
    this.#target = target;
    if (this.#storeHasChanged()) {
      const answer = await this.#load({ ...this.#origin, applied: null });
      if (!answer.ok)
        this.#options.onLog({ type: 'log', level: 'error', message: answer.message, fields: answer });
    }
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
      this.#options.onLog({ type: 'log', level: 'error', message, fields: {} });
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
      case 'weights':
        return this.#changeLive(withWeights(this.#plan, ask));
      case 'mirror':
        return this.#changeLive(withMirror(this.#plan, ask));
    }
  }

  async #changeLive(changed: ReturnType<typeof withMirror>): Promise<ChangeAnswer> {
    return changed.ok ? this.#apply(changed.plan) : changed;
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
    this.#configured = next;
    return this.#applyConfigured(next);
  }

  /** `#changeDocuments` keeps live changes of mirrors, except of those that the documents change. */
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
      warnings.push('kept until this process ends: `documents.state` of the configuration is not set');
    } else {
      const refused = await this.#ownNow(loaded.store);
      if (refused !== null) return refused;
      await writeStore(loaded.store, loaded.origin.applied ?? []);
    }
    const answer = await this.#applyConfigured(withLiveChanges(this.#configured, this.#plan, next));
    this.#origin = loaded.origin;
    this.#configured = next;
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
    if (this.#store === null) return false;
    const { lines } = readStore(this.#store);
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

  /** Sockets, engines, the admin API and threads stay the same for the life of the process. */
  #applyConfigured(next: Plan): Promise<ChangeAnswer> {
    const fixed = whatNeedsRestart(this.#plan, next);
    if (fixed.length > 0) {
      const message = `changing ${fixed.join(', ')} requires a restart; all other changes were applied`;
      this.#options.onLog({ type: 'log', level: 'warn', message, fields: {} });
    }
    const { admin, threads } = this.#plan;
    const listeners = followListeners(this.#plan.listeners, next.listeners) ?? this.#plan.listeners;
    return this.#apply({ ...next, listeners, admin, threads });
  }

  async #apply(plan: Plan): Promise<ChangeAnswer> {
    await this.#target!.apply(plan);
    return { ok: true, generation: plan.generation };
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
