/**
 * `npm run simulate [-- --spans N] [--pairs 1000,10000,100000] [--only WORD]` judges simulated traffic with
 * the code that umbra judges real traffic with, and prints how often it is right. docs/methods.md has the
 * tables. The word `rollouts` simulates rollouts instead (./rollouts.ts). Seeded: the same arguments print
 * the same figures. Rows run side by side, one on each processor.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { toolOptions } from '../../test/support/tool-options.js';
import type { Job } from './job.js';
import { laws, unsharedLaw } from './laws.js';
import { simulateRollouts } from './rollouts.js';
import { type Scenario, scenarios } from './scenarios.js';
import { shares, type Tally } from './table.js';

const [word, ...rest] = process.argv.slice(2);
if (word === 'rollouts') {
  await simulateRollouts(rest);
  process.exit();
}
const { values } = toolOptions('npm run simulate -- [rollouts]', {
  spans: { type: 'string', default: '300' },
  pairs: { type: 'string', default: '1000,10000,100000' },
  only: { type: 'string', default: '' },
  seed: { type: 'string', default: '1' },
});
const spans = Number(values.spans);
const seed = Number(values.seed);
const pairsAtOnce = 10_000;
/** A false failure is rare, so it takes more spans to measure. */
const equalFactor = 3;
/** A hundred looks cost a hundred judgements. */
const looksFactor = 0.2;

const pool = new Piscina<Job, Tally>({
  filename: join(import.meta.dirname, 'job.js'),
  maxThreads: availableParallelism(),
});
for (const pairs of values.pairs.split(',').map(Number))
  await print(`one look at ${pairs} pairs`, pairs, false);
await print(`100 looks at up to ${pairsAtOnce} pairs (--until-decided)`, pairsAtOnce, true);
await pool.close();

/** Spans of more pairs take longer, so there are fewer of them. */
function spansOf({ right }: Scenario, pairs: number, untilDecided: boolean): number {
  const wanted = spans * (right === 'pass' ? equalFactor : 1) * (untilDecided ? looksFactor : 1);
  return Math.max(10, Math.round(wanted / Math.max(1, pairs / pairsAtOnce)));
}

async function print(title: string, pairs: number, untilDecided: boolean): Promise<void> {
  const rows = [...laws, unsharedLaw].flatMap((law) =>
    scenarios
      .filter(({ name }) => `${law.name} ${name} ${title}`.includes(values.only))
      .map((scenario) => ({ law, scenario, count: spansOf(scenario, pairs, untilDecided) })),
  );
  if (rows.length === 0) return;
  const tallies = rows.map(({ law, scenario, count }) =>
    pool.run({ law: law.name, scenario: scenario.name, pairs, spans: count, seed, untilDecided }),
  );
  const heads = ['spans', 'pass', 'fail', 'undecided', 'wrong'];
  console.log(`\n${title}\n${''.padEnd(46)}${heads.map((head) => head.padStart(10)).join('')}`);
  for (const [i, { law, scenario, count }] of rows.entries()) {
    const found = await tallies[i];
    const wrong = found[scenario.right === 'pass' ? 'fail' : 'pass'];
    const name = `${law.name.padEnd(16)}${scenario.name.padEnd(30)}${String(count).padStart(10)}`;
    console.log(`${name}${shares(found)}${String(wrong).padStart(10)}`);
  }
}
