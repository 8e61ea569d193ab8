/** The latest failure of each endpoint in each role, as reports show it. Plain data. */
import { isoTime } from '../clock.js';
import { causeCodes, causeText } from '../endpoint-cause.js';
import type { Role } from './observed.js';

export interface EndpointErrorCount {
  readonly version: string;
  readonly role: Role;
  /** `host:port` with an IP address, or a socket's path. */
  readonly address: string;
  /** An index of `causes`. */
  readonly cause: number;
  readonly errno: string;
  /** When it was, in milliseconds since 1970. */
  readonly atMs: number;
  /** Failures of this endpoint in this role for any cause, since the process started. */
  readonly count: number;
}
export type EndpointErrors = readonly EndpointErrorCount[];

/** The latest failure of an endpoint, as `/api/stats` shows it. */
export interface LastError {
  readonly role: Role;
  readonly cause: string;
  /** The code of the system, of Node or of OpenSSL; null where there was none. */
  readonly errno: string | null;
  readonly message: string;
  readonly at: string;
  readonly count: number;
}

/** `lastErrorOf` returns the latest error of an address in either role, or null. */
export function lastErrorOf(errors: EndpointErrors, version: string, address: string): LastError | null {
  let last: EndpointErrorCount | null = null;
  for (const error of errors) {
    if (error.version !== version || error.address !== address) continue;
    if (last === null || error.atMs > last.atMs) last = error;
  }
  if (last === null) return null;
  const { role, cause, errno, atMs, count } = last;
  return {
    role,
    cause: causeCodes[cause] ?? 'other',
    errno: errno === '' ? null : errno,
    message: causeText({ cause, errno }),
    at: isoTime(atMs),
    count,
  };
}
