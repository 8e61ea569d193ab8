/** `guard`, for all routes and for one: when mirrors are held back because the primary got worse. */
import { z } from 'zod';
import { mapping, off, positiveDuration, share } from './values.js';

const settings = mapping({
  p99: share.prefault('25%').meta({
    description: "How far the primary's p99 may rise above its base line, as a share of the base line.",
  }),
  errors: share.prefault('1%').meta({
    description:
      'How far its share of errors (failures and 5xx) may rise above its base line, in percentage points.',
  }),
  window: positiveDuration.prefault('10s').meta({
    description:
      'Time that is compared with the base line. Two bad windows in a row reduce the copies by one step.',
  }),
  recover: positiveDuration.prefault('1m').meta({
    description:
      'Time that the primary must be good before the copies increase by one step; doubles with each step, up to 16 times.',
  }),
});

/** Null turns the guard off, even if other routes have one. */
export const guard = z.union([off(null), settings], {
  error: 'expected a mapping, or off',
});
