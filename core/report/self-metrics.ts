/** umbra's own state as metrics: its threads, its histogram logs, and what its admin server rejects. */
import type { Registry } from 'prom-client';
import { ThreadField, threadTable } from '../record/thread-counters.js';
import {
  type AdminCounts,
  type HistogramLogCounts,
  refusalReasons,
  type TracingCounts,
} from './control-counts.js';
import { counter, countersBy, gauge } from './metric.js';
import type { Reading, ThreadReading } from './reading.js';
import { addTable } from './table-metrics.js';

export function addSelf(registry: Registry, reading: Reading): void {
  const { threads, control } = reading;
  addThreads(registry, threads);
  addHistogramLog(registry, control.histogramLog);
  addAdmin(registry, control.admin);
  addTracing(registry, control.tracing);
  addConfiguration(registry, reading);
}

function addConfiguration(registry: Registry, { engine, control }: Reading): void {
  const { build, reload, certificates } = control;
  if (build === null) return;
  gauge(
    registry,
    'umbra_build_info',
    'Always 1. The labels are the version of umbra, the commit that it was built from, the release of Node and the engine.',
    ['version', 'commit', 'node', 'engine'],
  ).set({ ...build, engine }, 1);
  gauge(
    registry,
    'umbra_config_last_reload_successful',
    'Whether the last reload of the configuration was applied (1), or refused because it has errors (0). The running configuration then stays in force.',
    [],
  ).set(reload.ok ? 1 : 0);
  gauge(
    registry,
    'umbra_config_last_reload_success_timestamp_seconds',
    'When a configuration was last applied by the start or a reload, in seconds since 1970.',
    [],
  ).set(reload.appliedMs / MS_PER_S);
  if (certificates.length === 0) return;
  const expiry = gauge(
    registry,
    'umbra_certificate_expiry_timestamp_seconds',
    'When a certificate that umbra shows expires, in seconds since 1970; the first of its chain to do so. use="listener": to clients; use="version": to endpoints that ask for one.',
    ['use', 'name'],
  );
  for (const { use, name, expiresMs } of certificates) expiry.set({ use, name }, expiresMs / MS_PER_S);
}

const MS_PER_S = 1000;

function addTracing(registry: Registry, { exported, dropped }: TracingCounts): void {
  if (exported + dropped.queue + dropped.receiver === 0) return;
  counter(
    registry,
    'umbra_trace_spans_exported_total',
    'Spans that the receiver of traces has taken.',
    [],
  ).inc(exported);
  const { queue, receiver } = dropped;
  countersBy(
    registry,
    'umbra_trace_spans_dropped_total',
    'Spans that did not reach the receiver of traces: too many waited (queue), or it failed (receiver).',
    'reason',
    { queue, receiver },
  );
}

function addThreads(registry: Registry, threads: readonly ThreadReading[]): void {
  addTable(
    registry,
    threadTable,
    ['thread'],
    threads.map(({ name, counts }) => ({
      labels: { thread: name },
      counts: Object.fromEntries(Object.entries(ThreadField).map(([name, index]) => [name, counts[index]])),
    })),
  );
}

function addHistogramLog(registry: Registry, { lines, errors }: HistogramLogCounts): void {
  counter(registry, 'umbra_hlog_lines_total', 'Intervals written to histogram logs.', []).inc(lines);
  counter(
    registry,
    'umbra_hlog_errors_total',
    'Writes to histogram logs that failed; the interval becomes part of the next one.',
    [],
  ).inc(errors);
}

function addAdmin(registry: Registry, admin: AdminCounts): void {
  gauge(registry, 'umbra_admin_streams', 'Clients that read /api/stream now.', []).set(admin.streams);
  const refused = counter(
    registry,
    'umbra_admin_refused_total',
    'Requests to the admin API that were rejected, by the guard that rejected them.',
    ['reason'],
  );
  for (const reason of refusalReasons) refused.inc({ reason }, admin.refused[reason]);
  counter(
    registry,
    'umbra_admin_streams_refused_total',
    'Requests for /api/stream rejected because too many clients were reading it.',
    [],
  ).inc(admin.streamsRefused);
  counter(
    registry,
    'umbra_admin_streams_stalled_total',
    'Readers of /api/stream disconnected because they read nothing.',
    [],
  ).inc(admin.streamsStalled);
  counter(
    registry,
    'umbra_admin_snapshots_skipped_total',
    'Snapshots of /api/stream not sent to a reader because it had not read the one before.',
    [],
  ).inc(admin.snapshotsSkipped);
}
