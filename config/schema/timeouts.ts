/** Timeouts of an exchange and of its parts. */
import { z } from 'zod';
import { duration, durationExpected, mapping, off, shorthand } from './values.js';

/** Milliseconds; 0 and `off` are no bound. */
export const timeout = z.union([off(0), shorthand(z.literal(0), () => 0), duration], {
  error: `${durationExpected}, or off`,
});

const descriptions = {
  request:
    'From the complete request to the head of the response (`until`), including waits and retries; `off` for none.',
  idle: 'Between two bytes of the response, and between two bytes of the request that the version takes.',
  total: 'The whole exchange, including a slow client.',
};

export const routeTimeouts = mapping({
  request: timeout.optional().meta({ description: `${descriptions.request} Default: \`timeout\`.` }),
  until: z
    .enum(['head', 'end'], { error: 'expected head or end' })
    .prefault('head')
    .meta({ description: 'Where `request` ends: the head of the response, or its last byte.' }),
  idle: timeout.prefault('60s').meta({ description: descriptions.idle }),
  total: timeout.prefault('off').meta({ description: descriptions.total }),
}).prefault({});

export const mirrorTimeouts = mapping({
  request: timeout.optional().meta({ description: descriptions.request }),
  idle: timeout.optional().meta({ description: descriptions.idle }),
  total: timeout.optional().meta({ description: descriptions.total }),
}).prefault({});
