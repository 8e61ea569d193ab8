import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { dropReasons, failureReasons } from '../errors.js';
import { accountingGap } from '../record/law.js';
import { threadFields } from '../record/thread-ledger.js';
import { DerivedMetric } from './derived-metric.js';
import type { MirrorReading, Reading, ThreadReading, VersionReading } from './reading.js';

/** Upper bounds of `umbra_request_duration_seconds`; each is sharp to a thousandth. */
const DURATION_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
/** `code` of a request that ended without a whole response, and of a response with a code not from 100 to 599. */
const CODE_NONE = '0';
const CODE_OTHER = 'other';

/**
 * The page at `/metrics`, in the Prometheus text format. umbra's own metrics are built anew for each page, because they are
 * counted in shared memory and not here; the process defaults live as long as this object. Control thread only.
 */
export class PrometheusPage {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly process = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.process });
  }

  async render(reading: Reading): Promise<string> {
    const registry = new Registry();
    addVersions(registry, reading.versions);
    addMirrors(registry, reading.mirrors);
    addComparisons(registry, reading.mirrors);
    addThreads(registry, reading.threads);
    const rings = gauge(
      registry,
      'umbra_ring_used_bytes',
      'Bytes in a ring that its shadow thread has not read.',
      ['ring'],
    );
    for (const ring of reading.rings) rings.set({ ring: ring.name }, ring.usedBytes);
    gauge(registry, 'umbra_config_generation', 'Generation of the configuration that is in force.', []).set(
      reading.generation,
    );
    return `${await registry.metrics()}\n${await this.process.metrics()}`;
  }
}

function addVersions(registry: Registry, versions: readonly VersionReading[]): void {
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
    'Requests sent once more because a reused connection had died.',
    by,
  );
  const sent = counter(registry, 'umbra_upstream_sent_bytes_total', 'Bytes sent to the version.', by);
  const received = counter(
    registry,
    'umbra_upstream_received_bytes_total',
    'Bytes received from the version.',
    by,
  );
  const connections = gauge(
    registry,
    'umbra_upstream_connections',
    'Connections to the version: busy with a request, or idle in the pool.',
    [...by, 'state'],
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
    requests.inc(
      { ...labels, code: CODE_NONE },
      counts.failures.reduce((a, b) => a + b),
    );
    failureReasons.forEach((reason, i) => {
      failures.inc({ ...labels, reason }, counts.failures[i]);
    });
    retries.inc(labels, counts.retries);
    sent.inc(labels, counts.bytesSent);
    received.inc(labels, counts.bytesReceived);
    connections.set({ ...labels, state: 'busy' }, counts.connectionsOpen - counts.connectionsIdle);
    connections.set({ ...labels, state: 'idle' }, counts.connectionsIdle);
    clamped.inc(labels, counts.latency.clamped);
    duration.addHistogram(labels, counts.latency, DURATION_BUCKETS_S);
    latency.addSummary(labels, counts.latency);
    firstByte.addSummary(labels, counts.firstByte);
  }
}

function addMirrors(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = ['route', 'version', 'role'];
  const share = gauge(
    registry,
    'umbra_mirror_share_ratio',
    'Share of the route that is copied, 0 to 1; 0 while the mirror is off.',
    by,
  );
  const eligible = counter(
    registry,
    'umbra_mirror_eligible_total',
    'Requests chosen to be mirrored: each is sent or dropped.',
    by,
  );
  const sent = counter(
    registry,
    'umbra_mirror_sent_total',
    'Mirrored requests sent: each completes or fails.',
    by,
  );
  const completed = counter(
    registry,
    'umbra_mirror_completed_total',
    'Mirrored requests whose response came whole.',
    by,
  );
  const dropped = counter(
    registry,
    'umbra_mirror_dropped_total',
    'Mirrored requests given up before they were sent, by reason.',
    [...by, 'reason'],
  );
  const failed = counter(
    registry,
    'umbra_mirror_failed_total',
    'Mirrored requests sent that did not complete, by reason.',
    [...by, 'reason'],
  );
  const inFlight = gauge(
    registry,
    'umbra_mirror_in_flight',
    'Mirrored requests sent that have neither completed nor failed.',
    by,
  );
  const queue = new DerivedMetric(
    'umbra_mirror_queue_seconds',
    'Time in the ring, since the start.',
    'summary',
    registry,
  );
  const gap = gauge(
    registry,
    'umbra_accounting_gap',
    'Mirrored requests that no counter accounts for. sum="eligible": eligible - sent - dropped, under load what waits in rings. sum="sent": sent - completed - failed - in flight. Both are 0 at rest, or umbra has a fault.',
    [...by, 'sum'],
  );

  for (const { route, to, enabled, percent, counts } of mirrors) {
    const labels = { route, version: to, role: 'shadow' };
    share.set(labels, enabled ? percent / 100 : 0);
    eligible.inc(labels, counts.eligible);
    sent.inc(labels, counts.sent);
    completed.inc(labels, counts.completed);
    dropReasons.forEach((reason, i) => {
      dropped.inc({ ...labels, reason }, counts.dropped[i]);
    });
    failureReasons.forEach((reason, i) => {
      failed.inc({ ...labels, reason }, counts.failed[i]);
    });
    inFlight.set(labels, counts.inFlight);
    queue.addSummary(labels, counts.queue);
    const { unsent, unfinished } = accountingGap(counts);
    gap.set({ ...labels, sum: 'eligible' }, unsent);
    gap.set({ ...labels, sum: 'sent' }, unfinished);
  }
}

function addComparisons(registry: Registry, mirrors: readonly MirrorReading[]): void {
  const by = ['route', 'version', 'role'];
  const compared = counter(
    registry,
    'umbra_mirror_compared_total',
    'Pairs of a primary and a shadow response, by result.',
    [...by, 'result'],
  );
  const status = counter(
    registry,
    'umbra_mirror_status_different_total',
    'Of the different pairs, those whose status codes differ.',
    by,
  );
  const delta = new DerivedMetric(
    'umbra_mirror_delta_seconds',
    "The shadow's latency less the primary's, request by request, since the start; negative where the shadow was faster.",
    'summary',
    registry,
  );

  for (const { route, to, counts } of mirrors) {
    const labels = { route, version: to, role: 'shadow' };
    compared.inc({ ...labels, result: 'equal' }, counts.equal);
    compared.inc({ ...labels, result: 'different' }, counts.different);
    status.inc(labels, counts.statusDifferent);
    delta.addSignedSummary(labels, counts.deltaFaster, counts.deltaSlower);
  }
}

function addThreads(registry: Registry, threads: readonly ThreadReading[]): void {
  threadFields.forEach(({ kind, metric, help }, i) => {
    if (kind === 'gauge') {
      const values = gauge(registry, metric, help, ['thread']);
      for (const { name, counts } of threads) values.set({ thread: name }, counts[i]);
    } else {
      const values = counter(registry, metric, help, ['thread']);
      for (const { name, counts } of threads) values.inc({ thread: name }, counts[i]);
    }
  });
}

function counter(registry: Registry, name: string, help: string, labelNames: string[]): Counter<string> {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

function gauge(registry: Registry, name: string, help: string, labelNames: string[]): Gauge<string> {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}
