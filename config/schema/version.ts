/** `versions`: the deployments of the service, and how each is reached. */
import { z } from 'zod';
import type { EndpointPlan } from '../../core/plan.js';
import { parseEndpoint } from '../address.js';
import type { Refusal } from '../units.js';
import { integer, list, mapping, positiveDuration, text } from './values.js';

const connectionsMax = 65_535;

const endpoint = text(
  'expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock',
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

export const version = z.union(
  [
    endpoints.transform((value) => ({ endpoints: value, connections: connections.parse({}) })),
    mapping({
      endpoints: endpoints.meta({
        description: 'http://host:port or unix:/path, one or a list; requests take turns.',
      }),
      connections: connections
        .prefault({})
        .meta({ description: 'The pool of connections to each endpoint.' }),
    }),
  ],
  { error: 'expected an endpoint, a list of them, or a mapping with `endpoints`' },
);
