import type { Registry } from 'prom-client';
import { failureReasons } from '../errors.js';
import { total } from '../record/snapshot.js';
import { DerivedMetric } from './derived-metric.js';
import { counter, gauge } from './metric.js';
import type { VersionReading } from './reading.js';

/** Upper bounds of `umbra_request_duration_seconds`; each is sharp to a thousandth. */
const DURATION_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
/** `code` of a request that ended without a whole response, and of a response with a code not from 100 to 599. */
const CODE_NONE = '0';
const CODE_OTHER = 'other';

/** What umbra measures of versions, as metrics. */
export function addVersions(registry: Registry, versions: readonly VersionReading[]): void {
  const by = ['version', 'role'];
  const requests = counter(
    registry,
    'umbra_requests_total',
    'Finished requests by status code of the version; code 0 is a request that failed without a whole response.',
    [...by, 'code'],
  );
  const failures = counter(
    registry,
    'umbra_upstream_failures_total',
    'Requests that ended without a whole response, by reason.',
    [...by, 'reason'],
  );
  const retries = counter(
    registry,
    'umbra_upstream_retries_total',
    'Times that a request was sent again: a reused connection had died, or `retries` of its route asked for it.',
    by,
  );
  const exhausted = counter(
    registry,
    'umbra_upstream_retries_exhausted_total',
    'Requests that had used all retries of their route and would have been sent once more.',
    by,
  );
  const handshakes = counter(
    registry,
    'umbra_upstream_tls_handshakes_total',
    'TLS handshakes with endpoints of the version: full, or resumed from an earlier session.',
    [...by, 'kind'],
  );
  const sent = counter(
    registry,
    'umbra_upstream_sent_bytes_total',
    'Bytes of request bodies sent to the version, without framing.',
    by,
  );
  const received = counter(
    registry,
    'umbra_upstream_received_bytes_total',
    'Bytes of response bodies received from the version, without framing.',
    by,
  );
  const connections = gauge(
    registry,
    'umbra_upstream_connections',
    'Connections to the version: busy with a request, or idle in the pool.',
    [...by, 'state'],
  );
  const waiting = gauge(registry, 'umbra_upstream_queue_length', 'Requests that wait for a connection.', by);
  const queueFull = counter(
    registry,
    'umbra_upstream_queue_full_total',
    'Requests refused because too many were waiting for a connection.',
    by,
  );
  const queueTimeouts = counter(
    registry,
    'umbra_upstream_queue_timeouts_total',
    'Requests that waited too long for a connection.',
    by,
  );
  const ejected = gauge(
    registry,
    'umbra_upstream_ejected_endpoints',
    'Addresses left out for what they did to requests; each thread judges for itself, and this is the sum over threads.',
    by,
  );
  const ejections = counter(
    registry,
    'umbra_upstream_ejections_total',
    'Times that a thread began to leave an address out.',
    by,
  );
  const clamped = counter(
    registry,
    'umbra_latency_clamped_total',
    'Latencies above 60 s, counted as 60 s.',
    by,
  );
  const duration = new DerivedMetric(
    'umbra_request_duration_seconds',
    'From the first byte sent to the version to the last byte received.',
    'histogram',
    registry,
  );
  const latency = new DerivedMetric(
    'umbra_latency_seconds',
    'The same as quantiles since the start, exact to three digits.',
    'summary',
    registry,
  );
  const firstByte = new DerivedMetric(
    'umbra_first_byte_seconds',
    'From the first byte sent to the version to the first byte received, since the start.',
    'summary',
    registry,
  );

  for (const { name, role, counts } of versions) {
    const labels = { version: name, role };
    for (const [code, count] of counts.responses) requests.inc({ ...labels, code }, count);
    if (counts.responsesOther > 0) requests.inc({ ...labels, code: CODE_OTHER }, counts.responsesOther);
    requests.inc({ ...labels, code: CODE_NONE }, total(counts.failures));
    failureReasons.forEach((reason, i) => {
      failures.inc({ ...labels, reason }, counts.failures[i]);
    });
    retries.inc(labels, counts.retries);
    exhausted.inc(labels, counts.retriesExhausted);
    handshakes.inc({ ...labels, kind: 'full' }, counts.handshakes - counts.handshakesResumed);
    handshakes.inc({ ...labels, kind: 'resumed' }, counts.handshakesResumed);
    sent.inc(labels, counts.bytesSent);
    received.inc(labels, counts.bytesReceived);
    connections.set({ ...labels, state: 'busy' }, counts.connectionsOpen - counts.connectionsIdle);
    connections.set({ ...labels, state: 'idle' }, counts.connectionsIdle);
    waiting.set(labels, counts.waiting);
    queueFull.inc(labels, counts.queueRefused);
    queueTimeouts.inc(labels, counts.queueTimeouts);
    ejected.set(labels, counts.ejected);
    ejections.inc(labels, counts.ejections);
    clamped.inc(labels, counts.latency.clamped);
    duration.addHistogram(labels, counts.latency, DURATION_BUCKETS_S);
    latency.addSummary(labels, counts.latency);
    firstByte.addSummary(labels, counts.firstByte);
  }
}
