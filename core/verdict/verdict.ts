/** What a verdict says. Its names are those of `umbra verdict --output json`: add, never rename. */
import type { EndpointFigures } from './endpoint-pairs.js';
import type { Interval } from './interval.js';
import type { Looks } from './looks.js';

export type Outcome = 'pass' | 'fail' | 'undecided';

/** All but the last as fractions: 0.1 is 10 %. Infinity leaves the check out. */
export interface VerdictBounds {
  /** By how much latencies of the shadow may be above the primary's, pair by pair, of the primary's. */
  readonly shift: number;
  /** By how much the shadow's p99 may be above the primary's, of the primary's. */
  readonly p99Delta: number;
  /** By how much the shadow's share of errors may be above the primary's. */
  readonly errorDelta: number;
  /** The share of pairs that may differ. */
  readonly diff: number;
  /** A check of fewer pairs is undecided. */
  readonly samplesMin: number;
  /**
   * An excess of errors or of latency passes within so many times its bound, and fails above the bound
   * itself. 1 where it is left out; a step of a rollout may be more.
   */
  readonly passFactor?: number;
}

/**
 * The bounds of `umbra verdict` unless it is given others. docs/methods.md says how many pairs each needs.
 */
export const defaultBounds: VerdictBounds = {
  shift: 0.02,
  p99Delta: 0.1,
  errorDelta: 0.0005,
  diff: 0.001,
  samplesMin: 1000,
};

const checkNames = ['errors', 'latency', 'tail', 'status', 'differences', 'coverage'] as const;
export type CheckName = (typeof checkNames)[number];

/** Why a check is undecided. */
export type Why =
  /** Fewer pairs than asked for. */
  | 'few-pairs'
  /** Fewer blocks of time than an error can be taken from. */
  | 'few-blocks'
  /** The interval reaches over the bound, or the excess is not above what chance makes of equal versions. */
  | 'wide'
  /** The reason `wide`, where pairs of one moment end alike, so that they say less than their number. */
  | 'bursts'
  /** The difference is smaller than umbra's own delay in sending copies. */
  | 'resolution'
  /** The primary asked again differs from itself as much. */
  | 'baseline'
  /** Bytes differ in most pairs, and nothing says whether they differ by themselves. */
  | 'unknown-noise'
  /** Some differences can't be distinguished from noise yet. */
  | 'noise'
  /** A bound on what is kept of differences was exceeded. */
  | 'overflow'
  /** Too few of the pairs were looked at. */
  | 'coverage';

export interface Check {
  readonly name: CheckName;
  readonly outcome: Outcome;
  /** Null unless the outcome is undecided. */
  readonly why: Why | null;
  /** A relative or absolute difference, or a share; NaN where nothing was measured. */
  readonly measured: number;
  readonly interval: Interval;
  readonly bound: number;
  /** The excess that passes, where that is not the bound. */
  readonly passBound?: number;
  /** Pairs that the check stands on. */
  readonly pairs: number;
  /** One sentence for a person. */
  readonly text: string;
}

/** One pair that shows what is wrong. */
export interface ExamplePair {
  readonly id: string;
  readonly request: string;
  readonly place: string;
  readonly primary: string;
  readonly shadow: string;
}

/** An endpoint that a check which does not pass comes from. */
export interface EndpointReason extends EndpointFigures {
  readonly check: CheckName;
  readonly text: string;
}

export interface MirrorVerdict {
  readonly route: string;
  readonly primary: string;
  readonly shadow: string;
  readonly outcome: Outcome;
  readonly checks: readonly Check[];
  /** The endpoints that contribute to checks that do not pass, of the pairs that were counted by endpoint. */
  readonly endpoints: readonly EndpointReason[];
  /** What is not in any check, in sentences. */
  readonly notes: readonly string[];
  readonly examples: readonly ExamplePair[];
}

export interface Verdict {
  /** Undecided where there is no mirror to judge. */
  readonly outcome: Outcome;
  readonly looks: Looks;
  readonly mirrors: readonly MirrorVerdict[];
}

/** `worst` fails where one fails, and passes where all pass. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  if (outcomes.includes('fail')) return 'fail';
  return outcomes.length === 0 || outcomes.includes('undecided') ? 'undecided' : 'pass';
}
