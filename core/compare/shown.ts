import { limits } from '../limits.js';

/** At most `limits.diffValueChars` characters. */
export function shortened(text: string): string {
  return text.length <= limits.diffValueChars ? text : `${text.slice(0, limits.diffValueChars - 1)}…`;
}
