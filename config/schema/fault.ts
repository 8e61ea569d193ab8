/** `fault` of a route: requests that are delayed or answered with an error on purpose. */
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
    status: integer(200, 599, 'expected a status code from 200 to 599').meta({
      description: 'The status code of the answer.',
    }),
  })
    .optional()
    .meta({ description: 'Answers requests at once with a status. No version receives them.' }),
});
