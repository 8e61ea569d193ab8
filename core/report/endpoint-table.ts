/** A table of a mirror's pairs by endpoint. Pure. */
import type { EndpointFigures } from '../verdict/endpoint-pairs.js';
import { countText, durationText, shareText } from './figures.js';

/** Further endpoints are counted in one line. */
const shownMax = 40;

export interface EndpointTable {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Endpoints without a row. */
  readonly more: number;
}

/** `endpointTable` makes the table. `primary` and `shadow` are names of versions. */
export function endpointTable(
  endpoints: readonly EndpointFigures[],
  primary: string,
  shadow: string,
): EndpointTable {
  const sides = [primary, shadow];
  return {
    heads: [
      'endpoint',
      'pairs',
      ...sides.map((name) => `${name} errors`),
      ...sides.flatMap((name) => [`${name} p50`, `${name} p99`]),
      'slower',
      'status differs',
      'differ',
    ],
    rows: endpoints.slice(0, shownMax).map(rowOf),
    more: Math.max(0, endpoints.length - shownMax),
  };
}

function rowOf(figures: EndpointFigures): string[] {
  const { endpoint, pairs, primaryErrors, shadowErrors, primaryUs, shadowUs, slower } = figures;
  const latencies = [primaryUs, shadowUs].flatMap(({ p50, p99 }) => [p50, p99]);
  return [
    endpoint,
    ...[pairs, primaryErrors, shadowErrors].map(countText),
    ...latencies.map((us) => (slower === null ? '-' : durationText(us))),
    slower === null ? '-' : `${slower < 0 ? '-' : '+'}${shareText(Math.abs(slower))}`,
    ...[figures.statusDifferent, figures.different].map(countText),
  ];
}
