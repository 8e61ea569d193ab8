/** A short form of `npm run simulate -- rollouts`, which docs/methods-rollout.md has the figures of. */
import { laws } from '../../../bench/simulate/laws.js';
import { runRollout } from '../../../bench/simulate/rollout-run.js';
import { rolloutPlans, rolloutScenarios } from '../../../bench/simulate/rollout-scenarios.js';
import { quickDraws } from '../../../bench/simulate/run.js';
import type { RolloutPlan } from '../../../core/plan.js';
import t from '../../support/tap.js';

const lookS = 10;
const rate = 200;
const lawNamed = (name: string) => laws.find((law) => law.name === name)!;
const scenarioNamed = (name: string) => rolloutScenarios.find((scenario) => scenario.name === name)!;
const { default: usual, short } = rolloutPlans;

function end(law: string, scenario: string, plan: RolloutPlan): string {
  return runRollout(quickDraws(7), lawNamed(law), scenarioNamed(scenario), plan, rate, lookS).end;
}

t.test('an equal version is not rolled back, whatever bursts there are', async (t) => {
  for (const law of ['shared bursts', 'own bursts']) t.not(end(law, 'equal', short), 'rolled-back', law);
  t.equal(end('lognormal', 'equal', usual), 'released', 'and the usual steps release it');
});

t.test('a version that is worse is not released, with or without a mirror before', async (t) => {
  for (const plan of Object.values(rolloutPlans))
    for (const scenario of ['+0.5 points of errors', '+5 % for all'])
      t.not(end('lognormal', scenario, plan), 'released', scenario);
});

t.test('answers that differ are found while the version is mirrored, without any user', async (t) => {
  const draws = quickDraws(7);
  const differs = scenarioNamed('0.5 % of answers differ');
  const result = runRollout(draws, lawNamed('lognormal'), differs, short, rate, lookS);
  t.match(result, { end: 'rolled-back', step: 0, harmed: 0 });
});
