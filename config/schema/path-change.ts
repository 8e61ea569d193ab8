/** Another path for the primary, or for a redirect. */
import type { z } from 'zod';
import { formatSubstitution, parseSubstitution } from '../substitution.js';
import { Refusal } from '../units.js';
import { form, mapping, regex, text } from './values.js';

export function parsePath(path: string): string | Refusal {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path)) return path;
  return new Refusal('expected a path that begins with / and has no query');
}

/** `parsePathPart` accepts the replacement for a part of a path. */
function parsePathPart(part: string): string | Refusal {
  if (/^[\x21-\x7e]*$/.test(part) && !/[?#]/.test(part)) return part;
  return new Refusal('expected a part of a path, without a query');
}

export type PathChangeConfig =
  | { readonly prefix: string; readonly to: string }
  | { readonly regex: string; readonly to: string }
  | { readonly set: string };

const expected = 'expected { prefix: PATH, to: PATH }, { regex: PATTERN, to: PATH } or { set: PATH }';

const written = mapping({
  prefix: text('expected a path', parsePath).optional().meta({
    description: 'The beginning of the path that `to` replaces. Other paths are kept.',
  }),
  regex: regex.optional().meta({
    description: 'A regular expression of RE2; every match in the path is replaced by `to`.',
  }),
  to: text('expected a path', parsePathPart).optional().meta({
    description:
      'The replacement for `prefix` or `regex`. With `regex`, $1 to $9 or \\1 to \\9 stand for groups.',
  }),
  set: text('expected a path', parsePath).optional().meta({ description: 'The whole path.' }),
});

export const pathChange = form(written, read, (change) =>
  'regex' in change ? { ...change, to: formatSubstitution(change.to) } : change,
);

function read({ prefix, regex, to, set }: z.output<typeof written>): PathChangeConfig | Refusal {
  const kinds = [prefix, regex, set].filter((kind) => kind !== undefined).length;
  if (kinds !== 1 || (set === undefined) !== (to !== undefined)) return new Refusal(expected);
  if (set !== undefined) return { set };
  if (prefix !== undefined) {
    const parsed = parsePath(to!);
    return parsed instanceof Refusal ? new Refusal(parsed.reason, ['to']) : { prefix, to: parsed };
  }
  const parsed = parseSubstitution(to!, regex!);
  return parsed instanceof Refusal ? new Refusal(parsed.reason, ['to']) : { regex: regex!, to: parsed };
}
