/** `match` of a route: the requests that take it. */
import { z } from 'zod';
import { parseHostMatch } from '../address.js';
import { isToken, parseMatchableFieldName } from '../fields.js';
import { Refusal } from '../units.js';
import {
  choice,
  fieldValue,
  integer,
  key,
  list,
  mapping,
  mappingExpected,
  method,
  regex,
  text,
} from './values.js';

function parseMatchedPath(path: string): string | Refusal {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path)) return path;
  return new Refusal(
    'expected a path that begins with / and has no query; write other characters in percent-encoding',
  );
}

const pathMatch = mapping({
  exact: text('expected a path', parseMatchedPath)
    .optional()
    .meta({ description: 'The whole path, without the query.' }),
  prefix: text('expected a path', parseMatchedPath)
    .optional()
    .meta({ description: 'The beginning of the path, as a string: `/a` also matches `/ab`.' }),
  regex: regex
    .optional()
    .meta({ description: 'A regular expression of RE2 that must match the whole path.' }),
  ignoreCase: z
    .boolean({ error: 'expected true or false' })
    .optional()
    .meta({ description: 'With exact or prefix: letters match in either case.' }),
}).check((context) => {
  const { exact, prefix, regex, ignoreCase } = context.value;
  const given = [exact, prefix, regex].filter((part) => part !== undefined);
  const refuse = (message: string) => context.issues.push({ code: 'custom', message, input: context.value });
  if (given.length !== 1) refuse('expected exactly one of exact, prefix, regex');
  else if (regex !== undefined && ignoreCase !== undefined)
    refuse('`ignoreCase` belongs to exact and prefix; in a regular expression write [aA]');
});

const fieldMatch = choice({
  exact: fieldValue.optional().meta({ description: 'The whole value.' }),
  prefix: fieldValue.optional().meta({ description: 'The beginning of the value.' }),
  regex: regex
    .optional()
    .meta({ description: 'A regular expression of RE2 that must match the whole value.' }),
  present: z
    .boolean({ error: 'expected true or false' })
    .optional()
    .meta({ description: 'true: present with any value; false: absent.' }),
});

function parseCookieName(name: string): string | Refusal {
  return isToken(name) ? name : new Refusal("expected a cookie's name: letters, digits and !#$%&'*+-.^_`|~");
}

/** `parseQueryName` accepts characters that may be between `?`, `&` and `=`. */
export function parseQueryName(name: string): string | Refusal {
  if (name.length <= queryNameMax && /^[\x21-\x7e]+$/.test(name) && !/[#&=]/.test(name)) return name;
  return new Refusal(
    'expected the name of a query parameter as it is sent: write other characters in percent-encoding',
  );
}
const queryNameMax = 256;

const header = z.record(key(parseMatchableFieldName), fieldMatch, { error: mappingExpected }).optional();
const query = z.record(key(parseQueryName), fieldMatch, { error: mappingExpected }).optional();
const cookie = z.record(key(parseCookieName), fieldMatch, { error: mappingExpected }).optional();

export const match = mapping({
  host: text('expected a host name', parseHostMatch)
    .optional()
    .meta({ description: 'Host name without port; *.example.com matches every name below example.com.' }),
  port: integer(1, 65_535)
    .optional()
    .meta({ description: 'Port of the listener that received the request, as in its address.' }),
  scheme: z.enum(['http', 'https'], { error: 'expected http or https' }).optional().meta({
    description: 'The scheme in X-Forwarded-Proto, or else that of the connection.',
  }),
  path: pathMatch.optional().meta({
    description:
      'Exactly one of `exact`, `prefix` and `regex`; matched against the path as received, without the query.',
  }),
  method: list(method, 'expected a list of methods such as [GET, HEAD]')
    .optional()
    .meta({ description: 'Methods.' }),
  header: header.meta({
    description:
      'Header fields by name, each with exactly one of the four keys below. Of repeated fields the first one counts.',
  }),
  query: query.meta({
    description:
      'Query parameters by name, as headers. Of repeated parameters the first one counts. Names and values are compared as received, without decoding.',
  }),
  cookie: cookie.meta({ description: 'Cookies by name; all of them must match.' }),
  without: mapping({
    header: header.meta({ description: 'Header fields by name; none of them may match.' }),
    query: query.meta({ description: 'Query parameters by name; none of them may match.' }),
    cookie: cookie.meta({ description: 'Cookies by name; none may match.' }),
  })
    .optional()
    .meta({
      description:
        'Conditions of which none may hold. A request without the field, parameter or cookie passes, unless the condition is `present: false`.',
    }),
});
