/**
 * `npm run simulate -- rollouts [--rollouts 200] [--rate 1000] [--look 10] [--plan NAME]
 * [--law NAME,NAME] [--scenario NAME] [--only WORD] [--reasons]` runs rollouts over
 * simulated traffic with the code that umbra runs, and prints how they end. docs/methods-rollout.md has the
 * table. Seeded: the same arguments print the same figures.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { toolOptions } from '../../test/support/tool-options.js';
import { laws, unsharedLaw } from './laws.js';
import type { RolloutJob } from './rollout-job.js';
import type { RolloutEnd, RolloutResult } from './rollout-run.js';
import { rolloutPlans, rolloutScenarios } from './rollout-scenarios.js';

/** `simulateRollouts` takes the arguments behind the word `rollouts`. */
export async function simulateRollouts(args: string[]): Promise<void> {
  const { values } = toolOptions(
    'npm run simulate -- rollouts',
    {
      rollouts: { type: 'string', default: '200' },
      rate: { type: 'string', default: '1000' },
      look: { type: 'string', default: '10' },
      plan: { type: 'string', default: '' },
      law: { type: 'string', default: '' },
      only: { type: 'string', default: '' },
      scenario: { type: 'string', default: '' },
      seed: { type: 'string', default: '1' },
      reasons: { type: 'boolean', default: false },
    },
    { args },
  );
  const pool = new Piscina<RolloutJob, RolloutResult[]>({
    filename: join(import.meta.dirname, 'rollout-job.js'),
    maxThreads: availableParallelism(),
  });
  const plans = Object.keys(rolloutPlans).filter((plan) => plan.startsWith(values.plan));
  const chosen = [...laws, unsharedLaw].filter(
    ({ name }) => values.law === '' || values.law.split(',').includes(name),
  );
  const rows = plans.flatMap((plan) =>
    chosen.flatMap((law) =>
      rolloutScenarios
        .filter(({ name }) => values.scenario === '' || name === values.scenario)
        .filter(({ name }) => `${plan} ${law.name} ${name}`.includes(values.only))
        .map((scenario) => ({ plan, law, scenario })),
    ),
  );
  const results = rows.map(({ plan, law, scenario }) =>
    pool.run({
      law: law.name,
      scenario: scenario.name,
      plan,
      rollouts: Number(values.rollouts),
      rate: Number(values.rate),
      lookS: Number(values.look),
      seed: Number(values.seed),
    }),
  );
  const heads = ['rollouts', 'released', 'rolled back', 'held', 'wrong', 'harmed', 'last step', 'time'];
  console.log(`${''.padEnd(64)}${heads.map((head) => head.padStart(12)).join('')}`);
  for (const [i, { plan, law, scenario }] of rows.entries()) {
    const all = await results[i];
    const count = (end: RolloutEnd): number => all.filter((one) => one.end === end).length;
    const cells = [
      all.length,
      count('released'),
      count('rolled-back'),
      count('held'),
      count(scenario.wrong),
      `${(100 * Math.max(...all.map(({ harmed }) => harmed))).toFixed(3)} %`,
      Math.max(...all.map(({ step }) => step)),
      `${Math.round(all.reduce((sum, { lastedS }) => sum + lastedS, 0) / all.length)} s`,
    ];
    const name = `${plan.padEnd(18)}${law.name.padEnd(16)}${scenario.name.padEnd(30)}`;
    console.log(`${name}${cells.map((cell) => String(cell).padStart(12)).join('')}`);
    if (values.reasons)
      for (const { end, step, reason } of all) console.log(`    ${end} at step ${step}: ${reason}`);
  }
  await pool.close();
}
