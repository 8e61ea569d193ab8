/** Receives pairs of complete responses whose contents are compared. */
import type { RecordedRequest, RecordedResponse } from '../recording/recorded.js';

export interface ResponsePair {
  /** The same for the shadow's and the baseline's pair of one request. */
  readonly number: number;
  readonly request: RecordedRequest;
  /** True when `shadow` is the baseline's response. */
  readonly isBaseline: boolean;
  /** Both have their content, which is valid only until `take` returns. */
  readonly primary: RecordedResponse;
  readonly shadow: RecordedResponse;
}

export interface ResponsePairs {
  /** Returns false when the analysts are behind and the pair is not examined. */
  take(pair: ResponsePair): boolean;
}
