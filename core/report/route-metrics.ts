import type { Registry } from 'prom-client';
import { ROUTE_BUCKETS_S } from '../record/route-counts.js';
import type { Exemplar } from './control-counts.js';
import { DerivedMetric } from './derived-metric.js';
import { counter } from './metric.js';
import type { RouteReading } from './reading.js';

const US_PER_S = 1e6;

/** `addRoutes` adds what clients got on each route. */
export function addRoutes(
  registry: Registry,
  routes: readonly RouteReading[],
  exemplars: readonly Exemplar[],
): void {
  if (routes.length === 0) return;
  const requests = counter(
    registry,
    'umbra_route_requests_total',
    'Requests of clients on the route that are over, by the status code that the client got (0: none) and by ' +
      'who answered: a version, or umbra in its own words (errors, redirects, faults on purpose).',
    ['route', 'code', 'source'],
  );
  const duration = new DerivedMetric(
    'umbra_route_request_duration_seconds',
    'Time from the whole head of a request of a client on the route to the end of its response.',
    'histogram',
    registry,
  );
  for (const { route, counts } of routes) {
    for (const [code, count] of counts.codes) requests.inc({ route, code, source: 'version' }, count);
    for (const [code, count] of counts.ownCodes) requests.inc({ route, code, source: 'umbra' }, count);
    const mine = exemplars.filter((exemplar) => exemplar.route === route);
    duration.addBuckets({ route }, ROUTE_BUCKETS_S, counts.buckets, counts.sumUs / US_PER_S, mine);
  }
}
