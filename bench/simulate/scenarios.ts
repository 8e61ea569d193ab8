/** What the second version does otherwise than the first. */
import type { Draws } from './laws.js';

export interface Scenario {
  readonly name: string;
  /** The verdict that is right; the others are a false fail, or a miss. */
  readonly right: 'pass' | 'fail';
  /** By which latencies of the shadow are multiplied; `draws` for a part of them. */
  slower?(draws: Draws, atShare: number): number;
  /** The share of requests that the shadow alone fails. */
  readonly errors?: number;
  /** The share of requests that each version fails by itself, at another time than the other. */
  readonly ownErrors?: number;
  /** The share of answers that differ. */
  readonly different?: number;
  /** The shadow is down in this share of the time, several times. */
  readonly down?: number;
}

export const scenarios: readonly Scenario[] = [
  { name: 'equal', right: 'pass' },
  { name: 'equal, errors of their own', right: 'pass', ownErrors: 0.002 },
  { name: '+5 % for all', right: 'fail', slower: () => 1.05 },
  { name: '+50 % for 1 in 20', right: 'fail', slower: (draws) => (draws.uniform() < 0.05 ? 3 : 1) },
  { name: '+0.2 points of errors', right: 'fail', errors: 0.002 },
  { name: '0.5 % of answers differ', right: 'fail', different: 0.005 },
  { name: 'down for 10 % of the time', right: 'fail', down: 0.1 },
];
