/**
 * Parses addresses to listen on (`host:port`, `[::1]:port`, `unix:/path`) and endpoints (`http://host:port`).
 * Hosts are not parsed by `URL`, which turns `127.1` and `0x7f000001` into other addresses.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Address, EndpointPlan } from '../core/plan.js';
import { Refusal } from './units.js';

const portMax = 65_535;
const httpPort = 80;
const httpsPort = 443;
const hostNameLengthMax = 253;
/** Bytes of a socket's path in `sockaddr_un` on Linux, without its final zero. */
const unixPathBytesMax = 107;

const hostName =
  /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;
const hostAndPort = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s;
const unixPrefix = 'unix:';

const addressExpected = 'expected an address such as 127.0.0.1:8080, [::1]:8080 or unix:/run/umbra.sock';
const endpointExpected =
  'expected an endpoint such as http://127.0.0.1:9080, http://[::1]:9080 or unix:/run/app.sock';

/** `parseAddress` reads an address to listen on. Port 0 asks the system for a free port. */
export function parseAddress(text: string): Address | Refusal {
  if (text.startsWith(unixPrefix)) return parseUnix(text);
  const parts = hostAndPort.exec(text);
  if (parts === null || parts[3] === undefined) return new Refusal(addressExpected);
  if (parts[2] === '') return new Refusal(`${addressExpected} (0.0.0.0 or [::] for every interface)`);
  const host = parseHost(parts[1], parts[2]);
  if (host === null) return new Refusal(addressExpected);
  const port = parsePort(parts[3], 0);
  return typeof port === 'number' ? { kind: 'tcp', host, port } : port;
}

export function parseEndpoint(text: string): EndpointPlan | Refusal {
  if (text.startsWith(unixPrefix)) {
    const address = parseUnix(text);
    return address instanceof Refusal
      ? address
      : { address, authority: 'localhost', secure: false, weight: 1 };
  }
  const [, scheme, rest] = /^(https?):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined || rest === undefined) return new Refusal(endpointExpected);
  const secure = scheme.toLowerCase() === 'https';
  const schemePort = secure ? httpsPort : httpPort;
  if (rest.includes('@')) return new Refusal(`an endpoint has no user or password: ${endpointExpected}`);
  const authority = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (/[/?#]/.test(authority)) {
    return new Refusal("an endpoint has no path, query or fragment: requests keep the client's target");
  }
  const parts = hostAndPort.exec(authority);
  const host = parts === null ? null : parseHost(parts[1], parts[2]);
  if (parts === null || host === null) return new Refusal(endpointExpected);
  const port = parts[3] === undefined ? schemePort : parsePort(parts[3], 1);
  if (typeof port !== 'number') return port;
  const address: Address = { kind: 'tcp', host, port };
  return {
    address,
    authority: port === schemePort ? bracketed(host) : formatAddress(address),
    secure,
    weight: 1,
  };
}

/** `parseAuthority` reads the Host field's value for a copy: a host with or without a port. */
export function parseAuthority(text: string): string | Refusal {
  const parts = hostAndPort.exec(text);
  const host = parts === null ? null : parseHost(parts[1], parts[2]);
  if (parts === null || host === null)
    return new Refusal('expected a host name such as reviews-next.example.com');
  const port = parts[3] === undefined ? null : parsePort(parts[3], 1);
  return port instanceof Refusal ? port : text;
}

/**
 * `parseNetwork` reads a network in CIDR notation, a single address, or `unix` for clients of a unix socket.
 */
export function parseNetwork(text: string): string | Refusal {
  const refusal = new Refusal('expected a network such as 10.0.0.0/8, an address, or unix');
  if (text === 'unix') return text;
  const [address, prefix, ...rest] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  if (bits === 0 || rest.length > 0 || address.includes('%')) return refusal;
  if (prefix === undefined) return text;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? text : refusal;
}

/** `parseServerName` reads a name for a TLS server: a host name, not an address. */
export function parseServerName(text: string): string | Refusal {
  const name = isIPv4(text) ? null : parseHost(undefined, text);
  return name ?? new Refusal('expected a host name such as reviews.internal');
}

/**
 * `parseHostMatch` reads the host of a route's match: lower case, and `*.example.com` for every name below
 * one.
 */
export function parseHostMatch(text: string): string | Refusal {
  const expected =
    'expected a host name such as reviews.example.com, *.example.com or 127.0.0.1, without a port';
  const lower = text.toLowerCase();
  const name = lower.startsWith('*.') ? lower.slice(2) : lower;
  if (name.startsWith('[') && name === lower) return isIPv6(name.slice(1, -1)) ? name : new Refusal(expected);
  if (parseHost(undefined, name) === null) return new Refusal(expected);
  return lower;
}

export function formatAddress(address: Address): string {
  return address.kind === 'unix' ? unixPrefix + address.path : `${bracketed(address.host)}:${address.port}`;
}

export function formatEndpoint({ address, secure }: EndpointPlan): string {
  if (address.kind === 'unix') return formatAddress(address);
  return `${secure ? 'https' : 'http'}://${formatAddress(address)}`;
}

export function isLoopback(address: Address): boolean {
  if (address.kind === 'unix') return true;
  return (
    address.host === 'localhost' ||
    address.host === '::1' ||
    (isIPv4(address.host) && address.host.startsWith('127.'))
  );
}

/**
 * `collide` returns true when two listeners can't both have their address. A wildcard takes the port of every
 * address.
 */
export function collide(a: Address, b: Address): boolean {
  if (a.kind === 'unix' || b.kind === 'unix')
    return a.kind === b.kind && formatAddress(a) === formatAddress(b);
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function parseUnix(text: string): Address | Refusal {
  const path = text.slice(unixPrefix.length);
  if (!path.startsWith('/') || path.includes('\0'))
    return new Refusal('expected an absolute path after unix:, such as unix:/run/umbra.sock');
  if (Buffer.byteLength(path) > unixPathBytesMax)
    return new Refusal(`is too long: a socket's path has at most ${unixPathBytesMax} bytes`);
  return { kind: 'unix', path };
}

/** `parseHost` gets either the text in brackets, or the text without brackets. */
function parseHost(inBrackets: string | undefined, plain: string): string | null {
  if (inBrackets !== undefined)
    return isIPv6(inBrackets) && !inBrackets.includes('%') ? canonicalIPv6(inBrackets) : null;
  if (/^[\d.]+$/.test(plain)) return isIPv4(plain) ? plain : null;
  return plain.length <= hostNameLengthMax && hostName.test(plain) ? plain.toLowerCase() : null;
}

/** `canonicalIPv6` returns one spelling for each address, so that `[0::1]` and `[::1]` compare equal. */
function canonicalIPv6(host: string): string {
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

function parsePort(text: string, portMin: number): number | Refusal {
  const port = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (port >= portMin && port <= portMax) return port;
  return new Refusal(`port \`${text.slice(0, 12)}\` is not a number from ${portMin} to ${portMax}`);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
