/**
 * The rollout of one route on the control thread. Four times a second it reads counters and asks the guard
 * rails, and once a second it judges. What core/rollout decides is put in force by one live change, which
 * carries the record: both are kept together, and every thread has them before the next decision.
 *
 * In a fleet every instance reads its counters and asks the guard rails. The leader alone judges, by the
 * figures of all; a step is in force when every instance has taken it, and begins to count then.
 *
 * The file is long because looks, asks and changes of others all move the one record that it carries.
 */
import { isoTime } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import type { LiveState } from '../../core/live/live-state.js';
import type { HookPlan } from '../../core/plan.js';
import type { DiffsView } from '../../core/report/diffs.js';
import { spanText } from '../../core/report/figures.js';
import type { Observed } from '../../core/report/observed.js';
import { advance, inForce, undone } from '../../core/rollout/advance.js';
import { alarmOf } from '../../core/rollout/alarm.js';
import type { Standing } from '../../core/rollout/fleet-book.js';
import type { StepReport } from '../../core/rollout/member-report.js';
import { type ReleaseCounts, sumReleases } from '../../core/rollout/release-counts.js';
import { evidenceKey, isOver, type RolloutRecord, revisionOf } from '../../core/rollout/rollout-record.js';
import { type Basis, basisOf } from '../../core/rollout/settled.js';
import { type FleetView, type ShownRollout, shownRollout } from '../../core/rollout/shown-rollout.js';
import { judgeStep, type StepVerdict } from '../../core/rollout/step-judge.js';
import { Health } from '../../core/upstream/health-block.js';
import type { RouteChange } from '../protocol/live-change.js';
import type { ChangeAnswer } from '../protocol/messages.js';
import { changeOf, whatDiffers } from './rollout-change.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { StepCounts } from './step-evidence.js';

/** What a rollout needs of its thread. */
export interface RolloutHome {
  observed(): Observed;
  live(): LiveState;
  diffs(): DiffsView;
  wallMs(): number;
  /** Since when the guard holds back copies of a route; null: it does not. */
  heldSinceMs(route: string): number | null;
  setLive(route: string, change: RouteChange, mustShare: boolean): Promise<ChangeAnswer>;
  /** Live changes that were made on this instance alone, and wait for the bucket of its fleet. */
  unshared(): number;
  /** Null: this process is not one of a fleet. */
  readonly fleet: RolloutFleet | null;
  /** Runs a hook. It returns at once. */
  runHook(hook: HookPlan, event: RolloutEvent): void;
  /** A rollout changed. */
  changed(): void;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** What hooks and the stream get. Names are a contract: add, never rename. */
export interface RolloutEvent {
  readonly event: 'step' | 'rollback' | 'done';
  readonly route: string;
  readonly from: string;
  readonly to: string;
  readonly id: string;
  readonly state: RolloutRecord['state'];
  readonly step: number;
  readonly steps: number;
  readonly percent: number;
  readonly reason: string;
  readonly example: string;
  readonly at: string;
}

const whole = 1_000_000;
const looksPerJudgement = 4;
/** After a change that umbra could not make, the next attempt waits so many looks. */
const looksAfterFailure = 4;
/**
 * Another instance's change of the route is seen in its live changes before the plan has it. What differs for
 * so many looks was changed by hand.
 */
const looksByHand = 4;
const msPerLook = 250;
/** Another instance has changed the rollout meanwhile. */
const outdated = 412;
const msPerS = 1000;
const refusedFrom = 400;
const failedFrom = 500;
const busy = 503;
const nothing: StepVerdict = { outcome: 'undecided', checks: [], requests: 0, seconds: 0, example: null };

export interface TakeOptions {
  /** The change is made even where the fleet can't be reached. */
  readonly alone?: boolean;
  /** The record that is replaced, where it is not the last one of this rollout. */
  readonly after?: Basis;
}

/** Why a record is not in force; `status` is one of HTTP. */
export interface NotTaken {
  readonly status: number;
  readonly message: string;
}

export class RunningRollout {
  record: RolloutRecord;
  /** The last judgement of the current step by this instance. */
  verdict: StepVerdict = nothing;
  readonly #home: RolloutHome;
  #counts: StepCounts;
  #looks = 0;
  #waits = 0;
  /** A change is on its way. */
  #isBusy = false;
  /** Looks since the route differs from the record. */
  #differed = 0;
  /** Looks since a live member has not taken the record. */
  #behind = 0;
  /** A record that could not be put in force, as far as this instance knows. */
  #unsure: RolloutRecord | null = null;

  constructor(home: RolloutHome, record: RolloutRecord) {
    this.#home = home;
    this.record = record;
    this.#counts = this.#begin();
  }

  /** One look; the caller calls it four times a second. */
  look(): void {
    const { record } = this;
    if (this.#isBusy || isOver(record)) return;
    const observed = this.#home.observed();
    const nowMs = this.#home.wallMs();
    this.#counts.look(observed, nowMs);
    this.#looks++;
    if (this.#waits > 0) {
      this.#waits--;
      return;
    }
    const { fleet } = this.#home;
    if (fleet !== null) {
      this.#lookInFleet(fleet, observed, nowMs);
      return;
    }
    const byHand = this.#differs(observed);
    if (record.inForceMs === null && byHand === null && !record.changedByHand)
      this.record = inForce(record, nowMs);
    this.#advance(nowMs, { alarm: this.#alarm(observed, null), byHand, absent: null });
  }

  /**
   * `take` puts a record in force, or in a fleet begins to. It resolves with null, or with the reason why it
   * could not; the record before stays then. `alone`: a fleet whose bucket can't be reached gets it later.
   */
  async take(next: RolloutRecord, { alone = false, after }: TakeOptions = {}): Promise<NotTaken | null> {
    if (this.#isBusy)
      return { status: busy, message: 'another change of this rollout is on its way; try again' };
    this.#isBusy = true;
    const { fleet } = this.#home;
    const { plan } = this.#home.observed();
    const revision = revisionOf(this.record) + 1;
    const kept = { ...(fleet === null ? inForce(next, this.#home.wallMs()) : next), revision };
    const change = {
      ...changeOf(next, plan, this.#home.live()),
      rollout: kept,
      after: after === undefined ? basisOf(this.record) : after,
    };
    const answer = await this.#home.setLive(next.route, change, fleet !== null && !alone);
    this.#isBusy = false;
    if (!answer.ok) {
      this.#unsure = kept;
      await this.#failed(next, answer);
      return answer;
    }
    this.#follow(kept);
    if (fleet !== null && answer.kept === false)
      this.#home.log.warn(
        { route: next.route, state: next.state },
        `rollout of ${next.route}: ${next.state} on this instance alone, because NATS can not be reached; the others follow when it is back`,
      );
    return null;
  }

  /** `adopt` takes a record that another thread or instance has put in force. */
  adopt(record: RolloutRecord): void {
    if (this.#isBusy) return;
    // The answer to this instance's own change was lost, and the change was not.
    const isOwn = this.#unsure !== null && lastOf(this.#unsure) === lastOf(record);
    this.#follow(record, isOwn);
  }

  /** What this instance reports to the leader of its fleet. */
  report(): StepReport {
    const { record } = this;
    const { route, id, step, state, changedByHand } = record;
    const differs = changedByHand ? null : whatDiffers(record, this.#home.observed().plan, this.#home.live());
    return {
      ...{ route, id, revision: revisionOf(record), step, state, differs, key: evidenceKey(record) },
      seconds: this.#counts.recent.seconds,
      evidence: this.#counts.evidence(this.#home.diffs()),
    };
  }

  /** The verdict on this step: in a fleet that of its leader. */
  get judged(): StepVerdict {
    return this.shown?.verdict ?? this.verdict;
  }

  /** What this instance shows of its fleet; null: it is not one of a fleet. */
  get fleet(): FleetView | null {
    const { fleet } = this.#home;
    if (fleet === null) return null;
    const { leader } = fleet;
    const alone = this.#home.unshared() > 0;
    if (isOver(this.record)) return { leader, waits: '', alone, members: [] };
    const { waits = '', members = [] } = this.shown ?? {};
    // What the last leader waited for says nothing while nobody leads.
    return { leader, waits: leader === null ? nobodyLeads : waits, alone, members };
  }

  /** What the leader shows of this rollout; null: nothing is known of it here. */
  get shown(): ShownRollout | null {
    const { fleet } = this.#home;
    if (fleet === null) return null;
    if (!fleet.leads) return fleet.shown(this.record);
    const standing = fleet.lastStanding(this.record);
    return standing === null ? null : shownRollout(this.record, this.verdict, standing, fleet.name);
  }

  /** In a fleet only the leader judges: the others let the record be, unless a guard rail is hit. */
  #lookInFleet(fleet: RolloutFleet, observed: Observed, nowMs: number): void {
    const { record } = this;
    const standing = fleet.leads ? fleet.standing(record) : null;
    const alarm = this.#alarm(observed, standing === null ? null : fleet.seconds(record));
    if (alarm !== null) {
      const next = advance(record, { nowMs, verdict: nothing, alarm, byHand: null });
      if (next !== record) void this.take(next, { alone: true });
      return;
    }
    if (standing === null || record.changedByHand) return;
    const byHand = this.#differs(observed);
    this.#differed = byHand === null ? 0 : this.#differed + 1;
    if (byHand !== null && this.#differed < looksByHand) return;
    if (byHand === null && this.#followMembers(standing, nowMs)) return;
    this.#advance(nowMs, { alarm: null, byHand, absent: standing.absent });
  }

  /**
   * `#followMembers` ends the wait for members, as soon as all have taken the record or one of them surely
   * has not. It returns true where nothing else is to be decided now.
   */
  #followMembers({ behind, absent }: Standing, nowMs: number): boolean {
    const { record } = this;
    const isWaiting = record.inForceMs === null;
    this.#behind = behind.length === 0 ? 0 : this.#behind + 1;
    if (this.#behind * msPerLook >= limits.rolloutTakenMs) {
      this.#behind = 0;
      const why = `${behind.join('; ')} after ${spanText(limits.rolloutTakenMs / msPerS)}`;
      if (record.state === 'paused' || record.state === 'rolling-back')
        this.#home.log.warn({ route: record.route, behind }, `rollout of ${record.route}: ${why}`);
      else void this.take(undone(record, nowMs, why));
      return true;
    }
    if (isWaiting && absent === null) void this.take(inForce(record, nowMs));
    return isWaiting;
  }

  /** `#advance` takes the next state, if there is one. */
  #advance(
    nowMs: number,
    { alarm, byHand, absent }: { alarm: string | null; byHand: string | null; absent: string | null },
  ): void {
    const { record } = this;
    const isJudged = this.#looks % looksPerJudgement === 0 && record.state !== 'paused';
    if (isJudged) this.verdict = this.#judge();
    const verdict = isJudged ? this.verdict : { ...this.verdict, outcome: 'undecided' as const };
    const next = advance(record, { nowMs, verdict, alarm, byHand, absent });
    if (next !== record && (isJudged || alarm !== null || byHand !== null)) void this.take(next);
  }

  #differs(observed: Observed): string | null {
    const { record } = this;
    return record.changedByHand ? null : whatDiffers(record, observed.plan, this.#home.live());
  }

  /** `#follow` continues with a record that is in force. `isOwn`: this instance decided, and calls hooks. */
  #follow(record: RolloutRecord, isOwn = true): void {
    const before = this.record;
    this.record = record;
    this.#unsure = null;
    this.#behind = 0;
    this.#differed = 0;
    if (evidenceKey(before) !== evidenceKey(record)) {
      this.#counts = this.#begin();
      this.verdict = nothing;
    }
    this.#tell(before, isOwn);
    this.#home.fleet?.soon();
    this.#home.changed();
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  #begin(): StepCounts {
    const { record } = this;
    return new StepCounts(record, this.#home.observed(), this.#home.diffs(), this.#home.wallMs());
  }

  #judge(): StepVerdict {
    const { record } = this;
    const own = this.#counts.evidence(this.#home.diffs());
    const evidence = this.#home.fleet?.evidence(record, own) ?? own;
    return judgeStep(record, record.plan, record.step, evidence);
  }

  /** `others`: what the other instances answered in the last few seconds. */
  #alarm(observed: Observed, others: ReleaseCounts | null): string | null {
    const { from, to, route, plan, step } = this.record;
    const own = observed.endpoints.filter(({ version, health }) => version === to && health !== null);
    const heldMs = this.#home.heldSinceMs(route);
    const sinceMs = this.record.inForceMs;
    const { kind, shareMillionths } = plan.steps[step];
    const isReleased = kind === 'release';
    const { recent } = this.#counts;
    return alarmOf(
      {
        old: from,
        fresh: to,
        ...recent,
        seconds: others === null ? recent.seconds : sumReleases([recent.seconds, others]),
        endpoints: isReleased ? own.length : 0,
        isAlone: isReleased && shareMillionths === whole,
        unhealthy: own.filter(({ health }) => health!.state === Health.UNHEALTHY).length,
        guard:
          heldMs !== null && sinceMs !== null && heldMs >= sinceMs
            ? `the guard of ${route} holds copies back, because its primary got worse`
            : null,
      },
      plan.errorsMax,
    );
  }

  async #failed(next: RolloutRecord, { message, status }: NotTaken): Promise<void> {
    const { route } = next;
    this.#waits = looksAfterFailure;
    // What another instance decided is about to be read.
    if (status === outdated) return;
    this.#home.log.error({ route, state: next.state }, `rollout of ${route}: ${message}; umbra tries again`);
    if (next.state !== 'rolling-back' || status < refusedFrom || status >= failedFrom) return;
    // What was there before is gone, so that a person must say what answers.
    const why = `the route could not be given back to ${next.from}: ${message}; resume or abort the rollout`;
    const paused = advance(this.record, {
      nowMs: this.#home.wallMs(),
      verdict: nothing,
      alarm: null,
      byHand: why,
    });
    await this.take(paused);
  }

  #tell(before: RolloutRecord, isOwn: boolean): void {
    const { record } = this;
    const last = record.history[record.history.length - 1];
    if (last === undefined || lastOf(record) === lastOf(before)) return;
    const { route, to, plan, state } = record;
    const event = eventOf(record);
    const fields = { route, to, id: record.id, state, step: record.step, by: last.by, reason: last.reason };
    const place = `step ${record.step + 1} of ${plan.steps.length}`;
    const message = `rollout of ${route} to ${to}: ${state}, ${place}: ${last.reason}`;
    const isBack = state === 'rolling-back' || state === 'rolled-back';
    const isBad = isBack || state === 'held' || (state === 'paused' && last.by !== 'user');
    this.#home.log[isBad ? 'warn' : 'info'](
      last.example === '' ? fields : { ...fields, example: last.example },
      message,
    );
    const hook = { step: plan.onStep, rollback: plan.onRollback, done: plan.onDone }[event.event];
    if (!isOwn || before.state === 'rolling-back') return;
    const isTold = event.event !== 'step' || state === 'running' || state === 'watching' || state === 'held';
    if (hook !== null && isTold) this.#home.runHook(hook, event);
  }
}

const millionthsPerPercent = 10_000;

const nobodyLeads = 'nobody leads: NATS can not be reached, or the next instance is about to lead';

/** Identifies the last transition of a record. */
function lastOf({ id, history }: RolloutRecord): string {
  const last = history[history.length - 1];
  return last === undefined ? id : `${id} ${last.atMs} ${last.state} ${last.step}`;
}

function eventOf(record: RolloutRecord): RolloutEvent {
  const { id, route, from, to, state, step, plan, history } = record;
  const last = history[history.length - 1];
  const { kind, shareMillionths } = plan.steps[step];
  const isBack = state === 'rolled-back' || state === 'rolling-back';
  return {
    event: isBack ? 'rollback' : state === 'released' ? 'done' : 'step',
    route,
    from,
    to,
    id,
    state,
    step,
    steps: plan.steps.length,
    percent: isBack || kind === 'mirror' ? 0 : shareMillionths / millionthsPerPercent,
    reason: last.reason,
    example: last.example,
    at: isoTime(last.atMs),
  };
}
