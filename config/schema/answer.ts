/** `redirect` and `respond`: answers of umbra itself, instead of a primary. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { parseAuthority } from '../address.js';
import { parseEditableResponseFieldName } from '../fields.js';
import { Refusal } from '../units.js';
import { fieldLines } from './edits.js';
import { parsePath, pathChange } from './path-change.js';
import { integer, mapping, shorthand, text } from './values.js';

function parseRedirectHost(host: string): string | Refusal {
  const parsed = parseAuthority(host);
  if (parsed instanceof Refusal || !/:\d+$/.test(parsed)) return parsed;
  return new Refusal('expected a host name without a port; set it with `port`');
}

export const redirect = mapping({
  status: z
    .literal([301, 302, 303, 307, 308], { error: 'expected 301, 302, 303, 307 or 308' })
    .prefault(301)
    .meta({ description: 'The status code.' }),
  scheme: z
    .enum(['http', 'https'], { error: 'expected http or https' })
    .optional()
    .meta({ description: 'Default: that of the request.' }),
  host: text('expected a host name', parseRedirectHost)
    .optional()
    .meta({ description: 'Default: that of the request.' }),
  port: z
    .union([z.literal('listener'), integer(1, 65_535)], {
      error: 'expected a whole number from 1 to 65535, or listener',
    })
    .optional()
    .meta({
      description:
        'Default with `scheme` or `host`: the port of the scheme, which is omitted. `listener`: the port that received the request.',
    }),
  path: z
    .union([shorthand(text('expected a path', parsePath), (set) => ({ set })), pathChange], {
      error: 'expected a path, or a mapping as in rewrite.path',
    })
    .optional()
    .meta({
      description: 'The new path, or a mapping as in rewrite.path. The query is kept.',
    }),
});

/** Statuses that never have a body (RFC 9110, section 6.4.1). */
const bodyless: readonly number[] = [204, 205, 304];

export const respond = mapping({
  status: integer(200, 599, 'expected a status code from 200 to 599')
    .prefault(200)
    .meta({ description: 'The status code.' }),
  body: z
    .string({ error: 'expected text' })
    .refine((body) => Buffer.byteLength(body) <= limits.respondBytes, {
      error: `is longer than ${limits.respondBytes} bytes`,
    })
    .prefault('')
    .meta({ description: 'The body; text/plain unless `headers` sets another content-type.' }),
  headers: fieldLines(parseEditableResponseFieldName, 'response')
    .prefault({})
    .meta({ description: 'Header fields of the response.' }),
}).check((context) => {
  const { status, body } = context.value;
  if (!bodyless.includes(status) || body === '') return;
  context.issues.push({ code: 'custom', message: `a ${status} has no body`, input: body, path: ['body'] });
});
