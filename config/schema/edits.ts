/** Changes to the fields of a message: `set`, `add` and `remove`. */
import { z } from 'zod';
import type { FormatPlace } from '../../core/http/value-format.js';
import { limits } from '../../core/limits.js';
import { loopMarkName } from '../../core/mirror/loop-mark.js';
import {
  parseEditableFieldName,
  parseEditableResponseFieldName,
  parseFieldName,
  parseFormattedValue,
} from '../fields.js';
import { Refusal } from '../units.js';
import { form, key, list, mapping, mappingExpected, text } from './values.js';

type ParseName = (name: string) => string | Refusal;

/** `fieldLines` returns names in lower case, in their order. It refuses one name in two spellings. */
export function fieldLines(parseName: ParseName, place: FormatPlace) {
  const value = text('expected a header value', (value) => parseFormattedValue(value, place));
  return form(
    z.record(key(parseName), value.meta({ kind: 'text' }), { error: mappingExpected }),
    (values): [name: string, value: string][] | Refusal => {
      const pairs = new Map<string, string>();
      for (const [given, value] of Object.entries(values)) {
        const lower = given.toLowerCase();
        if (pairs.has(lower)) return new Refusal('is given twice in different spellings', [given]);
        pairs.set(lower, value);
      }
      const bytes = [...pairs].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
      if (bytes <= limits.configuredFieldBytes) return [...pairs];
      return new Refusal(`exceeds ${limits.configuredFieldBytes} bytes in total`);
    },
    (pairs) => Object.fromEntries(pairs),
  );
}

function parseRemovableFieldName(name: string): string | Refusal {
  if (parseFieldName(name) !== loopMarkName) return parseEditableFieldName(name);
  return new Refusal(`\`${loopMarkName}\` can't be removed: it keeps a mirror from mirroring a mirror`);
}

function edits(parseName: ParseName, parseRemovable: ParseName, place: FormatPlace) {
  return mapping({
    set: fieldLines(parseName, place)
      .optional()
      .meta({ description: 'Fields that replace all fields of the same name.' }),
    add: fieldLines(parseName, place)
      .optional()
      .meta({ description: 'Fields that are added to those of the same name.' }),
    remove: list(text('expected a header name', parseRemovable), 'expected a list of header names')
      .optional()
      .meta({ description: 'Fields that are removed.' }),
  });
}

const requestEdits = edits(parseEditableFieldName, parseRemovableFieldName, 'request');
/** Edits of a mirror. */
export const copyEdits = edits(parseEditableFieldName, parseRemovableFieldName, 'copy');
const responseEdits = edits(parseEditableResponseFieldName, parseEditableResponseFieldName, 'response');

/** Edits of a route, and of one of its versions. */
export const messageEdits = mapping({
  request: requestEdits.optional().meta({
    description:
      'Changes to the request for the primary, in the order remove, set, add. Copies have them if their mirror has `of: forwarded`.',
  }),
  response: responseEdits.optional().meta({
    description: "Changes to the primary's response for the client, in the order remove, set, add.",
  }),
});
