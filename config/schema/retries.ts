/** `retries` of a route: when a request is sent to its primary again. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import type { RetryCondition } from '../../core/plan.js';
import { integer, list, mapping, positiveDuration, shorthand } from './values.js';

const expected =
  'expected connect, reset, 5xx, gateway-error, retriable-4xx or a status code from 400 to 599';

const words = ['connect', 'reset', '5xx', 'gateway-error', 'retriable-4xx'] as const;

const condition = z.union(
  [
    z.enum(words),
    // Envoy's word.
    shorthand(z.literal('connect-failure'), (): RetryCondition => 'connect'),
    integer(400, 599),
  ],
  { error: expected },
);

export const retries = mapping({
  attempts: integer(1, limits.retries).prefault(2).meta({ description: 'Most attempts beyond the first.' }),
  perTryTimeout: positiveDuration.optional().meta({
    description:
      "How long an attempt may take to the head of its response. Without it the route's timeout alone holds, which is for all attempts together.",
  }),
  on: list(condition, 'expected a list of conditions such as [connect, reset, 503]', 64)
    .prefault(['connect'])
    .meta({
      description:
        'What is tried again: connect, reset, 5xx, gateway-error (502, 503, 504), retriable-4xx (409) or status codes.',
    }),
});
