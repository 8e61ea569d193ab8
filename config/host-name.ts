import { hostname } from 'node:os';

/** This machine's, as a name that can be a key on NATS. */
export function hostName(): string {
  return hostname().replace(/[^A-Za-z0-9_-]+/g, '-') || 'umbra';
}
