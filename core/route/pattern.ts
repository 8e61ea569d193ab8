/** Regular expressions in routes: RE2 syntax in linear time (docs/decisions/080-regular-expressions.md). */
import { Matcher } from '../regex/matcher.js';
import { parseRegex } from '../regex/parse.js';
import { compileRegex } from '../regex/program.js';
import { type Replacement, Replacer } from '../regex/replacer.js';

/**
 * `wholePattern` matches a whole text, as Envoy's `safe_regex` does. It throws `RegexError` when the source
 * is not valid RE2.
 */
export function wholePattern(source: string): Matcher {
  return new Matcher(compileRegex(parseRegex(source)));
}

/**
 * `replacer` compiles a replacement. In `substitution`, `$01` to `$09` stand for groups and `$$` for a
 * dollar. It throws as `wholePattern` does.
 */
export function replacer(source: string, substitution: string, whole: boolean): Replacer {
  return new Replacer(compileRegex(parseRegex(source)), replacementOf(substitution), whole);
}

function replacementOf(substitution: string): Replacement {
  return substitution
    .split(/(\$\$|\$0[1-9])/)
    .filter((part) => part !== '')
    .map((part) => {
      if (part === '$$') return '$';
      return /^\$0[1-9]$/.test(part) ? Number(part.slice(2)) : part;
    });
}
