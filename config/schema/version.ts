/** `versions`: the deployments of the service, and how each is reached. */
import { z } from 'zod';
import type { EndpointPlan } from '../../core/plan.js';
import { parseEndpoint, parseServerName } from '../address.js';
import type { Refusal } from '../units.js';
import { file, integer, list, mapping, positiveDuration, text } from './values.js';

const connectionsMax = 65_535;

const endpoint = text(
  'expected an endpoint such as http://127.0.0.1:9080, https://[::1]:9443 or unix:/run/app.sock',
  (value): EndpointPlan | Refusal => parseEndpoint(value),
);
const endpointsExpected = 'expected an endpoint or a list of them';
const endpoints = z.union([endpoint.transform((one) => [one]), list(endpoint, endpointsExpected)], {
  error: endpointsExpected,
});

const connections = mapping({
  max: integer(1, connectionsMax)
    .prefault(256)
    .meta({ description: 'Most connections that one thread opens to one endpoint.' }),
  idle: positiveDuration.prefault('60s').meta({ description: 'How long an unused connection is kept.' }),
  connectTimeout: positiveDuration
    .prefault('1s')
    .meta({ description: 'How long a connection may take to open.' }),
});

/** The content of a file, read when the configuration is loaded; null where files are not looked at. */
interface PemOf {
  readonly path: string;
  readonly pem: string | null;
}

const pemFile = file.transform((path): PemOf => ({ path, pem: null }));

const tls = mapping({
  ca: pemFile.optional().meta({
    description: "PEM file with the authorities that are trusted in place of the system's.",
  }),
  cert: pemFile.optional().meta({
    description: "PEM file with umbra's own certificate, for endpoints that ask for one; with `key`.",
  }),
  key: pemFile.optional().meta({ description: 'PEM file with the private key of `cert`.' }),
  serverName: text('expected a host name', parseServerName).optional().meta({
    description: "The name to ask for (SNI) and to check, where it is not the endpoint's.",
  }),
  verify: z.boolean({ error: 'expected true or false' }).prefault(true).meta({
    description: 'false takes any certificate: for tests alone.',
  }),
}).check((context) => {
  const { cert, key } = context.value;
  if ((cert === undefined) === (key === undefined)) return;
  context.issues.push({
    code: 'custom',
    message: 'expected both of `cert` and `key`, or neither',
    input: context.value,
  });
});

export const version = z.union(
  [
    endpoints.transform((value) => ({
      endpoints: value,
      connections: connections.parse({}),
      tls: undefined,
    })),
    mapping({
      endpoints: endpoints.meta({
        description: 'http://host:port, https://host:port or unix:/path, one or a list; requests take turns.',
      }),
      connections: connections
        .prefault({})
        .meta({ description: 'The pool of connections to each endpoint.' }),
      tls: tls.optional().meta({ description: 'How `https://` endpoints are reached.' }),
    }),
  ],
  { error: 'expected an endpoint, a list of them, or a mapping with `endpoints`' },
);
