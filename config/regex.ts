/** Regular expressions in a configuration. */
import { parseRegex as parse, type Regex, RegexError } from '../core/regex/parse.js';
import { compileRegex } from '../core/regex/program.js';
import { Refusal } from './units.js';

/** `parseRegex` returns the parsed expression. It refuses one that is not valid RE2 or too large. */
export function parseRegex(source: string): Regex | Refusal {
  try {
    const regex = parse(source);
    compileRegex(regex);
    return regex;
  } catch (error) {
    if (error instanceof RegexError) return new Refusal(error.message);
    throw error;
  }
}

/** `parseRegexText` returns the text of a valid expression. */
export function parseRegexText(source: string): string | Refusal {
  const regex = parseRegex(source);
  return regex instanceof Refusal ? regex : source;
}
