/** `cors` of a route: the pages of other origins that may use it. */
import { z } from 'zod';
import type { OriginMatch } from '../../core/plan.js';
import { isToken, parseFieldValue } from '../fields.js';
import { Refusal } from '../units.js';
import { choice, duration, form, list, mapping, method, regex, text } from './values.js';

const ANY = '*';
const originExpected = 'expected an origin such as https://example.com, or *';
const itemsMax = 256;

const origin = form(
  choice({
    exact: text(originExpected, parseFieldValue)
      .optional()
      .meta({ description: 'The whole origin, `https://example.com`; * for every origin.' }),
    prefix: text(originExpected, parseFieldValue)
      .optional()
      .meta({ description: 'The beginning of the origin.' }),
    regex: regex
      .optional()
      .meta({ description: 'A regular expression of RE2 that must match the whole origin.' }),
  }),
  ({ exact, prefix, regex }): OriginMatch => {
    if (exact !== undefined) return { kind: 'exact', value: exact };
    return prefix === undefined ? { kind: 'regex', value: regex! } : { kind: 'prefix', value: prefix };
  },
  ({ kind, value }) => ({ [kind]: value }),
);

const nameExpected = 'expected a header name, or *';
const fieldName = text(nameExpected, (name): string | Refusal =>
  isToken(name) ? name : new Refusal(nameExpected),
);
const names = z.array(fieldName, { error: 'expected a list of header names' }).max(itemsMax).prefault([]);

export const cors = mapping({
  origins: list(origin, 'expected a list of origins', itemsMax).meta({
    description: 'Origins whose pages may use the route.',
  }),
  methods: z
    .array(z.union([z.literal(ANY), method], { error: 'expected a method, or *' }), {
      error: 'expected a list of methods',
    })
    .max(itemsMax)
    .prefault([])
    .meta({
      description: 'Methods that pages may use in addition to GET, HEAD and POST; * for every method.',
    }),
  headers: names.meta({ description: 'Header fields that pages may send; * for every field.' }),
  expose: names.meta({ description: 'Header fields of responses that pages may read; * for every field.' }),
  maxAge: duration.optional().meta({
    description: 'Time that a browser may cache the answer to a preflight request, in whole seconds.',
  }),
  credentials: z
    .boolean({ error: 'expected true or false' })
    .prefault(false)
    .meta({ description: 'Whether pages may send cookies and logins.' }),
  unmatched: z.enum(['forward', 'answer'], { error: 'expected forward or answer' }).prefault('answer').meta({
    description:
      'Preflight requests of other origins: `answer` answers them without permission, `forward` sends them to the version.',
  }),
});
