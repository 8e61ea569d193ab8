/** What the admin API says of a rollout. Names are a contract: add, never rename. */
import { isoTime } from '../../core/clock.js';
import type { RolloutStep } from '../../core/plan.js';
import { missingText } from '../../core/rollout/advance.js';
import { isOver, type RolloutRecord, type RolloutState } from '../../core/rollout/rollout-record.js';
import type { FleetView } from '../../core/rollout/shown-rollout.js';
import type { StepVerdict } from '../../core/rollout/step-judge.js';

const millionthsPerPercent = 10_000;
const msPerS = 1000;

export interface RolloutBody {
  readonly id: string;
  readonly route: string;
  readonly from: string;
  readonly to: string;
  readonly state: RolloutState;
  /** Counted from 1. */
  readonly step: number;
  readonly steps: readonly StepBody[];
  /** Percentage of the route's requests that the new version answers. */
  readonly percent: number;
  readonly onUndecided: string;
  readonly watchS: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Since when the step is in force; null: it is not yet. */
  readonly inForceAt: string | null;
  /** Seconds since then. */
  readonly elapsedS: number;
  /** Why it is in this state. */
  readonly reason: string;
  readonly example: string;
  readonly verdict: {
    readonly outcome: StepVerdict['outcome'];
    readonly requests: number;
    /** What the step waits for; '' where nothing is missing. */
    readonly missing: string;
    readonly checks: StepVerdict['checks'];
  };
  /** The instances of a fleet; null: this process is not one of a fleet. */
  readonly fleet: FleetView | null;
  readonly history: readonly {
    readonly at: string;
    readonly state: RolloutState;
    readonly step: number;
    readonly by: string;
    readonly reason: string;
    readonly example: string;
  }[];
}

export interface StepBody {
  readonly kind: RolloutStep['kind'];
  readonly percent: number;
  readonly atLeastS: number;
  readonly atMostS: number;
  readonly requests: number;
}

export function rolloutBody(
  record: RolloutRecord,
  verdict: StepVerdict,
  nowMs: number,
  fleet: FleetView | null = null,
): RolloutBody {
  const { id, route, from, to, state, step, plan, history, startedMs, endedMs, inForceMs } = record;
  const last = history[history.length - 1];
  const { kind, shareMillionths } = plan.steps[step];
  const isReleased = kind === 'release' && state !== 'rolled-back' && state !== 'rolling-back';
  const isJudged = state === 'running' || state === 'held';
  return {
    id,
    route,
    from,
    to,
    state,
    step: step + 1,
    steps: plan.steps.map((one) => ({
      kind: one.kind,
      percent: one.shareMillionths / millionthsPerPercent,
      atLeastS: one.atLeastMs / msPerS,
      atMostS: one.atMostMs / msPerS,
      requests: one.requestsMin,
    })),
    percent: isReleased ? shareMillionths / millionthsPerPercent : 0,
    onUndecided: plan.onUndecided,
    watchS: plan.watchMs / msPerS,
    startedAt: isoTime(startedMs),
    endedAt: endedMs === null ? null : isoTime(endedMs),
    inForceAt: inForceMs === null ? null : isoTime(inForceMs),
    elapsedS: inForceMs === null ? 0 : Math.max(0, ((endedMs ?? nowMs) - inForceMs) / msPerS),
    reason: last?.reason ?? '',
    example: last?.example ?? '',
    verdict: {
      outcome: verdict.outcome,
      requests: verdict.requests,
      missing: isOver(record) || !isJudged || verdict.outcome === 'pass' ? '' : missingText(record, verdict),
      checks: verdict.checks,
    },
    fleet,
    history: history.map(({ atMs, ...rest }) => ({ at: isoTime(atMs), ...rest, step: rest.step + 1 })),
  };
}
