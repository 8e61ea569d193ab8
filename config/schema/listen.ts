/** `listen` and `admin`: the addresses for clients and operators. */
import { z } from 'zod';
import { Refusal } from '../units.js';
import { edge } from './edge.js';
import { listenerLimits } from './listener-limits.js';
import { address, list, mapping, off, pemFile, shorthand, single, text } from './values.js';

const modeExpected = 'expected permissions in octal, in quotes, such as "0660"';

function parseMode(mode: string): number | Refusal {
  return /^0?[0-7]{3}$/.test(mode) ? Number.parseInt(mode, 8) : new Refusal(modeExpected);
}

function formatMode(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`;
}

function parseToken(token: string): string | Refusal {
  // The token is sent in a header field: `Authorization: Bearer …`.
  return /^[\x21-\x7e]{1,1024}$/.test(token)
    ? token
    : new Refusal('is not a token: 1 to 1024 visible ASCII characters without spaces');
}

const engine = z
  .enum(['auto', 'uws', 'node'], { error: 'expected auto, uws or node' })
  .prefault('auto')
  .meta({
    description: 'HTTP engine for clients: `node`, `uws` (uWebSockets.js), or `auto`, which is node.',
  });

const protocol = z.enum(['http1', 'h2'], { error: 'expected http1 or h2' });

const listenerObject = mapping({
  address: address.meta({ description: 'host:port, [::]:port or unix:/path. Port 0 selects a free port.' }),
  engine,
  protocols: z
    .union([single(protocol), list(protocol, 'expected a list of http1 and h2').min(1)], {
      error: 'expected http1, h2, or a list of them',
    })
    .optional()
    .meta({
      description:
        'What clients may speak: http1 (HTTP/1.1 and HTTP/1.0), h2 (HTTP/2: by ALPN over TLS, by prior knowledge on a plain port). Without it: both over TLS, http1 on a plain port and on the uws engine.',
    }),
  mode: text(modeExpected, parseMode, formatMode).optional().meta({
    description: "Permissions of a unix socket's file. Without it: what the umask leaves.",
  }),
  tls: mapping({
    cert: pemFile.meta({
      description: 'PEM file with the certificate and its chain, relative to the configuration file.',
    }),
    key: pemFile.meta({ description: 'PEM file with the private key, relative to the configuration file.' }),
  })
    .optional()
    .meta({ description: 'Serves HTTPS with this certificate.' }),
  ...listenerLimits,
  ...edge,
});

const listener = z.union(
  [
    // An address alone is a listener with every default.
    shorthand(address, (value) => ({
      ...listenerObject.omit({ address: true }).parse({}),
      address: value,
    })),
    listenerObject,
  ],
  { error: 'expected an address, or a mapping with `address`' },
);

export const admin = z.union(
  [
    off(null),
    mapping({
      address: address
        .prefault('127.0.0.1:9901')
        .meta({ description: 'Address of the admin API, the metrics and the live page.' }),
      token: text('expected text', parseToken).optional().meta({
        description:
          'Token for `Authorization: Bearer …`. Required unless the address is loopback or a unix socket. Best set from the environment.',
      }),
    }),
  ],
  { error: 'expected a mapping with `address`, or off' },
);

export const listen = z.union([single(listener), list(listener, 'expected a list of listeners')], {
  error: 'expected a list of listeners',
});
