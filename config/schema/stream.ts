/** `stream` of a mirror: how its copies are published to JetStream. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { integer, mapping, positiveDuration, size } from './values.js';

/** Below the two minutes within which a stream that umbra makes knows a message that is published again. */
const timeoutMsMax = 60_000;
/** A replicated stream has at most so many (JetStream). */
const replicasMax = 5;

export const stream = mapping({
  primary: z
    .enum(['outcome', 'digest', 'response'], { error: 'expected outcome, digest or response' })
    .prefault('outcome')
    .meta({
      description:
        "What each message says of the primary's answer: its status, size and latency; a checksum of its body too; or all of it, each body up to `response.max`.",
    }),
  outstanding: integer(1, limits.streamOutstanding).prefault(4096).meta({
    description:
      'Most messages that may wait for their acknowledgement, those that wait for NATS to come back included. More are dropped, and counted.',
  }),
  timeout: positiveDuration
    .refine((ms) => ms <= timeoutMsMax, { error: 'must be 1m or less' })
    .prefault('30s')
    .meta({
      description:
        'How long a message may wait for its acknowledgement, lost connections included. Later it counts as failed.',
    }),
  retention: z
    .enum(['workqueue', 'limits'], { error: 'expected workqueue or limits' })
    .prefault('workqueue')
    .meta({
      description:
        'Of a stream that umbra makes: workqueue keeps each message until the one group of shadows has acknowledged it, limits keeps all up to `size` and `age`, for several groups.',
    }),
  size: size
    .refine((bytes) => bytes >= 1024 * 1024, { error: 'expected a size of at least 1MiB' })
    .prefault('1GiB')
    .meta({
      description:
        'Of a stream that umbra makes: most bytes. When it is full, copies are dropped and counted.',
    }),
  age: positiveDuration.optional().meta({
    description:
      'Of a stream that umbra makes: messages that are older are deleted, taken or not. Without it there is no limit.',
  }),
  replicas: integer(1, replicasMax)
    .prefault(1)
    .meta({ description: 'Of a stream that umbra makes: how many servers of a cluster keep it.' }),
});
