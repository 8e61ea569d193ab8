import type { VersionPlan, VersionTlsPlan } from '../plan.js';
import { sameEndpoint } from './target.js';

/**
 * Whether a pool made for `a` serves `b` unchanged. Health checks and DNS belong to other threads and do not
 * count.
 */
export function samePoolPlan(a: VersionPlan, b: VersionPlan): boolean {
  return (
    a.name === b.name &&
    a.connectionsMax === b.connectionsMax &&
    a.idleMs === b.idleMs &&
    a.connectTimeoutMs === b.connectTimeoutMs &&
    a.queueMax === b.queueMax &&
    a.queueTimeoutMs === b.queueTimeoutMs &&
    a.slowStartMs === b.slowStartMs &&
    a.ejection.failures === b.ejection.failures &&
    a.ejection.errors === b.ejection.errors &&
    a.ejection.baseTimeMs === b.ejection.baseTimeMs &&
    a.ejection.maxTimeMs === b.ejection.maxTimeMs &&
    a.ejection.maxShareMillionths === b.ejection.maxShareMillionths &&
    sameTls(a.tls, b.tls) &&
    a.endpoints.length === b.endpoints.length &&
    a.endpoints.every((endpoint, i) => sameEndpoint(endpoint, b.endpoints[i]!))
  );
}

function sameTls(a: VersionTlsPlan | null, b: VersionTlsPlan | null): boolean {
  if (a === null || b === null) return a === b;
  const same = a.serverName === b.serverName && a.verify === b.verify;
  return same && a.ca?.pem === b.ca?.pem && a.cert?.pem === b.cert?.pem && a.key?.pem === b.key?.pem;
}
