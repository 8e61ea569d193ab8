import type { Address, EndpointPlan, VersionPlan } from '../plan.js';

/**
 * One address of one endpoint: what connections are opened to. An endpoint with a name has as many as the
 * name resolves to, an endpoint with an address or a socket has one. Plain data that main sends to every
 * thread.
 */
export interface Target {
  /** What was configured: its authority is sent in Host, its host is the name that TLS asks for. */
  readonly endpoint: EndpointPlan;
  /** An IP address with its port, or a socket: opening a connection to it looks no name up. */
  readonly address: Address;
  /** A `HealthBlock`; null where the version has no health checks. */
  readonly health: SharedArrayBuffer | null;
}

/** The targets of every version of a plan, by its name. */
export type Targets = ReadonlyMap<string, readonly Target[]>;

/** Each endpoint at the address that it was written with: right where no endpoint has a name. */
export function targetsAsWritten(plan: VersionPlan): Target[] {
  return plan.endpoints.map((endpoint) => ({ endpoint, address: endpoint.address, health: null }));
}

/** `host:port`, `[host]:port` or `unix:PATH`. */
export function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  return b.kind === 'tcp' && a.host === b.host && a.port === b.port;
}

/** Whether two endpoints were written alike. */
export function sameEndpoint(a: EndpointPlan, b: EndpointPlan): boolean {
  return (
    a.authority === b.authority &&
    a.secure === b.secure &&
    a.weight === b.weight &&
    sameAddress(a.address, b.address)
  );
}
