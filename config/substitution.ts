/** The text of a rewritten path, with groups of the regular expression that matched. */
import { parseRegex } from './regex.js';
import { Refusal } from './units.js';

const groupsMax = 9;

/**
 * `parseSubstitution` reads `$1` to `$9` as in nginx, `\1` to `\9` as in Envoy and Istio, and `$$` and `\\`
 * for the characters themselves. It returns the text with each group as `$01` to `$09` and every other dollar
 * doubled.
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
      // Two digits, so that a following digit is text.
      parsed += `$0${next}`;
    } else {
      return new Refusal(
        `has a ${sign} without a group: write ${sign}1 to ${sign}9, or ${sign}${sign} for the character`,
      );
    }
  }
  return parsed;
}

/** `groupsOf` returns the number of groups. A refused expression is reported elsewhere. */
function groupsOf(pattern: string): number {
  const parsed = parseRegex(pattern);
  return parsed instanceof Refusal ? groupsMax : parsed.groups;
}

/** `formatSubstitution` returns a parsed text as a user writes it. */
export function formatSubstitution(parsed: string): string {
  return parsed.replace(/\\/g, '\\\\').replace(/\$\$|\$0([1-9])/g, (_, group?: string) => `$${group ?? '$'}`);
}
