/** `recording` of a mirror: how its copies are written to files. */
import { z } from 'zod';
import { limits } from '../../core/limits.js';
import { Refusal } from '../units.js';
import { form, mapping, positiveDuration, size } from './values.js';

/** Smaller segments would make too many files. */
const segmentBytesMin = 64 * 1024;
const segmentMsMin = 1000;

const trueOrFalse = z.boolean({ error: 'expected true or false' });

const written = mapping({
  responses: trueOrFalse.prefault(false).meta({
    description: "Whether the primary's responses are recorded too, each body up to `response.max`.",
  }),
  compress: trueOrFalse.prefault(true).meta({
    description:
      'Whether records are compressed. false: each record is a gzip member with stored bytes, which needs less CPU and more disk.',
  }),
  segment: mapping({
    size: size
      .refine((bytes) => bytes >= segmentBytesMin && bytes <= limits.segmentBytesMax, {
        error: 'expected a size from 64KiB to 4GiB',
      })
      .prefault('256MiB')
      .meta({ description: 'Size at which the next file is begun.' }),
    age: positiveDuration
      .refine((ms) => ms >= segmentMsMin, { error: 'must be 1s or longer' })
      .prefault('5m')
      .meta({ description: 'Age at which the next file is begun.' }),
  })
    .prefault({})
    .meta({ description: 'Files of a recording.' }),
  disk: size
    .prefault('10GiB')
    .meta({ description: 'Maximum bytes of the files in the directory; the oldest ones are deleted.' }),
});

/** `directory` is that of the mirror's `to`. It is absolute once the configuration is loaded. */
export const recording = form(
  written,
  (given) => {
    if (given.disk >= 2 * given.segment.size) return { ...given, directory: '' };
    return new Refusal('must be at least twice `segment.size`, because only whole files are deleted', [
      'disk',
    ]);
  },
  ({ directory, ...given }) => given,
);
