/** What the new version of a simulated rollout does otherwise than the old one. */
import { defaultSteps, parseSteps } from '../../config/rollout-steps.js';
import { Refusal } from '../../config/units.js';
import type { RolloutPlan } from '../../core/plan.js';
import { plainRollout } from '../../test/support/rollout-plan.js';
import type { RolloutEnd } from './rollout-run.js';

export interface RolloutScenario {
  readonly name: string;
  /** The end that is wrong. */
  readonly wrong: RolloutEnd;
  /** By which latencies of the new version are multiplied. */
  readonly slower?: number;
  /** The share of requests that the new version alone fails. */
  readonly errors?: number;
  /** The share of unsafe requests that the new version fails once it answers them, and not as copies. */
  readonly hiddenErrors?: number;
  /** The share that each version fails by itself. */
  readonly ownErrors?: number;
  /** Once a minute one request in twenty fails for two seconds: at each version by itself, or at both. */
  readonly errorBursts?: 'own' | 'shared';
  /** The new version alone stalls for a twentieth of the time, and then takes ten times as long. */
  readonly stalls?: boolean;
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
  { name: '+1 point of errors, hidden', wrong: 'released', hiddenErrors: 0.033 },
  { name: '+5 % for all', wrong: 'released', slower: 1.05 },
  { name: 'stalls of its own', wrong: 'released', stalls: true },
];

function planOf(words: string, requestsMin: number, watchMs: number): RolloutPlan {
  const steps = parseSteps(words);
  if (steps instanceof Refusal) throw new Error(steps.reason);
  return {
    ...plainRollout,
    steps: steps.map((step) => ({ ...step, requestsMin })),
    watchMs,
  };
}

const requestsMin = 500;
const watchMs = 1_800_000;
const withoutMirror = defaultSteps.replace(/^mirror[^,]*,/, '');

/** The default steps, with and without a mirror before them, and steps of a minute. */
export const rolloutPlans: Readonly<Record<string, RolloutPlan>> = {
  default: planOf(defaultSteps, requestsMin, watchMs),
  'without a mirror': planOf(withoutMirror, requestsMin, watchMs),
  short: planOf('mirror:1m-10m,1%:1m-10m,5%:1m-10m,25%:1m-10m,50%:1m-10m,100%', 300, 60_000),
};
