/** `fault` of a route: requests that are delayed or answered with an error on purpose. */
import { z } from 'zod';
import { grpcStatusNames } from '../../core/grpc/grpc-status.js';
import { integer, mapping, positiveDuration, share } from './values.js';

export const fault = mapping({
  delay: mapping({
    percent: share.prefault(100).meta({ description: 'The share of requests that are delayed.' }),
    for: positiveDuration.meta({ description: 'Length of the delay.' }),
  })
    .optional()
    .meta({ description: 'Delays requests.' }),
  abort: mapping({
    percent: share
      .prefault(100)
      .meta({ description: 'The share of requests that are answered with the status.' }),
    status: integer(200, 599, 'expected a status code from 200 to 599').optional().meta({
      description: 'The status code of the answer. gRPC clients get the gRPC status that it stands for.',
    }),
    grpcStatus: z
      .enum(grpcStatusNames, { error: `expected one of ${grpcStatusNames.join(', ')}` })
      .optional()
      .meta({
        description:
          'The gRPC status of the answer, in place of `status`. Other clients get the HTTP status that stands for it.',
      }),
  })
    .check((context) => {
      const { status, grpcStatus } = context.value;
      if ((status === undefined) !== (grpcStatus === undefined)) return;
      const message = 'expected `status` or `grpcStatus`, and not both';
      context.issues.push({ code: 'custom', message, input: context.value });
    })
    .optional()
    .meta({ description: 'Answers requests at once with a status. No version receives them.' }),
});
