/** Regular expressions in routes. */

/**
 * Compiles `source` so that it must match the whole text, as Envoy's `safe_regex` does. Throws a SyntaxError
 * for a source that is none. What a source may cost is the configuration's care: it refuses dangerous ones.
 */
export function wholePattern(source: string): RegExp {
  // First alone: `a)|(b` is no expression, but would become one between our parentheses.
  new RegExp(source);
  return new RegExp(`^(?:${source})$`);
}
