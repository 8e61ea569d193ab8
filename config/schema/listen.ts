/** `listen` and `admin`: where clients and operators connect. */
import { z } from 'zod';
import { Refusal } from '../units.js';
import { address, file, list, mapping, text } from './values.js';

function parseToken(token: string): string | Refusal {
  // It travels in a header field: `Authorization: Bearer …`.
  return /^[\x21-\x7e]{1,1024}$/.test(token)
    ? token
    : new Refusal('is not a token: 1 to 1024 visible ASCII characters without blanks');
}

const engine = z
  .enum(['auto', 'uws', 'node'], { error: 'expected auto, uws or node' })
  .prefault('auto')
  .meta({
    description: 'What speaks HTTP with clients: uws (µWebSockets.js), node, or auto (uws where it loads).',
  });

const listenerObject = mapping({
  address: address.meta({ description: 'host:port, [::]:port or unix:/path. Port 0 takes a free port.' }),
  engine,
  tls: mapping({
    cert: file.meta({
      description: 'PEM file with the certificate and its chain, relative to the configuration file.',
    }),
    key: file.meta({ description: 'PEM file with the private key, relative to the configuration file.' }),
  })
    .optional()
    .meta({ description: 'Serves HTTPS with this certificate.' }),
});

const listener = z.union(
  [
    address.transform((value) => ({ address: value, engine: 'auto' as const, tls: undefined })),
    listenerObject,
  ],
  { error: 'expected an address, or a mapping with `address`' },
);

export const admin = z.union(
  [
    z.literal(false).transform(() => null),
    z.literal('off').transform(() => null),
    mapping({
      address: address
        .prefault('127.0.0.1:9901')
        .meta({ description: 'Where the admin API, the metrics and the live page are served.' }),
      token: text('expected text', parseToken).optional().meta({
        description:
          'Asked for as `Authorization: Bearer …`. Required off loopback. Best taken from the environment.',
      }),
    }),
  ],
  { error: 'expected a mapping with `address`, or off' },
);

export const listen = z.union(
  [listener.transform((one) => [one]), list(listener, 'expected a list of listeners')],
  {
    error: 'expected a list of listeners',
  },
);
