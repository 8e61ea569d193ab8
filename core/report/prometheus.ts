import { collectDefaultMetrics, type OpenMetricsContentType, Registry } from 'prom-client';
import type { Diffs } from '../compare/diff-book.js';
import { addDiffs } from './diff-metrics.js';
import { addEndpoints } from './endpoint-metrics.js';
import { addFleet } from './fleet-metrics.js';
import { addGrpcMethods } from './grpc-methods.js';
import { addLiveChanges } from './live-metrics.js';
import { gauge } from './metric.js';
import { addMirrors } from './mirror-metrics.js';
import type { Reading } from './reading.js';
import { addRoutes } from './route-metrics.js';
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
const openMetrics: OpenMetricsContentType = Registry.OPENMETRICS_CONTENT_TYPE;
/** The last line of a page in OpenMetrics. */
const END = '# EOF\n';
/** The default of 10 ms would wake an idle process a hundred times a second. */
const LOOP_SAMPLE_MS = 500;

/**
 * The page at `/metrics`, in the Prometheus text format. umbra's own metrics are built for each page, because
 * they are counted in shared memory. The process metrics live as long as this object. Control thread only.
 */
export class PrometheusPage {
  private readonly process = processMetrics(new Registry());
  /** Created for the first page in OpenMetrics. */
  private processOpen: Registry<OpenMetricsContentType> | null = null;

  /** `contentTypeFor` returns OpenMetrics where `accept` names it, as Prometheus does by default. */
  contentTypeFor(accept: string): string {
    return accept.includes('application/openmetrics-text')
      ? Registry.OPENMETRICS_CONTENT_TYPE
      : Registry.PROMETHEUS_CONTENT_TYPE;
  }

  async render(
    reading: Reading,
    diffs: Diffs | null = null,
    contentType: string = Registry.PROMETHEUS_CONTENT_TYPE,
  ): Promise<string> {
    if (contentType === Registry.PROMETHEUS_CONTENT_TYPE) {
      const own = await this.own(new Registry(), reading, diffs).metrics();
      return `${own}\n${await this.process.metrics()}`;
    }
    this.processOpen ??= processMetrics(openRegistry());
    const own = await this.own(openRegistry(), reading, diffs).metrics();
    return `${own.slice(0, -END.length)}${await this.processOpen.metrics()}`;
  }

  private own<R extends Registry | Registry<OpenMetricsContentType>>(
    given: R,
    reading: Reading,
    diffs: Diffs | null,
  ): R {
    const registry = given as Registry;
    addRoutes(registry, reading.routes ?? [], reading.control.exemplars ?? []);
    addVersions(registry, reading.versions);
    addGrpcMethods(registry, reading.versions);
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
    return given;
  }
}

function openRegistry(): Registry<OpenMetricsContentType> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(openMetrics);
  return registry;
}

function processMetrics<R extends Registry | Registry<OpenMetricsContentType>>(register: R): R {
  collectDefaultMetrics({
    register: register as Registry,
    eventLoopMonitoringPrecision: LOOP_SAMPLE_MS,
  });
  for (const name of MISNAMED) register.removeSingleMetric(name);
  return register;
}
