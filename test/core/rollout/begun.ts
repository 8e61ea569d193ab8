/** A rollout of three steps, whose first one is in force. */
import type { RolloutPlan, RolloutStep } from '../../../core/plan.js';
import { inForce, moved } from '../../../core/rollout/advance.js';
import type { RolloutRecord } from '../../../core/rollout/rollout-record.js';
import { plainRollout } from '../../support/rollout-plan.js';

const step = (kind: RolloutStep['kind'], percent: number): RolloutStep => ({
  kind,
  shareMillionths: percent * 10_000,
  atLeastMs: 1000,
  atMostMs: 5000,
  requestsMin: 100,
});

const plan: RolloutPlan = {
  ...plainRollout,
  steps: [step('mirror', 50), step('release', 1), { ...step('release', 100), atLeastMs: 0 }],
  watchMs: 3000,
};

export function begunRollout(changes: Partial<RolloutPlan> = {}): RolloutRecord {
  const start: RolloutRecord = {
    format: 1,
    id: 'a',
    route: 'reviews',
    from: 'v1',
    to: 'v2',
    plan: { ...plan, ...changes },
    before: { weights: null, mirrors: {} },
    state: 'running',
    step: 0,
    inForceMs: null,
    startedMs: 0,
    endedMs: null,
    changedByHand: false,
    history: [],
  };
  return inForce(moved(start, 'running', 0, 0, 'user', 'started'), 0);
}
