/** One row of a table, in a thread of its own: entry point of the pool's threads. */
import { laws, unsharedLaw } from './laws.js';
import { scenarios } from './scenarios.js';
import { type Tally, tally, tallyUntilDecided } from './table.js';

export interface Job {
  /** Names of a law and a scenario. */
  readonly law: string;
  readonly scenario: string;
  readonly pairs: number;
  readonly spans: number;
  readonly seed: number;
  /** `untilDecided` looks a hundred times at each span, until one look decides. */
  readonly untilDecided: boolean;
}

export default function run({ law, scenario, pairs, spans, seed, untilDecided }: Job): Tally {
  const ofName = <T extends { readonly name: string }>(all: readonly T[], name: string): T =>
    all.find((one) => one.name === name)!;
  const count = untilDecided ? tallyUntilDecided : tally;
  return count(ofName([...laws, unsharedLaw], law), ofName(scenarios, scenario), pairs, spans, seed);
}
