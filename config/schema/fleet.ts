/** `fleet`: the membership of this instance in a fleet, over NATS. */
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
      'Servers and key-value bucket for snapshots, as nats://host:4222/umbra; tls:// for TLS, several servers separated by commas.',
  }),
  name: name.optional().meta({
    description: "Name of this instance in the fleet. Default: the machine's host name.",
  }),
  interval: interval.prefault('1s').meta({ description: 'Interval of snapshots; `100ms` to `1m`.' }),
});
