/** What a rewritten path is made of: text, and groups of the regular expression that matched. */
import { parseRegex } from './regex.js';
import { Refusal } from './units.js';

const groupsMax = 9;

/**
 * `$1` to `$9` as nginx writes them, `\1` to `\9` as Envoy and Istio do, `$$` and `\\` for the characters
 * themselves. Returns
 * the text with each group as `$01` to `$09` and every other dollar doubled.
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

/** An expression that is refused has its own message. */
function groupsOf(pattern: string): number {
  const parsed = parseRegex(pattern);
  return parsed instanceof Refusal ? groupsMax : parsed.groups;
}

/** What was parsed, as a person writes it. */
export function formatSubstitution(parsed: string): string {
  return parsed.replace(/\\/g, '\\\\').replace(/\$\$|\$0([1-9])/g, (_, group?: string) => `$${group ?? '$'}`);
}
