/**
 * What several instances of a fleet counted in one step of a rollout, as one. Their blocks lie on the same
 * grid of the wall clock, and blocks of the same time are added: a burst that several instances meet is in
 * one block, so it counts as one burst and not as many. Pure.
 */
import { addDiffs } from '../report/diffs.js';
import { evenBlocks, evenLength, unitMs } from '../verdict/block-series.js';
import { evenReleases } from './release-series.js';
import type { StepEvidence } from './step-judge.js';

/** A block is at least so many times as long as clocks differ, so that few bursts lie in two of them. */
const lengthPerSkew = 4;

/**
 * `mergeEvidence` merges what instances counted in one step. `skewMs`: by how much their clocks differ at
 * most.
 */
export function mergeEvidence(all: readonly StepEvidence[], skewMs: number): StepEvidence {
  if (all.length === 1) return all[0];
  const leastMs = leastLengthMs(skewMs);
  const releases = all.flatMap((one) => one.releases);
  const pairs = all.flatMap((one) => one.pairs);
  const baseline = all.flatMap((one) => one.baseline);
  const diffs = all.map((one) => one.diffs).filter((view) => view !== null);
  return {
    releases: evenReleases(releases, evenLength(releases, leastMs)),
    pairs: evenBlocks(pairs, evenLength(pairs, leastMs)),
    baseline: evenBlocks(baseline, evenLength(baseline, leastMs)),
    diffs: diffs.length === 0 ? null : addDiffs(diffs),
  };
}

/** The shortest length of a block that clocks allow: a power of two of `unitMs`. */
function leastLengthMs(skewMs: number): number {
  let lengthMs = unitMs;
  while (lengthMs < lengthPerSkew * skewMs) lengthMs *= 2;
  return lengthMs;
}
