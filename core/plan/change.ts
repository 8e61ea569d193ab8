/** Changes that a route makes to a message. */

/**
 * Changes to the fields of a message. Names are lower case. Applied in the order remove, set, add. In a plan
 * values may have commands (core/http/value-format).
 */
export interface HeaderEdits {
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}

/** Null: there are none. */
export interface MessageEdits {
  readonly request: HeaderEdits | null;
  readonly response: HeaderEdits | null;
}

/** Another path for the primary, for a copy, or for a redirect; the query stays. */
export type PathChange =
  /** `value` takes the place of `prefix` where the path begins with it; other paths stay. */
  | {
      readonly kind: 'prefix';
      readonly prefix: string;
      readonly value: string;
      readonly ignoreCase: boolean;
    }
  /**
   * `substitution` takes the place of what `pattern` matches, in the form that `String.replace` takes.
   * `whole`: the pattern must match the whole path, and other paths stay; else every match is replaced.
   */
  | {
      readonly kind: 'regex';
      readonly pattern: string;
      readonly substitution: string;
      readonly whole: boolean;
    }
  | { readonly kind: 'set'; readonly value: string };

export interface PrimaryRewrite {
  readonly path: PathChange | null;
  /** The Host field; null: that of the request. */
  readonly host: string | null;
}
