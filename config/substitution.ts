/** What a rewritten path is made of: text, and groups of the regular expression that matched. */
import { Refusal } from './units.js';

/**
 * `$1` to `$9` as nginx writes them, `\1` to `\9` as Envoy and Istio do, `$$` and `\\` for the characters themselves. Returns
 * the text in the form that `String.replace` takes, in which every other dollar is doubled.
 */
export function parseSubstitution(text: string, pattern: string): string | Refusal {
  const groups = groupsOf(pattern);
  let parsed = '';
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign !== '$' && sign !== '\\') {
      parsed += sign;
      continue;
    }
    const next = text[++at] ?? '';
    if (next === sign) {
      parsed += sign === '$' ? '$$' : sign;
    } else if (/^[1-9]$/.test(next)) {
      if (Number(next) > groups) {
        const has = groups === 1 ? '1 group' : `${groups} groups`;
        return new Refusal(`names group ${next}, and the regular expression has ${has}`);
      }
      // In two digits, so that a digit behind it is text.
      parsed += `$0${next}`;
    } else {
      return new Refusal(
        `has a ${sign} without a group: write ${sign}1 to ${sign}9, or ${sign}${sign} for the character`,
      );
    }
  }
  return parsed;
}

/** One that can't be compiled has its own message. */
function groupsOf(pattern: string): number {
  try {
    return new RegExp(`${pattern}|`).exec('')!.length - 1;
  } catch {
    return 9;
  }
}

/** What was parsed, as a person writes it. */
export function formatSubstitution(parsed: string): string {
  return parsed.replace(/\\/g, '\\\\').replace(/\$\$|\$0([1-9])/g, (_, group?: string) => `$${group ?? '$'}`);
}
