/**
 * All rollouts of the control thread: started and commanded by people, and taken up again from their records
 * after a restart, a takeover, or the end of another control thread.
 */
import { randomUUID } from 'node:crypto';
import { rolloutOf } from '../../core/live/live-state.js';
import type { RolloutPlan } from '../../core/plan.js';
import { aborted, moved, paused, promoted, restarted, resumed } from '../../core/rollout/advance.js';
import { isOver, parseRecord, type RolloutRecord } from '../../core/rollout/rollout-record.js';
import { beforeOf, sharesOf } from './rollout-change.js';
import { type RolloutHome, RunningRollout } from './running-rollout.js';

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

export class Rollouts {
  readonly #home: RolloutHome;
  readonly #mayRun: () => boolean;
  /** By route. */
  readonly #running = new Map<string, RunningRollout>();
  readonly #timer: NodeJS.Timeout;

  /** `mayRun`: this process serves, and drives the rollouts of its fleet. */
  constructor(home: RolloutHome, mayRun: () => boolean) {
    this.#home = home;
    this.#mayRun = mayRun;
    this.follow();
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Every route that has or had a rollout, the last one of each. */
  get all(): readonly RunningRollout[] {
    return [...this.#running.values()];
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
      if (known === undefined) this.#running.set(route, new RunningRollout(this.#home, restarted(record)));
      else if (!known.isBusy && !isSame(known.record, record)) known.adopt(restarted(record));
    }
  }

  /** `start` begins a rollout. `settings` has its `to`. */
  async start(route: string, settings: RolloutPlan): Promise<RolloutAnswer> {
    const prepared = this.#prepare(route, settings);
    if ('status' in prepared) return prepared;
    // Without its first transition, so that the log and the hooks hear of the start.
    const rollout = new RunningRollout(this.#home, { ...prepared, history: [] });
    const why = await rollout.take(prepared);
    if (why !== null) return { status: 409, message: why };
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
    const failed = await rollout.take(next);
    return failed === null ? rollout : { status: 503, message: failed };
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

  #look(): void {
    if (!this.#mayRun()) return;
    for (const rollout of this.#running.values()) rollout.look();
  }
}

/** The same transitions were made. */
function isSame(a: RolloutRecord, b: RolloutRecord): boolean {
  const [lastA, lastB] = [a, b].map(({ history }) => history[history.length - 1]);
  return a.id === b.id && lastA?.atMs === lastB?.atMs && lastA?.state === lastB?.state;
}
