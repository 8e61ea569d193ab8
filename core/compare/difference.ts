/** What a comparison of two responses found, in the words of /api/diffs. */

export const differenceKinds = [
  'status',
  'header',
  'json',
  'markup',
  'text',
  'binary',
  'not-comparable',
] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/**
 * How a place changed. Noise is judged for a place and a change together: a token that is random in both
 * versions may differ in value, but a version that leaves it out or makes it `null` is wrong.
 */
export const changes = [
  /** Another value of the same type. */
  'value',
  /** Another type: a number where a string was, null where an object was. */
  'type',
  /** The shadow has nothing there. */
  'missing',
  /** The primary has nothing there. */
  'extra',
  /** The same items in another order. */
  'order',
  /** Another number of items or bytes, where the items themselves are not named. */
  'length',
] as const;
export type Change = (typeof changes)[number];

/** Why two bodies can't be compared. */
const notComparableReasons = [
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
  /** Not what its type says: MessagePack, CBOR, protobuf or multipart. */
  'invalid-document',
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
   * The place. `status`: both statuses. `header`: the field's name, with the cookie and the attribute
   * for Set-Cookie. `json`: a JSONPath in which every index is `[*]`. `markup`: elements and an
   * attribute. `text`: the line without what differs in it. `not-comparable`: the reason. Kind, path and
   * change are the identity of a difference.
   */
  readonly path: string;
  readonly change: Change;
  /** The exact place: a JSONPath with indexes, `line 3, column 7`, `byte 12`. */
  readonly at: string;
  readonly primary?: Shown;
  readonly shadow?: Shown;
  /** Fingerprints of both values before redaction, for the change `value`. */
  readonly prints?: readonly [number, number];
}

/** The differences of one pair. Each identity is in it once. */
export interface Comparison {
  readonly differences: readonly Difference[];
  /** Differences beyond the bound for one pair. */
  readonly more: number;
}
