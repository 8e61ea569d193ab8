/** `histograms`: latencies on disk, as HdrHistogram interval logs. */
import { durationPattern, formatDuration, parseDuration, Refusal } from '../units.js';
import { durationExpected, file, mapping, text } from './values.js';

/** Shorter intervals cost more than they show: a line takes a write per version and role. */
const intervalMsMin = 1000;

const interval = text(
  durationExpected,
  (value) => {
    const ms = parseDuration(value);
    return typeof ms === 'number' && ms < intervalMsMin ? new Refusal('must be 1s or longer') : ms;
  },
  formatDuration,
).meta({ pattern: durationPattern.source });

export const histograms = mapping({
  directory: file.meta({
    description: 'Directory of the logs, created if missing. Do not share it with another umbra.',
  }),
  interval: interval.prefault('10s').meta({ description: 'Time of one line; at least `1s`.' }),
});
