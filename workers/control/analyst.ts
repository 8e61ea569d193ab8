/**
 * An analyst: a thread of the pool that compares pairs of responses. Its input may be hostile: its heap
 * bounds its memory, its caller bounds its time, and its end costs one pair. Entry point of the thread.
 */
import { constants } from 'node:os';
import { type CompareRules, Comparer } from '../../core/compare/compare.js';
import type { Comparison } from '../../core/compare/difference.js';
import type { PairSide } from '../../core/compare/pair-port.js';
import { yieldToProxyThreads } from '../threads/priority.js';

export interface PairTask {
  readonly rules: CompareRules;
  /** The target of the request; a wire string. */
  readonly target: string;
  readonly primary: PairSide;
  readonly shadow: PairSide;
}

export interface AnalystTask {
  readonly pairs: readonly PairTask[];
}

/** Comparers by their rules as text: a plan has few rules, and every pair carries its own copy. */
const comparers = new Map<string, Comparer>();
const comparersMax = 256;

// A lower priority than other threads, because nobody waits for an analyst, but not so low that a busy
// machine starves it.
yieldToProxyThreads(constants.priority.PRIORITY_BELOW_NORMAL);

export default function analyse({ pairs }: AnalystTask): readonly Comparison[] {
  // Pairs of one mirror share their rules, which are one object within a task.
  let rules: CompareRules | null = null;
  let comparer: Comparer | null = null;
  return pairs.map((pair) => {
    if (pair.rules !== rules) {
      rules = pair.rules;
      comparer = comparerOf(rules);
    }
    const { differences, more } = comparer!.compare(pair.primary, pair.shadow, pair.target);
    return { differences, more };
  });
}

function comparerOf(rules: CompareRules): Comparer {
  const key = JSON.stringify(rules);
  let comparer = comparers.get(key);
  if (comparer === undefined) {
    if (comparers.size >= comparersMax) comparers.clear();
    comparer = new Comparer(rules);
    comparers.set(key, comparer);
  }
  return comparer;
}
