/** `fleet`: this instance as one of many, seen as one through NATS. */
import { fleetExpected, formatFleetAddress, parseFleetAddress } from '../nats-address.js';
import { durationPattern, formatDuration, parseDuration, Refusal } from '../units.js';
import { durationExpected, mapping, name, text } from './values.js';

const intervalMs = { min: 100, max: 60_000 };

const interval = text(
  durationExpected,
  (value) => {
    const ms = parseDuration(value);
    if (typeof ms !== 'number') return ms;
    return ms < intervalMs.min || ms > intervalMs.max ? new Refusal('must be from 100ms to 1m') : ms;
  },
  formatDuration,
).meta({ pattern: durationPattern.source });

export const fleet = mapping({
  nats: text(fleetExpected, parseFleetAddress, formatFleetAddress).meta({
    description:
      'The servers and the key-value bucket that snapshots go to, as nats://host:4222/umbra; tls:// for TLS, several servers with commas between.',
  }),
  name: name.optional().meta({
    description: "This instance's name among the others. Without it: the machine's host name.",
  }),
  interval: interval
    .prefault('1s')
    .meta({ description: 'How often a snapshot is published; `100ms` to `1m`.' }),
});
