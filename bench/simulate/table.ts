/** Repeats a scenario, and prints what the judge made of it. */
import { judge } from '../../core/verdict/judge.js';
import type { Looks } from '../../core/verdict/looks.js';
import { defaultBounds, type Outcome, type Verdict } from '../../core/verdict/verdict.js';
import type { Law } from './laws.js';
import { Traffic } from './run.js';
import type { Scenario } from './scenarios.js';

export type Tally = Record<Outcome, number>;

/**
 * Judges so many spans of so many pairs each, once at the end of each span. The same seed gives the same
 * spans.
 */
export function tally(law: Law, scenario: Scenario, pairs: number, spans: number, seed: number): Tally {
  const traffic = new Traffic(seed);
  const counts: Tally = { pass: 0, fail: 0, undecided: 0 };
  for (let i = 0; i < spans; i++) {
    const blocks = traffic.run(law, scenario, pairs);
    counts[verdictOf(blocks, 'once').outcome]++;
  }
  return counts;
}

/**
 * `tallyUntilDecided` is `tally` with a look after each of `looksMax` stretches of a span, until one decides.
 */
export function tallyUntilDecided(
  law: Law,
  scenario: Scenario,
  pairs: number,
  spans: number,
  seed: number,
): Tally {
  const traffic = new Traffic(seed);
  const counts: Tally = { pass: 0, fail: 0, undecided: 0 };
  for (let i = 0; i < spans; i++) {
    let outcome: Outcome = 'undecided';
    traffic.run(law, scenario, pairs, (blocks) => {
      outcome = verdictOf(blocks, 'repeated').outcome;
      return outcome !== 'undecided';
    });
    counts[outcome]++;
  }
  return counts;
}

function verdictOf(blocks: ReturnType<Traffic['run']>, looks: Looks): Verdict {
  const evidence = { route: 'r', primary: 'v1', shadow: 'v2', blocks, baseline: [], endpoints: [] };
  return judge([evidence], null, defaultBounds, looks);
}

/** The shares of the three outcomes, as columns. */
export function shares(counts: Tally): string {
  const all = counts.pass + counts.fail + counts.undecided;
  const share = (outcome: Outcome): string => `${((100 * counts[outcome]) / all).toFixed(1)} %`.padStart(10);
  return `${share('pass')}${share('fail')}${share('undecided')}`;
}
