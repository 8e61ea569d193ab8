/**
 * Judges mirrors by their pairs: every check, and what they come to. docs/methods.md says why each is as it
 * is. Pure.
 */
import type { DiffsView } from '../report/diffs.js';
import { type Block, evenBlocks, stretchOf } from './block-series.js';
import * as sentences from './check-sentences.js';
import { coverageCheck } from './coverage-check.js';
import { differenceCheck, statusCheck } from './difference-checks.js';
import type { EndpointPairs } from './endpoint-pairs.js';
import { reasonsOf } from './endpoint-reasons.js';
import { errorCheck } from './error-check.js';
import { examplesOf, notesOf } from './examples.js';
import { shiftCheck, tailCheck } from './latency-checks.js';
import type { Looks } from './looks.js';
import { type MirrorVerdict, type Verdict, type VerdictBounds, worst } from './verdict.js';

/** What is known of one mirror. */
export interface MirrorEvidence {
  readonly route: string;
  readonly primary: string;
  readonly shadow: string;
  /** Blocks of its pairs; empty where nothing was counted. */
  readonly blocks: readonly Block[];
  /** Blocks of the pairs of its baseline, the primary's version asked twice. */
  readonly baseline: readonly Block[];
  /** Its pairs by endpoint; empty where they are not known. */
  readonly endpoints: readonly EndpointPairs[];
  /** The version whose mirror found the differences, where it is not `shadow`. */
  readonly diffsOf?: string;
}

export function judge(
  mirrors: readonly MirrorEvidence[],
  diffs: DiffsView | null,
  bounds: VerdictBounds,
  looks: Looks,
): Verdict {
  const verdicts = mirrors.map((evidence) => judgeMirror(evidence, diffs, bounds, looks));
  return { outcome: worst(verdicts.map(({ outcome }) => outcome)), looks, mirrors: verdicts };
}

function judgeMirror(
  { route, primary, shadow, blocks, baseline, endpoints, diffsOf = shadow }: MirrorEvidence,
  diffs: DiffsView | null,
  bounds: VerdictBounds,
  looks: Looks,
): MirrorVerdict {
  const even = evenBlocks(blocks);
  const time = stretchOf(even);
  const sameTime = stretchOf(evenBlocks(baseline, even[0]?.lengthMs));
  const summary = diffs?.mirrors.find((one) => one.route === route && one.version === diffsOf) ?? null;
  // A message names the flag of the command that is asked.
  const names = { primary, shadow, samplesFlag: looks === 'rollout' ? '--requests' : '--min-samples' };
  const coverage = coverageCheck(time.all, bounds);
  const checks = [
    sentences.ofErrors(errorCheck(time, bounds, looks), names),
    sentences.ofShift(shiftCheck(time, sameTime, bounds, looks), names),
    sentences.ofTail(tailCheck(time, sameTime, bounds, looks), names),
    sentences.ofStatus(statusCheck(time, bounds, looks), names),
    sentences.ofDifferences(differenceCheck(time, summary, bounds, looks), names),
    sentences.ofCoverage(coverage, names),
  ].filter((check) => check.bound !== Number.POSITIVE_INFINITY);
  const groups = (diffs?.groups ?? []).filter((one) => one.route === route && one.version === diffsOf);
  return {
    route,
    primary,
    shadow,
    outcome: worst(checks.map((check) => check.outcome)),
    checks,
    endpoints: reasonsOf(endpoints, checks, names),
    examples: examplesOf(groups, checks),
    notes: notesOf(groups, coverage.leftOut),
  };
}
