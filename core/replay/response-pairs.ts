/** Where pairs of whole responses go whose contents are to be compared. */
import type { RecordedRequest, RecordedResponse } from '../recording/recorded.js';

export interface ResponsePair {
  /** The same for the shadow's pair and the baseline's of one request. */
  readonly number: number;
  readonly request: RecordedRequest;
  /** `shadow` is the baseline's. */
  readonly isBaseline: boolean;
  /** Both have their content, which is theirs no longer when `take` returns. */
  readonly primary: RecordedResponse;
  readonly shadow: RecordedResponse;
}

export interface ResponsePairs {
  /** False: the analysts are behind, and the pair is not examined. */
  take(pair: ResponsePair): boolean;
}
