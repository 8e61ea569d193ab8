/**
 * Addresses on NATS: `nats://host:4222/bucket` of a fleet, `nats-kv://host:4222/bucket/key` of a plan, and
 * `nats://host:4222/subject` of a stream.
 */
import type { NatsPlace } from '../core/plan.js';
import { redacted } from '../core/redact.js';
import { Refusal } from './units.js';

const defaultPort = 4222;
const portMax = 65_535;
const defaultBucket = 'umbra';
const shape = /^([a-z+-]+):\/\/(?:([^@/]*)@)?([^/@]+)(?:\/(.*))?$/;
const server = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;
/** Names that nats-server accepts. */
const bucketName = /^[A-Za-z0-9_-]+$/;
const keyName = /^[A-Za-z0-9_=/-]+(\.[A-Za-z0-9_=/-]+)*$/;
/** Plain tokens: a published subject has no wildcards, and names that begin with $ belong to the server. */
const subjectName = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
const subjectCharsMax = 200;

export const fleetExpected = 'expected an address such as nats://127.0.0.1:4222/umbra';
const planExpected = 'expected an address such as nats-kv://127.0.0.1:4222/bucket/key';

const streamExpected = 'expected an address such as nats://127.0.0.1:4222/umbra.reviews';

export interface NatsSubject {
  readonly nats: NatsPlace;
  readonly subject: string;
}

export interface NatsBucket {
  readonly nats: NatsPlace;
  readonly bucket: string;
}

export interface NatsKey extends NatsBucket {
  readonly key: string;
}

/**
 * `parseFleetAddress` reads `nats://` or `tls://` with one server or several of one cluster, separated by
 * commas. The default bucket is `umbra`.
 */
export function parseFleetAddress(text: string): NatsBucket | Refusal {
  const parts = partsOf(text, ['nats', 'tls']);
  if (parts === null) return new Refusal(fleetExpected);
  const bucket = parts.path === '' ? defaultBucket : parts.path;
  return bucketName.test(bucket) ? { nats: parts.nats, bucket } : new Refusal(fleetExpected);
}

/** `parsePlanAddress` reads `nats-kv://` or `nats-kv+tls://`. */
export function parsePlanAddress(text: string): NatsKey | Refusal {
  const parts = partsOf(text, ['nats-kv', 'nats-kv+tls']);
  if (parts === null) return new Refusal(planExpected);
  const slash = parts.path.indexOf('/');
  const [bucket, key] = [parts.path.slice(0, Math.max(0, slash)), parts.path.slice(slash + 1)];
  const isRight = bucketName.test(bucket) && keyName.test(key);
  return isRight ? { nats: parts.nats, bucket, key } : new Refusal(planExpected);
}

/** `parseStreamAddress` reads `nats://` or `tls://`, as for a fleet. The subject is required. */
export function parseStreamAddress(text: string): NatsSubject | Refusal {
  const parts = partsOf(text, ['nats', 'tls']);
  if (parts === null || parts.path.length > subjectCharsMax || !subjectName.test(parts.path))
    return new Refusal(streamExpected);
  return { nats: parts.nats, subject: parts.path };
}

/** `isStreamAddress` returns true when a mirror's `to` is meant to be a stream, valid or not. */
export function isStreamAddress(to: string): boolean {
  return /^(nats|tls):\/\//.test(to);
}

/** `isPlanAddress` returns true when a configuration's path is meant to be a plan's address, valid or not. */
export function isPlanAddress(path: string): boolean {
  return /^nats-kv(\+tls)?:\/\//.test(path);
}

/** `formatFleetAddress` returns the address with its credentials hidden. */
export function formatFleetAddress({ nats, bucket }: NatsBucket): string {
  return formatAddress(nats, bucket);
}

/** `formatStreamAddress` returns the address with its credentials hidden. */
export function formatStreamAddress({ nats, subject }: NatsSubject): string {
  return formatAddress(nats, subject);
}

/** `streamName` returns the name of a stream in metrics and commands, without credentials. */
export function streamName({ nats, subject }: NatsSubject): string {
  return formatAddress({ ...nats, user: null }, subject);
}

function formatAddress(nats: NatsPlace, path: string): string {
  const credentials = nats.user === null ? '' : `${redacted}@`;
  return `${nats.secure ? 'tls' : 'nats'}://${credentials}${nats.servers.join(',')}/${path}`;
}

/** `formatPlanAddress` returns the address for messages, without credentials. */
export function formatPlanAddress({ nats, bucket, key }: NatsKey): string {
  return `nats-kv${nats.secure ? '+tls' : ''}://${nats.servers.join(',')}/${bucket}/${key}`;
}

function partsOf(text: string, schemes: readonly string[]): { nats: NatsPlace; path: string } | null {
  const [, scheme, credentials, hosts, path = ''] = shape.exec(text) ?? [];
  if (scheme === undefined || !schemes.includes(scheme)) return null;
  const servers = hosts.split(',').map(serverOf);
  const [user, password] = credentials === undefined ? [null, null] : credentialsOf(credentials);
  if (servers.includes(null) || user === '') return null;
  const secure = scheme.endsWith('tls');
  return { nats: { servers: servers as string[], secure, user, password }, path };
}

function serverOf(text: string): string | null {
  const [, host, port = String(defaultPort)] = server.exec(text) ?? [];
  return host === undefined || Number(port) > portMax || Number(port) === 0
    ? null
    : `${host}:${Number(port)}`;
}

function credentialsOf(text: string): [user: string, password: string | null] {
  const colon = text.indexOf(':');
  if (colon < 0) return [decoded(text), null];
  return [decoded(text.slice(0, colon)), decoded(text.slice(colon + 1))];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
