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
    description: "Where the logs go; made if it is not there, and not shared with another service's umbra.",
  }),
  interval: interval.prefault('10s').meta({ description: 'The time that one line covers; at least `1s`.' }),
});
