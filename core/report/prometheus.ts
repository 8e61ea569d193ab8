import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Diffs } from '../compare/diff-book.js';
import { threadFields } from '../record/thread-counters.js';
import { addDiffs } from './diff-metrics.js';
import { addEndpoints } from './endpoint-metrics.js';
import { addFleet } from './fleet-metrics.js';
import { counter, gauge } from './metric.js';
import { addComparisons, addMirrors, addSinks } from './mirror-metrics.js';
import type { Reading, ThreadReading } from './reading.js';
import { addSelf } from './self-metrics.js';
import { addVersions } from './version-metrics.js';

/** Gauges that are named like counters, which `promtool check metrics` refuses; the same by type are there without them. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** The default of 10 ms wakes an idle process a hundred times a second. */
const LOOP_SAMPLE_MS = 500;

/**
 * The page at `/metrics`, in the Prometheus text format. umbra's own metrics are built anew for each page, because they are
 * counted in shared memory and not here; the process defaults live as long as this object. Control thread only.
 */
export class PrometheusPage {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private readonly process = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.process, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
    for (const name of MISNAMED) this.process.removeSingleMetric(name);
  }

  async render(reading: Reading, diffs: Diffs | null = null): Promise<string> {
    const registry = new Registry();
    addVersions(registry, reading.versions);
    addEndpoints(registry, reading.endpoints, reading.names);
    addMirrors(registry, reading.mirrors);
    addSinks(registry, reading.mirrors);
    addComparisons(registry, reading.mirrors);
    if (diffs !== null) addDiffs(registry, diffs);
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
    addControl(registry, reading);
    addSelf(registry, reading);
    addFleet(registry, reading.control.fleet);
    return `${await registry.metrics()}\n${await this.process.metrics()}`;
  }
}

function addControl(registry: Registry, { control }: Reading): void {
  counter(registry, 'umbra_hlog_lines_total', 'Intervals written to histogram logs.', []).inc(
    control.histogramLog.lines,
  );
  counter(
    registry,
    'umbra_hlog_errors_total',
    'Writes to histogram logs that failed; the interval becomes part of the next one.',
    [],
  ).inc(control.histogramLog.errors);
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
