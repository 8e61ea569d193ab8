/**
 * All rollouts of the control thread: started and commanded by people, and taken up again from their records
 * after a restart, a takeover, or the end of another control thread.
 */
import { randomUUID } from 'node:crypto';
import { rolloutOf } from '../../core/live/live-state.js';
import type { RolloutPlan } from '../../core/plan.js';
import type { RolloutNote } from '../../core/report/rollout-note.js';
import { aborted, moved, paused, promoted, restarted, resumed } from '../../core/rollout/advance.js';
import type { StepReport } from '../../core/rollout/member-report.js';
import { isOver, parseRecord, type RolloutRecord, revisionOf } from '../../core/rollout/rollout-record.js';
import { basisOf } from '../../core/rollout/settled.js';
import type { ShownRollout } from '../../core/rollout/shown-rollout.js';
import { beforeOf, sharesOf } from './rollout-change.js';
import { noteOf } from './rollout-note.js';
import { type NotTaken, type RolloutHome, RunningRollout } from './running-rollout.js';

export const rolloutCommands = ['pause', 'resume', 'promote', 'abort'] as const;
export type RolloutCommand = (typeof rolloutCommands)[number];

/** What a person asked for could not be done; `status` is one of HTTP. */
export interface RolloutRefusal {
  readonly status: 400 | 404 | 409 | 503;
  readonly message: string;
}

export type RolloutAnswer = RunningRollout | RolloutRefusal;

const lookMs = 250;
const wholeShare = 1;
const failedFrom = 500;

export class Rollouts {
  readonly #home: RolloutHome;
  readonly #mayRun: () => boolean;
  /** By route. */
  readonly #running = new Map<string, RunningRollout>();
  readonly #timer: NodeJS.Timeout;

  /** `mayRun`: this process serves. */
  constructor(home: RolloutHome, mayRun: () => boolean) {
    this.#home = home;
    this.#mayRun = mayRun;
    this.follow();
    this.#timer = setInterval(() => this.look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Every route that has or had a rollout, the last one of each. */
  get all(): readonly RunningRollout[] {
    return [...this.#running.values()];
  }

  /** A rollout is not over. */
  get isActive(): boolean {
    return this.#open.length > 0;
  }

  /** A record is to be taken by other instances. */
  get isWaiting(): boolean {
    return this.#open.some(({ record }) => record.inForceMs === null && !record.changedByHand);
  }

  /** What this instance reports to the leader of its fleet. */
  reports(): StepReport[] {
    return this.#open.map((rollout) => rollout.report());
  }

  /** All rollouts in few words. */
  notes(): RolloutNote[] {
    return this.all.map(({ record, fleet }) => noteOf(record, fleet?.members ?? []));
  }

  /** What the leader of a fleet shows to the others. */
  shown(): ShownRollout[] {
    return this.#open.map(({ shown }) => shown).filter((one) => one !== null);
  }

  get #open(): RunningRollout[] {
    return this.all.filter(({ record }) => !isOver(record));
  }

  of(route: string): RunningRollout | undefined {
    return this.#running.get(route);
  }

  /** `follow` takes up records that another thread, process or instance has written. */
  follow(): void {
    for (const [route, written] of this.#home.live().rollouts) {
      const record = parseRecord(written);
      if (record === null) continue;
      const known = this.#running.get(route);
      // What the others of a fleet counted stays; alone the evidence is gone with the process.
      const taken = this.#home.fleet === null ? restarted(record) : record;
      if (known === undefined) this.#running.set(route, new RunningRollout(this.#home, taken));
      else if (!known.isBusy && !isSame(known.record, record)) known.adopt(taken);
    }
  }

  /** `start` begins a rollout. `settings` has its `to`. */
  async start(route: string, settings: RolloutPlan): Promise<RolloutAnswer> {
    const prepared = this.#prepare(route, settings);
    if ('status' in prepared) return prepared;
    // Without its first transition, so that the log and the hooks report the start.
    const rollout = new RunningRollout(this.#home, { ...prepared, history: [] });
    const after = basisOf(parseRecord(rolloutOf(this.#home.live(), route)));
    const failed = await rollout.take(prepared, { after });
    if (failed !== null) return refusalOf(failed);
    this.#running.set(route, rollout);
    return rollout;
  }

  async command(route: string, command: RolloutCommand, why: string, fully: boolean): Promise<RolloutAnswer> {
    const rollout = this.#running.get(route);
    if (rollout === undefined) return { status: 404, message: `route ${route} has no rollout` };
    const nowMs = this.#home.wallMs();
    const next =
      command === 'pause'
        ? paused(rollout.record, nowMs, why)
        : command === 'resume'
          ? resumed(rollout.record, nowMs, why)
          : command === 'promote'
            ? promoted(rollout.record, nowMs, why, fully)
            : aborted(rollout.record, nowMs, why);
    if (typeof next === 'string') return { status: 409, message: next };
    // An end by hand must not need NATS.
    const failed = await rollout.take(next, { alone: command === 'abort' });
    return failed === null ? rollout : refusalOf(failed);
  }

  #prepare(name: string, settings: RolloutPlan): RolloutRecord | RolloutRefusal {
    const { plan } = this.#home.observed();
    const live = this.#home.live();
    const { to } = settings;
    const route = plan.routes.find((one) => one.name === name);
    if (route === undefined) {
      const names = plan.routes.map((one) => one.name).join(', ');
      return { status: 404, message: `unknown route ${name}; routes: ${names}` };
    }
    if (!plan.versions.some((version) => version.name === to)) {
      const names = plan.versions.map((version) => version.name).join(', ');
      return { status: 404, message: `unknown version ${to}; versions: ${names}` };
    }
    const known = this.#running.get(name)?.record ?? parseRecord(rolloutOf(live, name));
    if (known !== null && known !== undefined && !isOver(known))
      return {
        status: 409,
        message: `route ${name} has a rollout to ${known.to}, which is ${known.state}; abort it first`,
      };
    const shares = sharesOf(plan, route);
    const [from] = shares.keys();
    if (from === undefined)
      return { status: 400, message: `route ${name} answers requests itself: there is nothing to roll out` };
    if (shares.size > 1 || shares.get(from) !== wholeShare)
      return {
        status: 409,
        message: `several versions answer on route ${name}; let one answer first, with umbra weights ${name} ${from}=100 and 0 for the others`,
      };
    if (from === to) return { status: 409, message: `${to} answers all requests of route ${name} already` };
    const nowMs = this.#home.wallMs();
    const first: RolloutRecord = {
      format: 1,
      id: randomUUID(),
      route: name,
      from,
      to,
      plan: settings,
      before: beforeOf(live, name, [from, to]),
      state: 'running',
      step: 0,
      inForceMs: null,
      startedMs: nowMs,
      endedMs: null,
      changedByHand: false,
      history: [],
    };
    const isWhole = settings.steps.length === 1;
    return moved(first, isWhole ? 'watching' : 'running', 0, nowMs, 'user', 'started');
  }

  /** Looks at each rollout: four times a second, by a timer of its own. */
  look(): void {
    if (!this.#mayRun()) return;
    // Of two changes at a time the other one may have held.
    if (this.#home.fleet !== null) this.follow();
    for (const rollout of this.#running.values()) rollout.look();
  }
}

function refusalOf({ status, message }: NotTaken): RolloutRefusal {
  return { status: status >= failedFrom ? 503 : 409, message };
}

/** The same changes were made. */
function isSame(a: RolloutRecord, b: RolloutRecord): boolean {
  return a.id === b.id && revisionOf(a) === revisionOf(b);
}
