import type { Registry } from 'prom-client';
import { counter, gauge } from './metric.js';
import type { EndpointReading, NameReading } from './reading.js';

/** `addEndpoints` adds the addresses of versions and the results of their health checks as metrics. */
export function addEndpoints(
  registry: Registry,
  endpoints: readonly EndpointReading[],
  names: readonly NameReading[],
): void {
  const by = ['version', 'endpoint', 'address'];
  const healthy = gauge(
    registry,
    'umbra_upstream_endpoint_healthy',
    'Whether an address with health checks may be used: 1 while it is healthy or not checked yet, 0 while it is unhealthy.',
    by,
  );
  const checks = counter(
    registry,
    'umbra_upstream_health_checks_total',
    'Health checks of an address of the version, by result.',
    [...by, 'result'],
  );
  const addresses = gauge(
    registry,
    'umbra_upstream_dns_addresses',
    'Addresses in use of a host name in an endpoint; 0 until it resolves.',
    ['name'],
  );
  const lookups = counter(
    registry,
    'umbra_upstream_dns_lookups_total',
    'DNS lookups of a host name in an endpoint, by result. After a failed one the last good addresses stay in use.',
    ['name', 'result'],
  );

  for (const { version, endpoint, address, health } of endpoints) {
    if (health === null) continue;
    const labels = { version, endpoint, address };
    healthy.set(labels, health.state === 'unhealthy' ? 0 : 1);
    checks.inc({ ...labels, result: 'passed' }, health.passed);
    checks.inc({ ...labels, result: 'failed' }, health.failed);
  }
  for (const { name, addresses: count, lookups: all, failures } of names) {
    addresses.set({ name }, count);
    lookups.inc({ name, result: 'ok' }, all - failures);
    lookups.inc({ name, result: 'failed' }, failures);
  }
}
