/** `retries` of a route: when a request is sent to its primary again. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { RetryCondition } from '../../core/plan.js';
import { integer, list, mapping, positiveDuration, shorthand } from './values.js';

const expected =
  'expected connect, reset, 5xx, gateway-error, retriable-4xx, a gRPC status such as unavailable, or 400 to 599';

const words = [
  'connect',
  'reset',
  '5xx',
  'gateway-error',
  'retriable-4xx',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const;

const condition = z.union(
  [
    z.enum(words),
    // Envoy's name of the condition.
    shorthand(z.literal('connect-failure'), (): RetryCondition => 'connect'),
    integer(400, 599),
  ],
  { error: expected },
);

export const retries = mapping({
  attempts: integer(1, limits.retries).prefault(2).meta({ description: 'Maximum attempts after the first.' }),
  perTryTimeout: positiveDuration.optional().meta({
    description:
      "Maximum time of one attempt until the head of its response. Without it only the route's timeout applies, which covers all attempts.",
  }),
  on: list(condition, 'expected a list of conditions such as [connect, reset, 503]', 64)
    .prefault(['connect'])
    .meta({
      description:
        'Conditions of a retry: connect, reset, 5xx, gateway-error (502, 503, 504), retriable-4xx (409), status codes; of gRPC answers without messages cancelled, deadline-exceeded, internal, resource-exhausted and unavailable.',
    }),
});
