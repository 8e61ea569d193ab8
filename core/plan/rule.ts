/** Which differences between two responses do not count. */

/** One thing that may differ at a JSONPath. */
export interface PathRulePlan {
  readonly path: string;
  readonly ignore: boolean;
  readonly tolerance: Tolerance | null;
  /** The order of the array's items does not count. */
  readonly unordered: boolean;
  /** The member by which the array's objects are the same object. */
  readonly key: string | null;
  /** A regular expression: what matches it is equal. */
  readonly matches: string | null;
  /** Values that mean the same. */
  readonly equivalent: readonly (string | number | boolean | null)[] | null;
}

/** A difference that is not counted; null stands for any. */
export interface MeantDifference {
  readonly kind: string;
  readonly path: string;
  readonly change: string | null;
  /** Method and path pattern. */
  readonly endpoint: string | null;
}

/** `value` is a decimal number as text; a `relative` one is a part of the larger of the two. */
export interface Tolerance {
  readonly relative: boolean;
  readonly value: string;
}
