/** Lists in field values, whose separators may stand in quoted strings (RFC 9110, section 5.6). */
import { withoutBlanks } from '../trim.js';

/** `splitOutsideQuotes` returns the trimmed members of a list that are not empty. */
export function splitOutsideQuotes(text: string, separator: string): string[] {
  const members: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (quoted && char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (at === text.length || (!quoted && char === separator)) {
      const member = withoutBlanks(text.slice(from, at));
      if (member !== '') members.push(member);
      from = at + 1;
    }
  }
  const rest = withoutBlanks(text.slice(from));
  if (rest !== '') members.push(rest);
  return members;
}
