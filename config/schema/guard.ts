/** `guard`, for all routes and for one: when mirrors back off because the primary got worse. */
import { z } from 'zod';
import { mapping, off, positiveDuration, share } from './values.js';

const settings = mapping({
  p99: share
    .prefault('25%')
    .meta({ description: "How far the primary's p99 may rise above its base line, as a share of that." }),
  errors: share.prefault('1%').meta({
    description:
      'How far its share of errors (failures and 5xx) may rise above its base line, in percentage points.',
  }),
  window: positiveDuration
    .prefault('10s')
    .meta({ description: 'What is compared with the base line; two bad windows in a row are one step.' }),
  recover: positiveDuration.prefault('1m').meta({
    description:
      'How long the primary must be good before the first step back; each further one takes twice as long.',
  }),
});

/** Null: off, also where all other routes have one. */
export const guard = z.union([off(null), settings], {
  error: 'expected a mapping, or off',
});
