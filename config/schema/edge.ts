/** Which fields a listener adds to requests, and whose word it takes for where they come from. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { parseNetwork } from '../address.js';
import { Refusal } from '../units.js';
import { list, mapping, off, shorthand, text } from './values.js';

const viaExpected = 'expected a name for Via such as umbra, or off';
const networkExpected = 'expected a network such as 10.0.0.0/8, an address, or unix';

/** A pseudonym of RFC 9110, section 7.6.3: a token. */
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
        description: 'append adds to what the client said, set throws it away, off leaves it as it is.',
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
    description: 'Dot segments are removed, and percent signs of unreserved characters decoded.',
  }),
  mergeSlashes: z.boolean({ error: 'expected true or false' }).optional().meta({
    description:
      'Several slashes in a row are one. Unless set: `true`, as in nginx, but `false` where routes come from documents, as Istio has it.',
  }),
});

function isNotNormalized(value: unknown): boolean {
  const { path, mergeSlashes } = value as { path: boolean; mergeSlashes?: boolean };
  return !path && mergeSlashes === false;
}

export const edge = {
  forwarded: forwarded
    .prefault('append')
    .meta({ description: 'How the request says where it came from: append, set or off.' }),
  via: text(viaExpected, parseVia, (name) => name ?? 'off')
    .prefault('off')
    .meta({ description: 'The name that is appended to Via; off leaves Via alone.' }),
  requestId: z.enum(['keep', 'new', 'off'], { error: 'expected keep, new or off' }).prefault('keep').meta({
    description:
      'X-request-id: `keep` makes one where the client sent none, `new` always makes one, `off` never.',
  }),
  underscores: z
    .enum(['drop', 'pass', 'refuse'], { error: 'expected drop, pass or refuse' })
    .prefault('drop')
    .meta({
      description:
        'Fields whose names have underscores, which many servers take for dashes. Those that pass for a field of umbra are always dropped.',
    }),
  normalize: z
    .union([off({ path: false, mergeSlashes: false }, isNotNormalized), normalize], {
      error: 'expected off, or a mapping with `path` and `mergeSlashes`',
    })
    .prefault({})
    .meta({
      description: 'Routes match a normalized path; versions get the path as it came. `off`: as it came too.',
    }),
  trusted: list(network, 'expected a list of networks', limits.trustedNetworks).optional().meta({
    description:
      'The proxies in front of umbra: `10.0.0.0/8`, an address, or `unix` for whoever comes through a unix socket.',
  }),
};
