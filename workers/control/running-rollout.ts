/**
 * The rollout of one route on the control thread. Four times a second it reads counters and asks the guard
 * rails, and once a second it judges. What core/rollout decides is put in force by one live change, which
 * carries the record: both are kept together, and every thread has them before the next decision.
 */
import { isoTime } from '../../core/clock.js';
import type { LiveState } from '../../core/live/live-state.js';
import type { HookPlan } from '../../core/plan.js';
import type { DiffsView } from '../../core/report/diffs.js';
import type { Observed } from '../../core/report/observed.js';
import { advance, inForce } from '../../core/rollout/advance.js';
import { alarmOf } from '../../core/rollout/alarm.js';
import { isOver, type RolloutRecord } from '../../core/rollout/rollout-record.js';
import { judgeStep, type StepVerdict } from '../../core/rollout/step-judge.js';
import { Health } from '../../core/upstream/health-block.js';
import type { RouteChange } from '../protocol/live-change.js';
import type { ChangeAnswer } from '../protocol/messages.js';
import { changeOf, whatDiffers } from './rollout-change.js';
import { StepCounts } from './step-evidence.js';

/** What a rollout needs of its thread. */
export interface RolloutHome {
  observed(): Observed;
  live(): LiveState;
  diffs(): DiffsView;
  wallMs(): number;
  /** Since when the guard holds back copies of a route; null: it does not. */
  heldSinceMs(route: string): number | null;
  setLive(route: string, change: RouteChange): Promise<ChangeAnswer>;
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
const refusedFrom = 400;
const failedFrom = 500;
const nothing: StepVerdict = { outcome: 'undecided', checks: [], requests: 0, seconds: 0, example: null };

export class RunningRollout {
  record: RolloutRecord;
  /** The last judgement of the current step. */
  verdict: StepVerdict = nothing;
  readonly #home: RolloutHome;
  #counts: StepCounts;
  #looks = 0;
  #waits = 0;
  /** A change is on its way. */
  #isBusy = false;

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
    const byHand = record.changedByHand ? null : whatDiffers(record, observed.plan, this.#home.live());
    if (record.inForceMs === null && byHand === null && !record.changedByHand)
      this.record = inForce(record, nowMs);
    const isJudged = this.#looks % looksPerJudgement === 0 && record.state !== 'paused';
    if (isJudged) this.verdict = this.#judge();
    const verdict = isJudged ? this.verdict : { ...this.verdict, outcome: 'undecided' as const };
    const alarm = this.#alarm(observed);
    const next = advance(this.record, { nowMs, verdict, alarm, byHand });
    if (next !== this.record && (isJudged || alarm !== null || byHand !== null)) void this.take(next);
  }

  /**
   * `take` puts a record in force. It resolves with null, or with the reason why it could not; the record
   * before stays then.
   */
  async take(next: RolloutRecord): Promise<string | null> {
    if (this.#isBusy) return 'another change of this rollout is on its way; try again';
    this.#isBusy = true;
    const { plan } = this.#home.observed();
    const kept = inForce(next, this.#home.wallMs());
    const change = changeOf(next, plan, this.#home.live());
    const answer = await this.#home.setLive(next.route, { ...change, rollout: kept });
    this.#isBusy = false;
    if (!answer.ok) return this.#failed(next, answer.message, answer.status);
    const before = this.record;
    this.record = kept;
    const isNewStep = before.step !== next.step || before.state !== next.state;
    if (isNewStep && !(next.state === 'held' || next.state === 'paused')) {
      this.#counts = this.#begin();
      this.verdict = nothing;
    }
    this.#tell(before);
    this.#home.changed();
    return null;
  }

  /** `adopt` takes a record that another thread or instance has put in force. */
  adopt(record: RolloutRecord): void {
    if (this.#isBusy) return;
    this.record = record;
    this.verdict = nothing;
    this.#counts = this.#begin();
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
    return judgeStep(record, record.plan, record.step, this.#counts.evidence(this.#home.diffs()));
  }

  #alarm(observed: Observed): string | null {
    const { from, to, route, plan, step } = this.record;
    const own = observed.endpoints.filter(({ version, health }) => version === to && health !== null);
    const heldMs = this.#home.heldSinceMs(route);
    const sinceMs = this.record.inForceMs;
    const { kind, shareMillionths } = plan.steps[step];
    const isReleased = kind === 'release';
    return alarmOf(
      {
        old: from,
        fresh: to,
        ...this.#counts.recent,
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

  async #failed(next: RolloutRecord, message: string, status: number): Promise<string> {
    const { route } = next;
    this.#home.log.error({ route, state: next.state }, `rollout of ${route}: ${message}; umbra tries again`);
    this.#waits = looksAfterFailure;
    if (next.state !== 'rolling-back' || status < refusedFrom || status >= failedFrom) return message;
    // What was there before is gone, so that a person must say what answers.
    const why = `the route could not be given back to ${next.from}: ${message}; resume or abort the rollout`;
    const paused = advance(this.record, {
      nowMs: this.#home.wallMs(),
      verdict: nothing,
      alarm: null,
      byHand: why,
    });
    await this.take(paused);
    return message;
  }

  #tell(before: RolloutRecord): void {
    const { record } = this;
    const last = record.history[record.history.length - 1];
    if (last === undefined || last === before.history[before.history.length - 1]) return;
    const { route, to, plan, state } = record;
    const event = eventOf(record);
    const fields = { route, to, id: record.id, state, step: record.step, by: last.by, reason: last.reason };
    const place = `step ${record.step + 1} of ${plan.steps.length}`;
    const message = `rollout of ${route} to ${to}: ${state}, ${place}: ${last.reason}`;
    const isBad = state === 'rolled-back' || state === 'held' || (state === 'paused' && last.by !== 'user');
    this.#home.log[isBad ? 'warn' : 'info'](
      last.example === '' ? fields : { ...fields, example: last.example },
      message,
    );
    const hook = { step: plan.onStep, rollback: plan.onRollback, done: plan.onDone }[event.event];
    const isTold = event.event !== 'step' || state === 'running' || state === 'watching' || state === 'held';
    if (hook !== null && isTold) this.#home.runHook(hook, event);
  }
}

const millionthsPerPercent = 10_000;

function eventOf(record: RolloutRecord): RolloutEvent {
  const { id, route, from, to, state, step, plan, history } = record;
  const last = history[history.length - 1];
  const { kind, shareMillionths } = plan.steps[step];
  const isBack = state === 'rolled-back';
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
