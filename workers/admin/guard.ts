/**
 * Who may talk to the admin API. It can switch traffic, and on loopback it usually stands open, so a web page in a
 * browser on the same machine is the attacker to think of:
 *
 *   - its name may be made to point to 127.0.0.1 (DNS rebinding): on loopback, only loopback's names are believed in Host;
 *   - it may send requests blindly: what changes state needs a content type that forms can't have, and no foreign Origin;
 *   - a GET never changes anything.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Address } from '../../core/plan.js';

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
/** Paths that answer without a token, because probes carry none; they tell no more than up or down. */
const OPEN_PATHS: readonly string[] = ['/healthz', '/readyz'];
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** Only this machine can reach the address. */
export function isLocal(address: Address): boolean {
  return address.kind === 'unix' || isLoopback(address.host);
}

/** 421 for a Host field that is not a name of loopback, while bound to loopback. Elsewhere the token protects. */
export function checkHost(address: Address): MiddlewareHandler {
  if (address.kind === 'unix' || !isLoopback(address.host)) return (_, next) => next();
  const names = new Set([...LOOPBACK_NAMES, bracketed(address.host).toLowerCase()]);
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (!names.has(hostName(host))) {
      return c.json({ error: `the Host field ${JSON.stringify(host)} does not name this server` }, 421);
    }
    return next();
  };
}

/** 401 without the right token. Compares digests, so the time taken tells neither the token nor its length. */
export function checkToken(token: string | null): MiddlewareHandler {
  if (token === null) return (_, next) => next();
  const expected = digest(token);
  return async (c, next) => {
    if (OPEN_PATHS.includes(c.req.path)) return next();
    const given = /^Bearer +([^ ]+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (given === undefined || !timingSafeEqual(digest(given), expected)) {
      return c.json({ error: 'a token is required: Authorization: Bearer TOKEN' }, 401, {
        'www-authenticate': 'Bearer realm="umbra"',
      });
    }
    return next();
  };
}

/** 403 for a change that a page of another origin asks for. Tools other than browsers send neither field. */
export function checkOrigin(): MiddlewareHandler {
  return async (c, next) => {
    if (SAFE_METHODS.includes(c.req.method)) return next();
    const origin = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    const foreignOrigin = origin !== undefined && origin.replace(/^https?:\/\//, '') !== c.req.header('host');
    const foreignSite = site !== undefined && site !== 'same-origin' && site !== 'none';
    if (foreignOrigin || foreignSite) return c.json({ error: 'changes from other origins are refused' }, 403);
    return next();
  };
}

/** 415 unless the body is declared as one of `types`. */
export function checkContentType(types: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const type = (c.req.header('content-type') ?? '').split(';')[0].trim().toLowerCase();
    if (!types.includes(type)) return c.json({ error: `content-type must be ${types.join(' or ')}` }, 415);
    return next();
  };
}

function isLoopback(host: string): boolean {
  const name = bracketed(host).toLowerCase();
  return LOOPBACK_NAMES.includes(name) || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** An IPv6 address as Host fields write it. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The Host field without its port, lower case. */
function hostName(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
