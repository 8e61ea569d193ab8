/**
 * The counts of the pairs of one mirror in one stretch of time. Stretches and processes can be added. A pair
 * is a request of the primary and its copy. Pure.
 */
import { dropReasons, failureReasons } from '../errors.js';
import { unexaminedReasons } from '../record/mirror-counters.js';
import type { MirrorSnapshot } from '../record/snapshot.js';
import { latencyScale, ratioScale, SlotCounts } from './slot-counts.js';

/** Pairs by what came of them. */
export const pairOutcomes = [
  'bothOk',
  'shadowErrors',
  'primaryErrors',
  'bothErrors',
  'different',
  'statusDifferent',
] as const;
const numbers = [...pairOutcomes, 'eligible', 'sampled', 'examined'] as const;
const reasons = ['dropped', 'failed', 'unexamined'] as const;
const histograms = ['ratio', 'primary', 'shadow', 'queue'] as const;

/**
 * The counts of one stretch of time.
 *
 * - Pairs by outcome: `bothOk`, `shadowErrors` (only the shadow failed), `primaryErrors`, `bothErrors`.
 * - Pairs of `bothOk` that differ in anything compared (`different`), and in the status (`statusDifferent`).
 * - Copies that were `eligible`, `dropped` (by `Drop`) and `failed` (by `Failure`).
 * - Pairs that were `sampled` to be taken apart: `examined`, or `unexamined` by reason.
 * - Latencies of `bothOk` (`primary`, `shadow`), their `ratio`, and the time of all copies in the ring
 *   (`queue`).
 */
export type PairCounts = { readonly [K in (typeof numbers)[number]]: number } & {
  readonly [K in (typeof reasons)[number]]: readonly number[];
} & { readonly [K in (typeof histograms)[number]]: SlotCounts };

export const noPairs: PairCounts = {
  ...(Object.fromEntries(numbers.map((name) => [name, 0])) as Record<(typeof numbers)[number], number>),
  dropped: dropReasons.map(() => 0),
  failed: failureReasons.map(() => 0),
  unexamined: unexaminedReasons.map(() => 0),
  ratio: SlotCounts.none,
  primary: SlotCounts.none,
  shadow: SlotCounts.none,
  queue: SlotCounts.none,
};

/** `sumPairs` adds up stretches of time. */
export function sumPairs(all: readonly PairCounts[]): PairCounts {
  const sum: Record<string, unknown> = {};
  for (const name of numbers) sum[name] = all.reduce((total, pairs) => total + pairs[name], 0);
  for (const name of reasons)
    sum[name] = all.reduce((total, pairs) => addEach(total, pairs[name]), noPairs[name]);
  for (const name of histograms) sum[name] = SlotCounts.sum(all.map((pairs) => pairs[name]));
  return sum as unknown as PairCounts;
}

/** Pairs whose ends say something of the versions. */
export function endedPairs({ bothOk, shadowErrors, primaryErrors, bothErrors }: PairCounts): number {
  return bothOk + shadowErrors + primaryErrors + bothErrors;
}

/** `pairsOf` takes what a verdict needs from what a mirror counted in one stretch. */
export function pairsOf(counts: MirrorSnapshot): PairCounts {
  const [bothOk, shadowErrors, primaryErrors, bothErrors] = counts.pairs;
  return {
    bothOk,
    shadowErrors,
    primaryErrors,
    bothErrors,
    different: counts.okDifferent,
    statusDifferent: counts.okStatusDifferent,
    eligible: counts.eligible,
    sampled: counts.sampled,
    examined: counts.handedToAnalysts,
    dropped: counts.dropped,
    failed: counts.failed,
    unexamined: counts.unexamined,
    ratio: SlotCounts.of(counts.ratio, ratioScale),
    primary: SlotCounts.of(counts.pairedPrimary, latencyScale),
    shadow: SlotCounts.of(counts.pairedShadow, latencyScale),
    queue: SlotCounts.of(counts.queue, latencyScale),
  };
}

/** One of another release may know more reasons than the other. */
function addEach(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}
