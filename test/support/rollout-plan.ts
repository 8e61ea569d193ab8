import type { RolloutPlan } from '../../core/plan.js';

/** The settings that `umbra rollout start` has by itself, without steps. */
export const plainRollout: Omit<RolloutPlan, 'steps' | 'watchMs'> = {
  to: 'v2',
  onUndecided: 'hold',
  bounds: { shift: 0.02, p99Delta: 0.1, errorDelta: 0.0005, diff: 0.001 },
  errorsMax: 0.1,
  pairs: true,
  onStep: null,
  onRollback: null,
  onDone: null,
};
