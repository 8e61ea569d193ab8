/**
 * The live changes in force, and keeping them: in the state directory, or in the bucket of the plan, where
 * all instances of a fleet share them (docs/decisions/091). Main thread. `RunningPlan` calls one method at a
 * time.
 */
import { wallClockMs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import { decodeLive, encodeLive } from '../../core/live/live-record.js';
import { countOf, type LiveState, noLiveState } from '../../core/live/live-state.js';
import type { Plan } from '../../core/plan.js';
import type { LiveAsk, LiveView, SharedLive, ShareResult } from '../protocol/live-change.js';
import type { LogMessage } from '../protocol/messages.js';
import { changeLive } from './live-asks.js';
import { readLive, setAside, writeLive } from './live-store.js';

export interface RunningLiveOptions {
  /** The state directory, or null. */
  readonly directory: string | null;
  /** The entry of the bucket as it was read at the start; null: not one of a fleet. */
  readonly shared: SharedLive | null;
  /** Locks a directory, and returns why that is not possible, or null. */
  own(directory: string): Promise<string | null>;
  /** Writes to the bucket if its entry still has the revision. Resolves soon, whatever happens. */
  share(text: string, revision: number): Promise<ShareResult>;
  log(level: LogMessage['level'], message: string): void;
}

export type LiveMade =
  | {
      readonly ok: true;
      readonly state: LiveState;
      readonly warnings: readonly string[];
      readonly kept: boolean;
    }
  | { readonly ok: false; readonly status: number; readonly message: string };

/** A change that was made here alone, because the bucket could not be reached. */
interface Unshared {
  readonly ask: LiveAsk;
  readonly atMs: number;
}

/** Attempts of a change against changes of other instances. */
const triesMax = 8;

export class RunningLive {
  readonly #options: RunningLiveOptions;
  #directory: string | null;
  #state: LiveState = noLiveState;
  #problem: string | null = null;
  /** Revision of the bucket's entry that `#state` comes from; 0: there is none. */
  #revision = 0;
  /** The entry is of a newer umbra, or damaged, and must not be overwritten. */
  #isForeign = false;
  #unshared: Unshared[] = [];

  constructor(options: RunningLiveOptions) {
    this.#options = options;
    const { directory, shared } = options;
    this.#directory = directory;
    if (shared !== null) this.#read(shared);
    else if (directory !== null) this.#state = readLive(directory).state;
  }

  get view(): LiveView {
    return {
      state: this.#state,
      keptIn: this.#options.shared?.place ?? this.#directory,
      problem: this.#problem,
      revision: this.#revision,
      unshared: this.#unshared.length,
    };
  }

  get state(): LiveState {
    return this.#state;
  }

  /** `use` sets what is in force without keeping it: what a configuration ends for this process alone. */
  use(state: LiveState): void {
    this.#state = state;
  }

  /**
   * `make` makes a change, and keeps it where that is possible. A change that can't be kept is made all the
   * same, because a stop of mirrors must not need a disk, unless it asks to be shared or not made. `refuse`
   * returns why a state can't be applied, or null.
   */
  async make(ask: LiveAsk, configured: Plan, refuse: (state: LiveState) => string | null): Promise<LiveMade> {
    const atMs = wallClockMs();
    let from = this.#state;
    for (let tries = 0; ; tries++) {
      const changed = changeLive(from, configured, ask, atMs);
      if (!changed.ok) return changed;
      const why = refuse(changed.state);
      if (why !== null) return { ok: false, status: 409, message: why };
      const kept = await this.#keep(changed.state);
      if (kept !== null && 'newer' in kept && tries < triesMax) {
        from = kept.newer;
        continue;
      }
      const problem =
        kept === null ? null : 'newer' in kept ? 'other instances keep changing it' : kept.problem;
      if (problem !== null && ask.what === 'live' && ask.mustShare === true && this.#isShared)
        return { ok: false, status: 503, message: problem };
      if (problem !== null && this.#isShared) this.#remember({ ask, atMs });
      this.#hold(changed.state, problem);
      const warnings = problem === null ? changed.warnings : [...changed.warnings, problem];
      const isKept = problem === null && this.view.keptIn !== null;
      return { ok: true, state: this.#state, warnings, kept: isKept };
    }
  }

  /** `put` keeps a state that a configuration has changed. It never rejects. */
  async put(state: LiveState): Promise<void> {
    const kept = await this.#keep(state);
    // Another instance was quicker: what it wrote is in force.
    if (kept !== null && 'newer' in kept) this.#hold(kept.newer, null);
    else this.#hold(state, kept?.problem ?? null);
  }

  /** `move` keeps live changes in another directory from now on. */
  async move(directory: string): Promise<void> {
    this.#directory = directory;
    if (!this.#isShared) await this.put(this.#state);
  }

  /**
   * `readAgain` reads the directory once more, when nobody else writes it any more. A file that can't be used
   * is set aside.
   */
  readAgain(): void {
    if (this.#directory === null || this.#isShared) return;
    const { state, problem } = readLive(this.#directory);
    if (problem !== null)
      this.#options.log(
        'error',
        `live changes are lost: ${problem}; ${setAside(this.#directory, wallClockMs())}`,
      );
    this.#state = state;
  }

  /**
   * `take` takes a revision that another instance wrote, and makes again what was changed here without the
   * bucket. It returns null, or why the entry can't be used.
   */
  async take(shared: SharedLive, configured: Plan): Promise<string | null> {
    // The bucket was made again: what runs is what it lost.
    const isLost = shared.text === null && this.#revision > 0;
    const before = this.#state;
    this.#read(shared);
    if (this.#isForeign) return this.#problem;
    if (isLost) await this.put(before);
    for (let tries = 0; this.#unshared.length > 0 && tries < triesMax; tries++) {
      const state = this.#unshared.reduce((state, { ask, atMs }) => {
        const changed = changeLive(state, configured, ask, atMs);
        if (changed.ok) return changed.state;
        if (tries === 0)
          this.#options.log('warn', `a live change of this instance alone was dropped: ${changed.message}`);
        return state;
      }, this.#state);
      const kept = await this.#keep(state);
      if (kept !== null && 'newer' in kept) {
        this.#state = kept.newer;
        continue;
      }
      this.#hold(state, kept?.problem ?? null);
      if (kept !== null) break;
      const count = this.#unshared.length;
      this.#options.log('info', `${count} live changes that were made here alone are shared now`);
      this.#unshared = [];
    }
    return null;
  }

  get #isShared(): boolean {
    return this.#options.shared !== null;
  }

  #read({ text, revision }: SharedLive): void {
    this.#revision = revision;
    this.#isForeign = false;
    this.#problem = null;
    if (text === null) {
      this.#state = noLiveState;
      return;
    }
    const decoded = decodeLive(text);
    if (decoded.ok) {
      this.#state = decoded.state;
      return;
    }
    this.#isForeign = true;
    this.#problem = `${this.#options.shared!.place} ${decoded.why}; it is left alone, and changes are made on this instance alone`;
  }

  #hold(state: LiveState, problem: string | null): void {
    if (problem !== null && problem !== this.#problem) this.#options.log('error', problem);
    this.#state = state;
    this.#problem = problem;
  }

  #remember(change: Unshared): void {
    this.#unshared.push(change);
    if (this.#unshared.length > limits.unsharedLiveChanges) this.#unshared.shift();
  }

  /** Null: it is kept, or there is no place to keep it. */
  async #keep(state: LiveState): Promise<null | { newer: LiveState } | { problem: string }> {
    if (this.#isShared) return this.#keepShared(state);
    if (this.#directory === null) return null;
    const lost = 'the change is in force, but not kept:';
    const refused = await this.#options.own(this.#directory);
    if (refused !== null) return { problem: `${lost} ${refused}` };
    try {
      await writeLive(this.#directory, state);
      return null;
    } catch (error) {
      return { problem: `${lost} ${(error as Error).message}` };
    }
  }

  async #keepShared(state: LiveState): Promise<null | { newer: LiveState } | { problem: string }> {
    if (this.#isForeign) return { problem: this.#problem! };
    const result = await this.#options.share(encodeLive(state), this.#revision);
    if (result.kind === 'kept') {
      this.#revision = result.revision;
      return null;
    }
    if (result.kind === 'failed')
      return { problem: `the change is not shared with other instances: ${result.reason}` };
    this.#read({ ...this.#options.shared!, text: result.text, revision: result.revision });
    return this.#isForeign ? { problem: this.#problem! } : { newer: this.#state };
  }
}

/** A line for the log on the live changes that umbra starts with; null: there are none. */
export function startLine(state: LiveState): string | null {
  const count = countOf(state);
  return count === 0 ? null : `live changes in force: ${count} (umbra status lists them)`;
}
