import type { Address, EndpointPlan, VersionPlan } from '../plan.js';

/**
 * One address of one endpoint, which connections are opened to. An endpoint with a name has one target for
 * each address that the name resolves to; an endpoint with an address or a socket has one. Plain data that
 * main sends to every thread.
 */
export interface Target {
  /** The configured endpoint. Its authority is sent in Host, and its host is the name for TLS. */
  readonly endpoint: EndpointPlan;
  /** An IP address with its port, or a socket, so that opening a connection needs no lookup. */
  readonly address: Address;
  /** A `HealthBlock`, or null when the version has no health checks. */
  readonly health: SharedArrayBuffer | null;
}

/** The targets of every version of a plan, by the version's name. */
export type Targets = ReadonlyMap<string, readonly Target[]>;

/**
 * `targetsAsWritten` returns each endpoint with its configured address. That is complete only if no endpoint
 * has a name.
 */
export function targetsAsWritten(plan: VersionPlan): Target[] {
  return plan.endpoints.map((endpoint) => ({ endpoint, address: endpoint.address, health: null }));
}

/** `addressText` returns `host:port`, `[host]:port` or `unix:PATH`. */
export function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  return b.kind === 'tcp' && a.host === b.host && a.port === b.port;
}

/** `sameEndpoint` returns true when two endpoints have the same configuration. */
export function sameEndpoint(a: EndpointPlan, b: EndpointPlan): boolean {
  return (
    a.authority === b.authority &&
    a.secure === b.secure &&
    a.weight === b.weight &&
    sameAddress(a.address, b.address)
  );
}
