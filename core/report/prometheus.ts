import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Diffs } from '../compare/diff-book.js';
import { addDiffs } from './diff-metrics.js';
import { addEndpoints } from './endpoint-metrics.js';
import { addFleet } from './fleet-metrics.js';
import { addLiveChanges } from './live-metrics.js';
import { gauge } from './metric.js';
import { addMirrors } from './mirror-metrics.js';
import type { Reading } from './reading.js';
import { addSelf } from './self-metrics.js';
import { addVersions } from './version-metrics.js';

/**
 * Gauges with the names of counters, which `promtool check metrics` rejects. The same values by type have
 * other names.
 */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
/** The default of 10 ms would wake an idle process a hundred times a second. */
const LOOP_SAMPLE_MS = 500;

/**
 * The page at `/metrics`, in the Prometheus text format. umbra's own metrics are built for each page, because
 * they are counted in shared memory. The process metrics live as long as this object. Control thread only.
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
    if (diffs !== null) addDiffs(registry, diffs);
    const rings = gauge(
      registry,
      'umbra_ring_used_bytes',
      'Bytes in the ring from a proxy to a shadow or sink thread that are not read yet.',
      ['ring'],
    );
    for (const ring of reading.rings) rings.set({ ring: ring.name }, ring.usedBytes);
    gauge(registry, 'umbra_config_generation', 'Generation of the configuration that is in force.', []).set(
      reading.generation,
    );
    addSelf(registry, reading);
    addFleet(registry, reading.control.fleet);
    addLiveChanges(registry, reading.control.live);
    return `${await registry.metrics()}\n${await this.process.metrics()}`;
  }
}
