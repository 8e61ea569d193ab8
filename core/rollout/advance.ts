/**
 * The next state of a rollout. Pure: the driver brings evidence and time, applies what `wantedRoute` says,
 * and keeps the record.
 *
 *   running --pass, least time--> running (next step) --last step--> watching --time--> released
 *   running --undecided, longest time--> held | rolling-back | next step, as `onUndecided` says
 *   held    --pass--> next step
 *   running, held, watching --fail or alarm--> rolling-back --in force--> rolled-back
 *   running, held, watching --changed by hand, or a person--> paused --resume--> running or watching
 */
import { countText, spanText } from '../report/figures.js';
import type { StepCheck } from './release-judge.js';
import { type Decider, historyMax, isOver, type RolloutRecord, type RolloutState } from './rollout-record.js';
import type { StepVerdict } from './step-judge.js';

const whole = 1_000_000;
const msPerS = 1000;

export interface Situation {
  /** Wall clock, milliseconds. */
  readonly nowMs: number;
  /** Judges what was counted since the step was in force. */
  readonly verdict: StepVerdict;
  /** Why the new version must not answer any longer (core/rollout/alarm). */
  readonly alarm: string | null;
  /** What a person or a document changed on the route meanwhile; null: nothing. */
  readonly byHand: string | null;
  /** Why the evidence is not of the whole fleet: the step neither passes nor ends. Absent, null: it is. */
  readonly absent?: string | null;
}

/** `advance` returns the same record where nothing changes. */
export function advance(record: RolloutRecord, situation: Situation): RolloutRecord {
  const { nowMs, verdict, alarm, byHand, absent = null } = situation;
  if (isOver(record) || record.state === 'rolling-back' || record.changedByHand) return record;
  if (byHand !== null) {
    const paused = moved(
      record,
      'paused',
      record.step,
      nowMs,
      'change',
      `${byHand}; resume or abort the rollout`,
    );
    return { ...paused, changedByHand: true };
  }
  if (alarm !== null) return rolledBack(record, nowMs, 'guard', alarm);
  if (record.state === 'paused' || record.inForceMs === null) return record;
  if (verdict.outcome === 'fail') {
    const failed = verdict.checks.find(({ outcome }) => outcome === 'fail')!;
    return rolledBack(record, nowMs, 'verdict', `${failed.name}: ${failed.text}`, exampleText(verdict));
  }
  const elapsedMs = nowMs - record.inForceMs;
  if (record.state === 'watching') {
    if (elapsedMs < watchMsOf(record) || absent !== null) return record;
    return moved(record, 'released', record.step, nowMs, 'time', watchedText(record, elapsedMs, verdict));
  }
  const step = record.plan.steps[record.step];
  const isSure = verdict.outcome === 'pass' && verdict.requests >= step.requestsMin;
  if (isSure && elapsedMs >= step.atLeastMs && absent === null) {
    const text = `all checks passed with ${countText(verdict.requests)} requests in ${spanText(elapsedMs / msPerS)}`;
    return nextStep(record, nowMs, 'verdict', text);
  }
  if (elapsedMs < step.atMostMs || record.state === 'held') return record;
  const missing = `not decided in ${spanText(elapsedMs / msPerS)}: ${absent ?? missingText(record, verdict)}`;
  const { onUndecided } = record.plan;
  switch (onUndecided === 'go-on' && absent !== null ? 'hold' : onUndecided) {
    case 'hold':
      // The step stays in force, so its evidence continues.
      return { ...moved(record, 'held', record.step, nowMs, 'time', missing), inForceMs: record.inForceMs };
    case 'rollback':
      return rolledBack(record, nowMs, 'time', missing);
    case 'go-on':
      return nextStep(record, nowMs, 'time', missing);
  }
}

/** `inForce` says that every thread follows the record's state and step since `nowMs`. */
export function inForce(record: RolloutRecord, nowMs: number): RolloutRecord {
  if (record.inForceMs !== null) return record;
  const now = { ...record, inForceMs: nowMs };
  if (record.state !== 'rolling-back') return now;
  const { reason, by } = record.history[record.history.length - 1];
  return moved(now, 'rolled-back', record.step, nowMs, by, reason, lastExample(record));
}

export function paused(record: RolloutRecord, nowMs: number, why: string): RolloutRecord | string {
  if (isOver(record) || record.state === 'rolling-back') return `the rollout is ${record.state} already`;
  if (record.state === 'paused') return 'the rollout is paused already';
  return { ...moved(record, 'paused', record.step, nowMs, 'user', why), inForceMs: record.inForceMs };
}

/** `resumed` puts the step in force again, and its evidence begins again. */
export function resumed(record: RolloutRecord, nowMs: number, why: string): RolloutRecord | string {
  if (record.state !== 'paused' && record.state !== 'held')
    return `the rollout is ${record.state}, so there is nothing to resume`;
  const isLast = record.step === record.plan.steps.length - 1;
  const next = moved(record, isLast ? 'watching' : 'running', record.step, nowMs, 'user', why);
  return { ...next, changedByHand: false };
}

/** `promoted` takes the next step without waiting for the verdict; `fully`: the last one. */
export function promoted(
  record: RolloutRecord,
  nowMs: number,
  why: string,
  fully: boolean,
): RolloutRecord | string {
  if (isOver(record) || record.state === 'rolling-back')
    return `the rollout is ${record.state}, so there is nothing to promote`;
  if (isLastStep(record)) {
    if (record.state !== 'watching')
      return `the rollout is ${record.state} at its last step; resume it first`;
    return moved(record, 'released', record.step, nowMs, 'user', why);
  }
  const from = fully ? { ...record, step: record.plan.steps.length - 2 } : record;
  return { ...nextStep(from, nowMs, 'user', why), changedByHand: false };
}

export function aborted(record: RolloutRecord, nowMs: number, why: string): RolloutRecord | string {
  if (isOver(record) || record.state === 'rolling-back')
    return `the rollout is ${record.state} already; to return to ${record.from}, use umbra weights`;
  return { ...rolledBack(record, nowMs, 'user', why), changedByHand: false };
}

/**
 * `undone` returns to the step before, because an instance did not take this one, and waits for a person. A
 * rollout whose first step is undone is rolled back.
 */
export function undone(record: RolloutRecord, nowMs: number, why: string): RolloutRecord {
  const { history, step, inForceMs } = record;
  const before = history[history.length - 2];
  if (before === undefined) return rolledBack(record, nowMs, 'fleet', `the first step was undone: ${why}`);
  const isUndone = inForceMs === null && before.step !== step;
  const text = isUndone ? `step ${step + 1} was undone: ${why}` : why;
  const to = isUndone ? before.step : step;
  const paused = moved(record, 'paused', to, nowMs, 'fleet', `${text}; resume or abort the rollout`);
  return isUndone ? paused : { ...paused, inForceMs };
}

/** `restarted` begins the evidence of a step again, because the counters of the process before are gone. */
export function restarted(record: RolloutRecord): RolloutRecord {
  return isOver(record) ? record : { ...record, inForceMs: null };
}

/** Moves a record; what it says is not in force yet. */
export function moved(
  record: RolloutRecord,
  state: RolloutState,
  step: number,
  nowMs: number,
  by: Decider,
  reason: string,
  example = '',
): RolloutRecord {
  const history = [...record.history, { atMs: nowMs, state, step, by, reason, example }];
  const ended = isOver({ state });
  return {
    ...record,
    state,
    step,
    inForceMs: state === 'rolled-back' ? record.inForceMs : null,
    endedMs: ended ? nowMs : null,
    history: history.slice(-historyMax),
  };
}

function rolledBack(
  record: RolloutRecord,
  nowMs: number,
  by: Decider,
  reason: string,
  example = '',
): RolloutRecord {
  return moved(record, 'rolling-back', record.step, nowMs, by, reason, example);
}

function nextStep(record: RolloutRecord, nowMs: number, by: Decider, reason: string): RolloutRecord {
  const step = record.step + 1;
  const next = { ...record, step };
  const isLast = isLastStep(next);
  const state = !isLast ? 'running' : watchMsOf(next) > 0 ? 'watching' : 'released';
  return moved(record, state, step, nowMs, by, reason);
}

function isLastStep({ plan, step }: RolloutRecord): boolean {
  return step === plan.steps.length - 1;
}

function watchMsOf({ plan, step }: RolloutRecord): number {
  return Math.max(plan.watchMs, plan.steps[step].atLeastMs);
}

function watchedText({ from }: RolloutRecord, elapsedMs: number, { checks }: StepVerdict): string {
  const undecided = checks.filter(({ outcome }) => outcome === 'undecided');
  const open = [...new Set(undecided.map(({ name }) => name))];
  const rest = open.length === 0 ? '' : `; undecided: ${open.join(', ')}`;
  return `watched against ${from} for ${spanText(elapsedMs / msPerS)}, and no check failed${rest}`;
}

/** What a step waits for. */
export function missingText(
  { plan, step, from, to }: RolloutRecord,
  { checks, requests, seconds }: StepVerdict,
): string {
  const { kind, requestsMin } = plan.steps[step];
  if (requests === 0) {
    const why = kind === 'mirror' ? '' : `; with \`split\`, requests without its key all go to ${from}`;
    return `${to} got none of the ${countText(requestsMin)} requests that the step needs${why}`;
  }
  const leftS = (seconds * (requestsMin - requests)) / requests;
  const few =
    requests < requestsMin
      ? [
          `${to} got ${countText(requests)} of the ${countText(requestsMin)} requests that the step needs, which takes ${spanText(leftS)} more at this rate`,
        ]
      : [];
  const open = checks.filter(isOpen).map(({ name, text }) => `${name}: ${text}`);
  return [...few, ...open].join('; ') || 'nothing was measured';
}

function isOpen({ outcome, isOptional }: StepCheck): boolean {
  return outcome === 'undecided' && !isOptional;
}

function exampleText({ example }: StepVerdict): string {
  if (example === null) return '';
  const { request, id, place, primary, shadow } = example;
  return `${request} (id ${id}), ${place}: ${primary} | ${shadow}`;
}

function lastExample({ history }: RolloutRecord): string {
  return history[history.length - 1]?.example ?? '';
}

/** The share of the requests that the new version answers now, as a fraction. */
export function releasedShare({ state, plan, step }: RolloutRecord): number {
  if (state === 'rolling-back' || state === 'rolled-back') return 0;
  const { kind, shareMillionths } = plan.steps[step];
  return kind === 'mirror' ? 0 : shareMillionths / whole;
}
