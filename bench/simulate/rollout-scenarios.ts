/** What the new version of a simulated rollout does otherwise than the old one. */
import type { RolloutPlan, RolloutStep } from '../../core/plan.js';
import type { Draws } from './laws.js';
import type { RolloutEnd } from './rollout-run.js';

export interface RolloutScenario {
  readonly name: string;
  /** The end that is wrong. */
  readonly wrong: RolloutEnd;
  /** By which latencies of the new version are multiplied. */
  slower?(draws: Draws): number;
  /** The share of requests that the new version alone fails. */
  readonly errors?: number;
  /** The share that each version fails by itself. */
  readonly ownErrors?: number;
  /** Once a minute one request in twenty fails for two seconds: at each version by itself, or at both. */
  readonly errorBursts?: 'own' | 'shared';
  /** The share of answers that differ. */
  readonly different?: number;
}

export const rolloutScenarios: readonly RolloutScenario[] = [
  { name: 'equal', wrong: 'rolled-back' },
  { name: 'equal, errors of their own', wrong: 'rolled-back', ownErrors: 0.002 },
  { name: 'equal, own bursts of errors', wrong: 'rolled-back', errorBursts: 'own' },
  { name: 'equal, shared bursts of errors', wrong: 'rolled-back', errorBursts: 'shared' },
  { name: '+0.5 points of errors', wrong: 'released', errors: 0.005 },
  { name: '0.5 % of answers differ', wrong: 'released', different: 0.005 },
  { name: '+5 % for all', wrong: 'released', slower: () => 1.05 },
];

const s = 1000;
const step = (kind: RolloutStep['kind'], percent: number): RolloutStep => ({
  kind,
  shareMillionths: percent * 10_000,
  atLeastMs: 60 * s,
  atMostMs: 600 * s,
  requestsMin: 300,
});
const released = [step('release', 1), step('release', 5), step('release', 25), step('release', 50)];
const last: RolloutStep = { ...step('release', 100), atLeastMs: 0, requestsMin: 300 };

function planOf(steps: readonly RolloutStep[]): RolloutPlan {
  return {
    to: 'v2',
    steps: [...steps, last],
    onUndecided: 'hold',
    watchMs: 60 * s,
    bounds: { shift: 0.02, p99Delta: 0.1, errorDelta: 0.0005, diff: 0.001 },
    errorsMax: 0.1,
    pairs: true,
    onStep: null,
    onRollback: null,
    onDone: null,
  };
}

/** The same steps, with and without a mirror before them. */
export const rolloutPlans: Readonly<Record<string, RolloutPlan>> = {
  mirrored: planOf([step('mirror', 100), ...released]),
  'without a mirror': planOf(released),
};
