/** Which requests take a route, and which of them are in a sample. */

/** A part that is null or empty matches everything; all parts must match, and nothing of `without`. */
export interface MatchPlan {
  /** Lower case, without port; `*.example.com` matches one or more labels in front. */
  readonly host: string | null;
  /** Port of the listener. */
  readonly port: number | null;
  /** Scheme as the client sees it (core/http/scheme). */
  readonly scheme: 'http' | 'https' | null;
  readonly path: PathMatch | null;
  readonly methods: readonly string[] | null;
  readonly headers: readonly FieldMatch[];
  /** By cookie name, case kept. */
  readonly cookies: readonly FieldMatch[];
  /** By the name of a parameter in the query, as it arrives: nothing is decoded. */
  readonly queries: readonly FieldMatch[];
  /** None of these may match. */
  readonly without: {
    readonly headers: readonly FieldMatch[];
    readonly cookies: readonly FieldMatch[];
    readonly queries: readonly FieldMatch[];
  };
}

/** `ignoreCase`: ASCII letters match in either case. */
export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'prefix'; readonly value: string; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly value: string };

/** A condition on a header field, a cookie or a query parameter. */
export interface FieldMatch {
  /** Lower case if it is a header's. */
  readonly name: string;
  readonly kind: 'exact' | 'prefix' | 'regex' | 'present' | 'absent';
  /** Empty with `present` and `absent`. */
  readonly value: string;
}

/** What decides whether a request is in the sample; a key makes the same request's answer always the same. */
export type SamplePlan =
  | { readonly by: 'random' }
  | { readonly by: 'client' }
  | { readonly by: 'header' | 'cookie'; readonly name: string };
