/** One row of the table of rollouts, in a thread of its own: entry point of the pool's threads. */
import { laws, unsharedLaw } from './laws.js';
import { type RolloutResult, runRollout } from './rollout-run.js';
import { rolloutPlans, rolloutScenarios } from './rollout-scenarios.js';
import { quickDraws } from './run.js';

export interface RolloutJob {
  readonly law: string;
  readonly scenario: string;
  readonly plan: string;
  readonly rollouts: number;
  readonly rate: number;
  readonly seed: number;
  /** Seconds from one look to the next, after the first minute of a step. */
  readonly lookS: number;
}

export default function run({
  law,
  scenario,
  plan,
  rollouts,
  rate,
  seed,
  lookS,
}: RolloutJob): RolloutResult[] {
  const draws = quickDraws(seed);
  const ofName = <T extends { readonly name: string }>(all: readonly T[], name: string): T =>
    all.find((one) => one.name === name)!;
  return Array.from({ length: rollouts }, () =>
    runRollout(
      draws,
      ofName([...laws, unsharedLaw], law),
      ofName(rolloutScenarios, scenario),
      rolloutPlans[plan],
      rate,
      lookS,
    ),
  );
}
