/** `stream` of a mirror: how its copies are published to JetStream. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { integer, mapping, positiveDuration, size } from './values.js';

/**
 * Below two minutes: within that time a stream that umbra creates recognizes a message that is published
 * again.
 */
const timeoutMsMax = 60_000;
/** The maximum number of replicas of a JetStream stream. */
const replicasMax = 5;

export const stream = mapping({
  primary: z
    .enum(['outcome', 'digest', 'response'], { error: 'expected outcome, digest or response' })
    .prefault('outcome')
    .meta({
      description:
        "What each message contains of the primary's response: its status, size and latency; also a checksum of its body; or all of it, each body up to `response.max`.",
    }),
  outstanding: integer(1, limits.streamOutstanding).prefault(4096).meta({
    description:
      'Maximum messages that wait for their acknowledgement, including those that wait while NATS is down. Further ones are dropped and counted.',
  }),
  timeout: positiveDuration
    .refine((ms) => ms <= timeoutMsMax, { error: 'must be 1m or less' })
    .prefault('30s')
    .meta({
      description:
        'Maximum wait for an acknowledgement, including lost connections. Then the copy has failed.',
    }),
  retention: z
    .enum(['workqueue', 'limits'], { error: 'expected workqueue or limits' })
    .prefault('workqueue')
    .meta({
      description:
        'For a stream that umbra creates: `workqueue` keeps each message until the one group of shadows has acknowledged it; `limits` keeps all up to `size` and `age`, for several groups.',
    }),
  size: size
    .refine((bytes) => bytes >= 1024 * 1024, { error: 'expected a size of at least 1MiB' })
    .prefault('1GiB')
    .meta({
      description:
        'For a stream that umbra creates: maximum bytes. When it is full, copies are dropped and counted.',
    }),
  age: positiveDuration.optional().meta({
    description:
      'For a stream that umbra creates: older messages are deleted, whether read or not. Default: no limit.',
  }),
  replicas: integer(1, replicasMax)
    .prefault(1)
    .meta({ description: 'For a stream that umbra creates: number of servers that keep it.' }),
});
