/** What a comparison of two responses found, in the words of /api/diffs. */

export const differenceKinds = ['status', 'header', 'json', 'text', 'binary', 'not-comparable'] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** Why two bodies can't be compared. */
export const notComparableReasons = [
  /** Longer than `compare.body.max`. */
  'too-large',
  /** One of the two is empty. */
  'empty',
  /** A coding that is unknown, or more of them than are undone. */
  'unknown-encoding',
  /** Not what its Content-Encoding says, or cut short. */
  'invalid-encoding',
  /** It grows past the bound when it is decompressed. */
  'decoded-too-large',
  'invalid-utf8',
  'invalid-json',
  /** JSON nested deeper than the bound. */
  'too-deep',
  /** JSON of more values than the bound. */
  'too-many-values',
  /** The analyst was ended because it took too long. */
  'timeout',
  /** The analyst failed. */
  'failed',
] as const;
export type NotComparableReason = (typeof notComparableReasons)[number];

/** A value as a sample shows it: redacted and cut short. Absent: this side has nothing there. */
export type Shown = string | number | boolean | null | undefined;

/** One place in which two responses differ. */
export interface Difference {
  readonly kind: DifferenceKind;
  /**
   * `header`: the field's name. `json`: a JSONPath in which every index is `[*]`. `not-comparable`: the reason. Else empty.
   * With kind and path, differences of many pairs are one group.
   */
  readonly path: string;
  /** The exact place: a JSONPath with indexes, `line 3, column 7`, `byte 12`. */
  readonly at: string;
  readonly primary?: Shown;
  readonly shadow?: Shown;
}

/** What one pair came to. Each group is in it once. */
export interface Comparison {
  readonly differences: readonly Difference[];
  /** Differences beyond the bound for one pair. */
  readonly more: number;
}
