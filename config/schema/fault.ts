/** `fault` of a route: requests that are delayed or refused on purpose. */
import { integer, mapping, positiveDuration, share } from './values.js';

export const fault = mapping({
  delay: mapping({
    percent: share.prefault(100).meta({ description: 'The share of requests that are delayed.' }),
    for: positiveDuration.meta({ description: 'For how long, before the request goes on.' }),
  })
    .optional()
    .meta({ description: 'Lets requests wait before they go on.' }),
  abort: mapping({
    percent: share.prefault(100).meta({ description: 'The share of requests that are refused.' }),
    status: integer(200, 599, 'expected a status code from 200 to 599').meta({
      description: 'The status code that they are answered with.',
    }),
  })
    .optional()
    .meta({ description: 'Answers requests at once with a status; no version hears of them.' }),
});
