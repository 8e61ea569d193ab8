/** How long an exchange may take, and its parts. */
import { z } from 'zod';
import { duration, durationExpected, mapping, off, shorthand } from './values.js';

/** Milliseconds; 0, or `off`: no bound. */
export const timeout = z.union([off(0), shorthand(z.literal(0), () => 0), duration], {
  error: `${durationExpected}, or off`,
});

const descriptions = {
  request:
    'From when the request is whole to the head of the response, waits and retries included; off sets no bound.',
  idle: 'Between two bytes of the response, and between two bytes of the request that the version takes.',
  total: 'The whole exchange, however long the client takes.',
};

export const routeTimeouts = mapping({
  request: timeout.optional().meta({ description: `${descriptions.request} Without it: \`timeout\`.` }),
  idle: timeout.prefault('60s').meta({ description: descriptions.idle }),
  total: timeout.prefault('off').meta({ description: descriptions.total }),
}).prefault({});

export const mirrorTimeouts = mapping({
  request: timeout.optional().meta({ description: descriptions.request }),
  idle: timeout.optional().meta({ description: descriptions.idle }),
  total: timeout.optional().meta({ description: descriptions.total }),
}).prefault({});
