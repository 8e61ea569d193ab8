/** The pair that a comparison is of. Its texts are redacted. */
export interface ComparedPair {
  readonly route: string;
  /** The shadow; for a pair of the baseline, the version that it is a measure for. */
  readonly version: string;
  /** The version that is asked twice, where the mirror has a baseline. */
  readonly baseline: string | null;
  /** The pair is the primary's with the baseline's response, not with the shadow's. */
  readonly isBaseline: boolean;
  /** Path patterns of the configuration, before those that are learned. */
  readonly endpoints: readonly string[];
  /** The same for the shadow's pair and the baseline's of one request. */
  readonly id: string;
  /** `GET /reviews/0`. */
  readonly request: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}
