import type { MeantDifference } from '../plan.js';

/** What a mirror's configuration says of its differences, apart from how documents are compared. */
export interface BookRules {
  /** Names all rules of the mirror. Counts by other rules are other counts. */
  readonly key: string;
  /** Path patterns, before those that are learned. */
  readonly endpoints: readonly string[];
  readonly meant: readonly MeantDifference[];
}

export const noBookRules: BookRules = { key: '', endpoints: [], meant: [] };

/** The pair that a comparison is of. Its texts are redacted. */
export interface ComparedPair {
  readonly route: string;
  /** The shadow; for a pair of the baseline, the version that it is a measure for. */
  readonly version: string;
  /** The version that is asked twice, where the mirror has a baseline. */
  readonly baseline: string | null;
  /** The pair is the primary's with the baseline's response, not with the shadow's. */
  readonly isBaseline: boolean;
  readonly rules: BookRules;
  /** One of the two answers has a status of 500 to 599. Errors are counted by themselves. */
  readonly isError: boolean;
  /** The same for the shadow's pair and the baseline's of one request. */
  readonly id: string;
  /** `GET /reviews/0`. */
  readonly request: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}
