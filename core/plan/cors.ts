/** Which pages of other origins may use a route (Fetch standard, "CORS protocol"). */

export interface CorsPlan {
  /** One of them must match; an exact `*` takes every origin. */
  readonly origins: readonly OriginMatch[];
  /** Upper case; `*` is every one. Empty: the response does not list them. */
  readonly methods: readonly string[];
  /** Lower case; `*` is every one. Empty: the response does not list them. */
  readonly headers: readonly string[];
  /** Fields of responses that pages may read; `*` is every one. */
  readonly expose: readonly string[];
  /** How long a browser may keep the answer to a preflight request, in seconds; null: not given. */
  readonly maxAgeS: number | null;
  /** Pages may send cookies and logins. */
  readonly credentials: boolean;
  /** Preflight requests of other origins go to the version; false: they are answered without permission. */
  readonly forwardsUnmatched: boolean;
}

export interface OriginMatch {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}
