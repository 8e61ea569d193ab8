/** The fields that a listener adds to requests, and the proxies that it trusts. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { parseNetwork } from '../address.js';
import { Refusal } from '../units.js';
import { list, mapping, off, shorthand, text } from './values.js';

const viaExpected = 'expected a name for Via such as umbra, or off';
const networkExpected = 'expected a network such as 10.0.0.0/8, an address, or unix';

/** `parseVia` accepts a pseudonym of RFC 9110, section 7.6.3: a token. */
function parseVia(name: string): string | null | Refusal {
  if (name === 'off') return null;
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/.test(name) ? name : new Refusal(viaExpected);
}

const mode = z.enum(['append', 'set', 'off'], { error: 'expected append, set or off' });

const forwarded = z.union(
  [
    shorthand(mode, (value) => ({ mode: value, as: 'x-forwarded' as const })),
    mapping({
      mode: mode.prefault('append').meta({
        description:
          '`append` adds to the fields of the client, `set` replaces them, `off` leaves them unchanged.',
      }),
      as: z
        .enum(['x-forwarded', 'forwarded'], { error: 'expected x-forwarded or forwarded' })
        .prefault('x-forwarded')
        .meta({ description: 'X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).' }),
    }),
  ],
  { error: 'expected append, set, off, or a mapping with `mode` and `as`' },
);

const network = text(networkExpected, (value): string | Refusal => parseNetwork(value));

const normalize = mapping({
  path: z.boolean({ error: 'expected true or false' }).prefault(true).meta({
    description: 'Whether dot segments are removed, and percent-encoded unreserved characters decoded.',
  }),
  mergeSlashes: z.boolean({ error: 'expected true or false' }).optional().meta({
    description:
      'Whether several slashes in a row become one. Default: `true`, as in nginx, but `false` if routes come from documents, as in Istio.',
  }),
});

function isNotNormalized(value: unknown): boolean {
  const { path, mergeSlashes } = value as { path: boolean; mergeSlashes?: boolean };
  return !path && mergeSlashes === false;
}

export const edge = {
  forwarded: forwarded
    .prefault('append')
    .meta({ description: 'Fields that report the address of the client: append, set or off.' }),
  via: text(viaExpected, parseVia, (name) => name ?? 'off')
    .prefault('off')
    .meta({ description: 'The name that is appended to Via; `off` leaves Via unchanged.' }),
  requestId: z.enum(['keep', 'new', 'off'], { error: 'expected keep, new or off' }).prefault('keep').meta({
    description:
      'X-Request-Id: `keep` adds one if the client sent none, `new` always sets one, `off` does nothing.',
  }),
  underscores: z
    .enum(['drop', 'pass', 'refuse'], { error: 'expected drop, pass or refuse' })
    .prefault('drop')
    .meta({
      description:
        'Fields whose names have underscores, which many servers treat as dashes. Those that match a field of umbra are always dropped.',
    }),
  normalize: z
    .union([off({ path: false, mergeSlashes: false }, isNotNormalized), normalize], {
      error: 'expected off, or a mapping with `path` and `mergeSlashes`',
    })
    .prefault({})
    .meta({
      description:
        'Normalization of the path for matching; versions get the original path. `off`: routes match the original path too.',
    }),
  trusted: list(network, 'expected a list of networks', limits.trustedNetworks).optional().meta({
    description:
      'Trusted proxies in front of umbra: `10.0.0.0/8`, an address, or `unix` for clients of a unix socket.',
  }),
};
