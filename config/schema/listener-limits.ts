/** What a listener lets one client take, in size and in time. */
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

/** Not above what uWS can count to, on either engine, so that a listener may change its engine. */
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
      description: 'Most connections of this listener over all threads; a further one is closed at once.',
    }),
    idle: patience
      .prefault('60s')
      .meta({ description: 'How long a client may leave its connection without a request.' }),
    halfClose: z.enum(['serve', 'abort'], { error: 'expected serve or abort' }).prefault('serve').meta({
      description:
        'What a client gets that closes its side (FIN) before its response is whole: `serve`, the response, unless a probe finds that the client is gone; `abort`, nothing, as with nginx. The uws engine always aborts.',
    }),
  })
    .prefault({})
    .meta({ description: "Clients' connections." }),
  head: mapping({
    max: headSize.prefault('16KiB').meta({
      description:
        'The largest request head; larger: 431. All listeners of the uws engine must say the same.',
    }),
    timeout: patience
      .prefault('60s')
      .meta({ description: 'How long a client may take for a request head, however it drips.' }),
  })
    .prefault({})
    .meta({ description: 'Request heads.' }),
  body: mapping({
    max: bodySize.prefault('off').meta({
      description:
        'The largest request body; larger: 413, at once if Content-Length is larger, else when it has grown too large.',
    }),
    timeout: patience
      .prefault('60s')
      .meta({ description: 'How long a client may pause within a request body; longer: 408.' }),
  })
    .prefault({})
    .meta({ description: 'Request bodies.' }),
  response: mapping({
    timeout: patience.prefault('60s').meta({
      description: 'How long a client may take nothing of a response; longer: its connection is closed.',
    }),
  })
    .prefault({})
    .meta({ description: 'Responses.' }),
};
