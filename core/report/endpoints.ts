/** The body of `GET /api/endpoints`. Its names are a contract: add, never rename. */
import { type EndpointFigures, endpointsByPairs } from '../verdict/endpoint-pairs.js';
import { isBaseline, type Reading } from './reading.js';

export interface MirrorEndpoints {
  readonly route: string;
  readonly version: string;
  /** The versions that answer on the route, as one label; null when the route has left the configuration. */
  readonly primary: string | null;
  /** Pairs whose counts were lost because the control thread was behind. */
  readonly lost: number;
  /** Counts since the control thread started, most pairs first. */
  readonly endpoints: readonly EndpointFigures[];
}

export function endpointsOf({ mirrors }: Reading): MirrorEndpoints[] {
  return mirrors
    .filter((mirror) => !isBaseline(mirror) && !mirror.isSink)
    .map(({ route, to, primary, counts, endpoints }) => ({
      route,
      version: to,
      primary,
      lost: counts.lostByEndpoint,
      endpoints: endpointsByPairs(endpoints),
    }));
}
