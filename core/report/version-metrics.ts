import type { Registry } from 'prom-client';
import { total } from '../record/snapshot.js';
import { versionTable } from '../record/version-counters.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import { isPossible } from './possible.js';
import type { VersionReading } from './reading.js';
import { addTable } from './table-metrics.js';

/** Upper bounds of `umbra_request_duration_seconds` in seconds; each is accurate to a thousandth. */
const DURATION_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
/**
 * `code` of a request that ended without a complete response, and of a response with a code outside 100 to
 * 599.
 */
const CODE_NONE = '0';
const CODE_OTHER = 'other';
const LABELS = ['version', 'role'];

/**
 * `addVersions` adds the metrics of versions: the rows of their table, and figures that are derived from
 * rows.
 */
export function addVersions(registry: Registry, versions: readonly VersionReading[]): void {
  const requests = counter(
    registry,
    'umbra_requests_total',
    'Finished requests by status code of the version; code 0 is a request that failed without a whole response.',
    [...LABELS, 'code'],
  );
  const handshakes = counter(
    registry,
    'umbra_upstream_tls_handshakes_total',
    'TLS handshakes with endpoints of the version, by kind: full, or resumed from an earlier session.',
    [...LABELS, 'kind'],
  );
  const connections = gauge(
    registry,
    'umbra_upstream_connections',
    'Connections to the version by state: busy with a request, or idle in the pool.',
    [...LABELS, 'state'],
  );
  const clamped = counter(
    registry,
    'umbra_latency_clamped_total',
    'Requests whose latency is above 60 s and was counted as 60 s.',
    LABELS,
  );
  const duration = new DerivedMetric(
    'umbra_request_duration_seconds',
    'Time from the first byte sent to the version to the last byte received.',
    'histogram',
    registry,
  );
  for (const { name, role, counts, features } of versions) {
    const labels = { version: name, role };
    for (const [code, count] of counts.responses) requests.inc({ ...labels, code }, count);
    if (counts.responsesOther > 0) requests.inc({ ...labels, code: CODE_OTHER }, counts.responsesOther);
    requests.inc({ ...labels, code: CODE_NONE }, total(counts.failures));
    if (counts.handshakes > 0 || isPossible(features, 'umbra_upstream_tls_handshakes_total')) {
      handshakes.inc({ ...labels, kind: 'full' }, counts.handshakes - counts.handshakesResumed);
      handshakes.inc({ ...labels, kind: 'resumed' }, counts.handshakesResumed);
    }
    connections.set({ ...labels, state: 'busy' }, counts.connectionsOpen - counts.connectionsIdle);
    connections.set({ ...labels, state: 'idle' }, counts.connectionsIdle);
    if (counts.latency.clamped > 0) clamped.inc(labels, counts.latency.clamped);
    duration.addHistogram(labels, counts.latency, DURATION_BUCKETS_S);
  }
  addTable(
    registry,
    versionTable,
    LABELS,
    versions.map(({ name, role, counts, features }) => ({
      labels: { version: name, role },
      counts,
      features,
    })),
  );
}
