import { hostname } from 'node:os';

/** `hostName` returns the name of this machine in characters that NATS allows in keys. */
export function hostName(): string {
  return hostname().replace(/[^A-Za-z0-9_-]+/g, '-') || 'umbra';
}
