/** A rollout in few words, for `/api/status` and for the snapshots of a fleet. Pure. */
import type { RolloutNote } from '../../core/report/rollout-note.js';
import { releasedShare } from '../../core/rollout/advance.js';
import { isOver, type RolloutRecord, revisionOf } from '../../core/rollout/rollout-record.js';
import type { MemberView } from '../../core/rollout/shown-rollout.js';

const whole = 1_000_000;
const millionthsPerPercent = 10_000;

export function noteOf(record: RolloutRecord, members: readonly MemberView[]): RolloutNote {
  const { id, startedMs, route, from, to, state, step, plan, history } = record;
  return {
    id,
    revision: revisionOf(record),
    startedMs,
    route,
    from,
    to,
    state,
    step: step + 1,
    steps: plan.steps.length,
    percent: Math.round(releasedShare(record) * whole) / millionthsPerPercent,
    reason: history[history.length - 1]?.reason ?? '',
    over: isOver(record),
    ...(members.length === 0 ? {} : { members }),
  };
}
