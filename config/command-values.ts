/** Values and options that several commands take. A value that is wrong is refused with what was expected. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type NatsBucket, type NatsSubject, parseFleetAddress, parseStreamAddress } from './nats-address.js';
import { parseDuration, Refusal } from './units.js';

export function duration(value: string): number {
  const ms = parseDuration(value);
  if (typeof ms === 'number' && ms > 0) return ms;
  throw new InvalidArgumentError('Expected a duration such as 30s or 5m.');
}

export function positiveInteger(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** Unlike a share, more than 100 % is possible. */
export function fraction(value: string): number {
  if (/^\d{1,6}(\.\d{1,6})?%?$/.test(value)) return Number.parseFloat(value) / 100;
  throw new InvalidArgumentError('Expected a percentage such as 10% or 0.5.');
}

/** A URL of which nothing but the server counts. */
export function origin(value: string): string {
  const url = new URL(httpUrl(value));
  if (url.pathname === '/' && url.search === '' && url.username === '') return url.origin;
  throw new InvalidArgumentError('Expected a server such as http://127.0.0.1:9080, without a path.');
}

export function fleetAddress(value: string): NatsBucket {
  const address = parseFleetAddress(value);
  if (address instanceof Refusal) throw new InvalidArgumentError(`${address.reason}.`);
  return address;
}

export function httpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return value;
  throw new InvalidArgumentError('Expected an address such as http://127.0.0.1:8080.');
}

export interface VerdictBoundFlags {
  maxP99Delta: number;
  maxErrorDelta: number;
  maxDiff: number;
  minSamples: number;
}

export function withVerdictBounds(command: Command): Command {
  return command
    .addOption(
      new Option('--max-p99-delta <percent>', "how far the shadow's p99 may be above the primary's")
        .argParser(fraction)
        .default(0.1, '10%'),
    )
    .addOption(
      new Option(
        '--max-error-delta <percent>',
        "how many percentage points the shadow's share of errors may be above the primary's",
      )
        .argParser(fraction)
        .default(0.001, '0.1%'),
    )
    .addOption(
      new Option('--max-diff <percent>', 'the share of pairs that may differ')
        .argParser(fraction)
        .default(0.005, '0.5%'),
    )
    .option('--min-samples <n>', 'fewer on either side are too little data', positiveInteger, 1000);
}

export function streamAddress(value: string): NatsSubject {
  const address = parseStreamAddress(value);
  if (address instanceof Refusal) throw new InvalidArgumentError(`${capital(address.reason)}.`);
  return address;
}

/** Such as commander's own messages begin. */
export function capital(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}`;
}
