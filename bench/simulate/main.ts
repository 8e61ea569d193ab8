/**
 * `npm run simulate [-- --spans N] [--pairs 1000,10000,100000] [--only WORD]` judges simulated traffic with
 * the code that umbra judges real traffic with, and prints how often it is right. docs/methods.md has the
 * tables. Seeded: the same arguments print the same figures.
 */
import { parseArgs } from 'node:util';
import { type Law, laws, unsharedLaw } from './laws.js';
import { type Scenario, scenarios } from './scenarios.js';
import { shares, type Tally, tally, tallyUntilDecided } from './table.js';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '150' },
    pairs: { type: 'string', default: '1000,10000,100000' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
  },
});
const spans = Number(values.spans);
const seed = Number(values.seed);
const pairsAtOnce = 10_000;
/** Spans of more pairs take longer, so there are fewer of them. */
const spansOf = (pairs: number): number => Math.max(20, Math.round(spans / Math.max(1, pairs / pairsAtOnce)));

/** A hundred looks cost a hundred judgements. */
const spansLooked = Math.max(10, Math.round(spans / 10));

for (const pairs of values.pairs.split(',').map(Number)) {
  print(`one look at ${pairs} pairs, ${spansOf(pairs)} spans each`, (law, scenario) =>
    tally(law, scenario, pairs, spansOf(pairs), seed),
  );
}
print(
  `100 looks at up to ${pairsAtOnce} pairs (--until-decided), ${spansLooked} spans each`,
  (law, scenario) => tallyUntilDecided(law, scenario, pairsAtOnce, spansLooked, seed),
);

function print(title: string, count: (law: Law, scenario: Scenario) => Tally): void {
  const rows = [...laws, unsharedLaw].flatMap((law) =>
    scenarios
      .filter(({ name }) => `${law.name} ${name} ${title}`.includes(values.only))
      .map((scenario) => ({ law, scenario })),
  );
  if (rows.length === 0) return;
  console.log(
    `\n${title}\n${''.padEnd(46)}${['pass', 'fail', 'undecided'].map((head) => head.padStart(9)).join('')}`,
  );
  for (const { law, scenario } of rows)
    console.log(`${law.name.padEnd(16)}${scenario.name.padEnd(30)}${shares(count(law, scenario))}`);
}
