/** Compiles a checked version to its part of the plan. */
import type { HealthPlan, PemFile, VersionPlan, VersionTlsPlan } from '../core/plan.js';
import type { Config } from './schema.js';

export function compileVersion(name: string, version: Config['versions'][string]): VersionPlan {
  const { endpoints, protocol, streams, connections, dns, health, ejection, slowStart, tls } = version;
  return {
    name,
    protocol,
    streamsMax: streams.max,
    endpoints,
    connectionsMax: connections.max,
    idleMs: connections.idle,
    connectTimeoutMs: connections.connectTimeout,
    queueMax: connections.queue.max,
    queueTimeoutMs: connections.queue.timeout,
    dnsRefreshMs: dns.refresh,
    health: health === undefined ? null : compileHealth(health),
    ejection: {
      failures: ejection.failures,
      errors: ejection.errors,
      baseTimeMs: ejection.baseTime,
      maxTimeMs: ejection.maxTime,
      maxShareMillionths: ejection.maxPercent,
    },
    slowStartMs: slowStart,
    tls: tls === undefined ? null : compileTls(tls),
  };
}

function compileHealth(health: NonNullable<Config['versions'][string]['health']>): HealthPlan {
  return {
    grpc: health.grpc ?? null,
    path: health.path ?? '',
    host: health.host ?? null,
    intervalMs: health.interval,
    timeoutMs: health.timeout,
    healthyThreshold: health.healthyThreshold,
    unhealthyThreshold: health.unhealthyThreshold,
    statuses: health.statuses,
  };
}

function compileTls({
  ca,
  cert,
  key,
  serverName,
  verify,
}: NonNullable<Config['versions'][string]['tls']>): VersionTlsPlan {
  return { ca: pemOf(ca), cert: pemOf(cert), key: pemOf(key), serverName: serverName ?? null, verify };
}

/** `pemOf` returns null when no file is named. */
export function pemOf(file: { path: string; pem: string | null } | undefined): PemFile | null {
  return file === undefined ? null : { path: file.path, pem: file.pem ?? '' };
}
