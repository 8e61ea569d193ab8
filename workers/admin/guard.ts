/**
 * Access control of the admin API. The API can switch traffic, and on loopback it usually needs no token, so
 * the main threat is a web page in a browser on the same machine (docs/security.md):
 *
 *   - The page's name may be made to point to 127.0.0.1 (DNS rebinding). On loopback, only loopback's names
 *     are accepted in Host.
 *   - It may send requests without reading the answers. A change needs a content type that forms can't have,
 *     and no foreign Origin.
 *   - It may hold streams open and make work. A request that a browser marks as another site's is refused,
 *     unless it follows a link to the page.
 *   - A GET never changes anything.
 *
 * Every refusal is counted by the guard that made it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { nowUs } from '../../core/clock.js';
import { limits } from '../../core/limits.js';
import { RateBound } from '../../core/mirror/rate.js';
import type { Address } from '../../core/plan.js';
import type { RefusalReason } from '../../core/report/control-counts.js';
import type { AdminFigures } from './figures.js';
import { WrongTokens } from './wrong-tokens.js';

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
/** Paths that answer without a token, because probes have none. They only report up or down. */
const PROBES: readonly string[] = ['/healthz', '/readyz'];
/** The page, which asks the user for the token. Its files are the same for everybody. */
const PAGE = /^\/(dashboard\/[^/]*)?$/;
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** `isLocal` returns true when only this machine can reach the address. */
export function isLocal(address: Address): boolean {
  return address.kind === 'unix' || isLoopback(address.host);
}

/**
 * `checkHost` answers 421 to a Host field that is not a loopback name, while bound to loopback. Elsewhere the
 * token protects the API.
 */
export function checkHost(address: Address, figures: AdminFigures): MiddlewareHandler {
  if (address.kind === 'unix' || !isLoopback(address.host)) return (_, next) => next();
  const names = new Set([...LOOPBACK_NAMES, bracketed(address.host).toLowerCase()]);
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (names.has(hostName(host))) return next();
    return refuse(
      c,
      figures,
      'host',
      421,
      `the Host field ${JSON.stringify(host)} does not name this server`,
    );
  };
}

/**
 * `checkRate` answers 429 above the bounds on requests and on changes. Probes are always answered: a busy
 * umbra is not a dead one.
 */
export function checkRate(figures: AdminFigures): MiddlewareHandler {
  const requests = new RateBound(limits.adminRequestsPerSecond);
  const changes = new RateBound(limits.adminChangesPerSecond);
  return async (c, next) => {
    if (PROBES.includes(c.req.path)) return next();
    const at = nowUs();
    if (requests.take(at) && (SAFE_METHODS.includes(c.req.method) || changes.take(at))) return next();
    return refuse(c, figures, 'rate', 429, 'too many requests', { 'retry-after': '1' });
  };
}

/**
 * `checkToken` answers 401 without the right token. It compares digests, so that timing reveals neither the
 * token nor its length. An address with too many wrong tokens gets 429, even with the right token: guessing
 * is limited to one guess a second.
 */
export function checkToken(token: string | null, figures: AdminFigures): MiddlewareHandler {
  if (token === null) return (_, next) => next();
  const expected = digest(token);
  const wrong = new WrongTokens();
  return async (c, next) => {
    if (PROBES.includes(c.req.path) || PAGE.test(c.req.path)) return next();
    const client = clientOf(c);
    if (wrong.tooMany(client, nowUs())) {
      return refuse(c, figures, 'rate', 429, 'too many wrong tokens', { 'retry-after': '1' });
    }
    const given = /^Bearer +([^ ]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return next();
    // A request without a token is how a client learns that it needs one.
    if (given !== undefined) wrong.add(client, nowUs());
    return refuse(c, figures, 'token', 401, 'a token is required: Authorization: Bearer TOKEN', {
      'www-authenticate': 'Bearer realm="umbra"',
    });
  };
}

/** `checkOrigin` answers 403 to requests from a page of another origin. Only browsers send these fields. */
export function checkOrigin(figures: AdminFigures): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    const foreignOrigin = origin !== undefined && origin.replace(/^https?:\/\//, '') !== c.req.header('host');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (SAFE_METHODS.includes(c.req.method)) {
      if (!foreignSite || isLink(c)) return next();
      return refuse(c, figures, 'origin', 403, 'requests from other sites are refused');
    }
    if (!foreignOrigin && !foreignSite) return next();
    return refuse(c, figures, 'origin', 403, 'changes from other origins are refused');
  };
}

/** `checkContentType` answers 415 unless the body is declared as one of `types`. */
export function checkContentType(types: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const type = (c.req.header('content-type') ?? '').split(';')[0].trim().toLowerCase();
    if (!types.includes(type)) return c.json({ error: `content-type must be ${types.join(' or ')}` }, 415);
    return next();
  };
}

function refuse(
  c: Context,
  figures: AdminFigures,
  reason: RefusalReason,
  status: 401 | 403 | 421 | 429,
  error: string,
  headers: Record<string, string> = {},
): Response {
  figures.refused[reason]++;
  return c.json({ error }, status, headers);
}

/** `isLink` returns true when the browser's whole window opens the page, as when a person follows a link. */
function isLink(c: Context): boolean {
  return (
    PAGE.test(c.req.path) &&
    c.req.header('sec-fetch-mode') === 'navigate' &&
    c.req.header('sec-fetch-dest') === 'document'
  );
}

/** `clientOf` returns the remote address of the connection. All clients of a unix socket count as one. */
function clientOf(c: Context): string {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  return incoming?.socket.remoteAddress ?? '';
}

function isLoopback(host: string): boolean {
  const name = bracketed(host).toLowerCase();
  return LOOPBACK_NAMES.includes(name) || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** `bracketed` returns an IPv6 address as Host fields write it. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** `hostName` returns the Host field without its port, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
