/** Converts the texts of flags and operands to values. An invalid text is refused with what was expected. */
import { InvalidArgumentError } from 'commander';
import type { Address } from '../../core/plan.js';
import { filterExpected, parseFilter, parseOrder } from '../../core/replay/filter.js';
import { parseAddress } from '../address.js';
import { parseName } from '../names.js';
import { type NatsBucket, type NatsSubject, parseFleetAddress, parseStreamAddress } from '../nats-address.js';
import { parseDuration, parseShare, percentOfShare, Refusal } from '../units.js';

const portMax = 65_535;

export function text(value: string): string {
  return value;
}

/** `duration` returns milliseconds, above 0. */
export function duration(value: string): number {
  const ms = parseDuration(value);
  if (typeof ms === 'number' && ms > 0) return ms;
  throw new InvalidArgumentError('Expected a duration such as 30s or 5m.');
}

/** `durationOrZero` returns milliseconds. */
export function durationOrZero(value: string): number {
  const ms = parseDuration(value);
  if (typeof ms === 'number') return ms;
  throw new InvalidArgumentError('Expected a duration such as 30m, or 0s.');
}

export function positiveInteger(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

export function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) <= portMax) return Number(value);
  throw new InvalidArgumentError(`Expected a port from 0 to ${portMax}.`);
}

/** `percent` returns a number from 0 to 100. */
export function percent(value: string): number {
  const share = parseShare(value);
  if (share instanceof Refusal)
    throw new InvalidArgumentError('Expected a percentage from 0 to 100 in steps of 0.0001.');
  return percentOfShare(share);
}

/** `fraction` reads a percentage as a fraction: `10%` is 0.1. Unlike a share, it may exceed 100 %. */
export function fraction(value: string): number {
  if (/^\d{1,6}(\.\d{1,6})?%?$/.test(value)) return Number.parseFloat(value) / 100;
  throw new InvalidArgumentError('Expected a percentage such as 10% or 0.5.');
}

/** `origin` accepts a server without a path. */
export function origin(value: string): string {
  const url = new URL(httpUrl(value));
  if (url.pathname === '/' && url.search === '' && url.username === '') return url.origin;
  throw new InvalidArgumentError('Expected a server such as http://127.0.0.1:9080, without a path.');
}

export function httpUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return value;
  throw new InvalidArgumentError('Expected an address such as http://127.0.0.1:8080.');
}

/** `adminAddress` accepts a URL, or `unix:/run/umbra/admin.sock` as in the configuration. */
export function adminAddress(value: string): string {
  return /^unix:\/./.test(value) ? value : httpUrl(value);
}

/** `listenAddress` accepts an address to listen on. */
export function listenAddress(value: string): Address {
  return accepted(parseAddress(value));
}

export function fleetAddress(value: string): NatsBucket {
  return accepted(parseFleetAddress(value));
}

export function streamAddress(value: string): NatsSubject {
  return accepted(parseStreamAddress(value));
}

/** `name` accepts a name of a version, a route or a process. */
export function name(value: string): string {
  return accepted(parseName(value));
}

/** `filter` keeps the text, because the thread that reads recordings parses it again. */
export function filter(value: string): string {
  if (parseFilter(value) !== null) return value;
  throw new InvalidArgumentError(sentence(filterExpected));
}

/** `order` keeps the text, as `filter` does. */
export function order(value: string): string {
  if (parseOrder(value) !== null) return value;
  throw new InvalidArgumentError('Expected header:NAME, cookie:NAME or recorded.');
}

function accepted<T>(value: T | Refusal): T {
  if (value instanceof Refusal) throw new InvalidArgumentError(sentence(value.reason));
  return value;
}

/** `sentence` formats a message like commander's own. */
function sentence(text: string): string {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** `oneOf` accepts one of a few words. */
export function oneOf<const T extends string>(...words: readonly T[]): (value: string) => T {
  return (value) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new InvalidArgumentError(`Expected ${words.join(' or ')}.`);
    return found;
  };
}
