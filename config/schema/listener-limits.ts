/** Limits of a listener on the size and the time of one client. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import {
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  Refusal,
  sizePattern,
} from '../units.js';
import { durationExpected, form, integer, mapping, size, text } from './values.js';

const connectionsMax = 1_000_000;
const headBytesMin = 1024;
const MS_PER_SECOND = 1000;

/** At most what uWS can count to, on either engine, so that a listener may change its engine. */
const patience = text(
  durationExpected,
  (value) => {
    const ms = parseDuration(value);
    if (ms instanceof Refusal) return ms;
    if (ms === 0) return new Refusal('must be longer than 0');
    return ms > limits.downstreamSecondsMax * MS_PER_SECOND ? new Refusal('is too long: at most 15m') : ms;
  },
  formatDuration,
).meta({ pattern: durationPattern.source });

const headSize = text(
  'expected a size such as 16KiB',
  (value) => {
    const bytes = parseSize(value);
    if (bytes instanceof Refusal) return bytes;
    return bytes < headBytesMin || bytes > limits.requestHeadBytesMax
      ? new Refusal(`expected a size from 1KiB to ${limits.requestHeadBytesMax / 1024}KiB`)
      : bytes;
  },
  formatSize,
).meta({ pattern: sizePattern.source });

const bodySize = z.union(
  [
    form(
      z.literal('off'),
      () => null,
      (max) => (max === null ? ('off' as const) : new Refusal('is a size')),
    ),
    size,
  ],
  {
    error: 'expected a size such as 10MiB, or off',
  },
);

export const listenerLimits = {
  connections: mapping({
    max: integer(1, connectionsMax).prefault(limits.downstreamConnections).meta({
      description: 'Maximum connections of this listener over all threads. Further ones are closed at once.',
    }),
    idle: patience
      .prefault('60s')
      .meta({ description: 'Maximum time of a client connection without a request.' }),
    halfClose: z.enum(['serve', 'abort'], { error: 'expected serve or abort' }).prefault('serve').meta({
      description:
        'A client that closes its side (FIN) before its response is complete: `serve` sends the response, unless a probe finds that the client is gone; `abort` ends the request, as nginx does. The uws engine always aborts.',
    }),
  })
    .prefault({})
    .meta({ description: "Clients' connections." }),
  head: mapping({
    max: headSize.prefault('16KiB').meta({
      description:
        'Maximum request head; a larger one is answered 431. All listeners of the uws engine need the same value.',
    }),
    timeout: patience
      .prefault('60s')
      .meta({ description: 'Maximum time for a request head, even if it arrives slowly.' }),
  })
    .prefault({})
    .meta({ description: 'Request heads.' }),
  body: mapping({
    max: bodySize.prefault('off').meta({
      description:
        'Maximum request body; a larger one is answered 413: at once by its Content-Length, else when the limit is exceeded.',
    }),
    timeout: patience.prefault('60s').meta({ description: 'Maximum pause within a request body, then 408.' }),
  })
    .prefault({})
    .meta({ description: 'Request bodies.' }),
  response: mapping({
    timeout: patience.prefault('60s').meta({
      description:
        'Maximum time in which a client reads nothing of its response. Then its connection is closed.',
    }),
  })
    .prefault({})
    .meta({ description: 'Responses.' }),
};
