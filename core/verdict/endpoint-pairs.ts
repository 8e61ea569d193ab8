/**
 * The counts of the pairs of one endpoint: outcomes, and latencies in coarse steps. They are counts, so that
 * windows of time can be subtracted and instances added. Pure.
 */
import { matchesPattern } from '../compare/endpoints.js';
import { summed } from '../report/summed.js';
import { trimmedMean } from './location.js';
import { pairOutcomes } from './pair-counts.js';
import { Scale, SlotCounts } from './slot-counts.js';

/** Latencies in steps of 3 to 6 %. */
export const endpointScale = new Scale(16);

const histograms = ['ratio', 'primary', 'shadow'] as const;

/** The fields of `PairCounts` (pair-counts) that are kept by endpoint; `endpoint` is `GET /users/*`. */
export type EndpointPairs = {
  readonly endpoint: string;
  /** When the counts of its mirror began, wall clock. */
  readonly sinceMs: number;
} & {
  readonly [K in (typeof pairOutcomes)[number]]: number;
} & { readonly [K in (typeof histograms)[number]]: SlotCounts };

export const noEndpointPairs: EndpointPairs = {
  endpoint: '',
  sinceMs: 0,
  bothOk: 0,
  shadowErrors: 0,
  primaryErrors: 0,
  bothErrors: 0,
  different: 0,
  statusDifferent: 0,
  ratio: SlotCounts.none,
  primary: SlotCounts.none,
  shadow: SlotCounts.none,
};

/** What a person reads of an endpoint. Latencies are of pairs without an error, in microseconds. */
export interface EndpointFigures {
  readonly endpoint: string;
  readonly pairs: number;
  readonly primaryErrors: number;
  readonly shadowErrors: number;
  /** Pairs without an error that differ in anything compared, and in the status. */
  readonly different: number;
  readonly statusDifferent: number;
  readonly primaryUs: { readonly p50: number; readonly p99: number };
  readonly shadowUs: { readonly p50: number; readonly p99: number };
  /** How much longer the shadow took in general, of the primary's latency; null without a pair. */
  readonly slower: number | null;
}

export function figuresOf(pairs: EndpointPairs): EndpointFigures {
  const { endpoint, bothOk, shadowErrors, primaryErrors, bothErrors, different, statusDifferent } = pairs;
  const { ratio, primary, shadow } = pairs;
  const quantiles = (counts: SlotCounts) => ({
    p50: counts.quantileUs(0.5, endpointScale),
    p99: counts.quantileUs(0.99, endpointScale),
  });
  return {
    endpoint,
    pairs: bothOk + shadowErrors + primaryErrors + bothErrors,
    primaryErrors: primaryErrors + bothErrors,
    shadowErrors: shadowErrors + bothErrors,
    different,
    statusDifferent,
    primaryUs: quantiles(primary),
    shadowUs: quantiles(shadow),
    slower: ratio.count === 0 ? null : Math.expm1(trimmedMean(ratio).log),
  };
}

/** The figures of all endpoints, most pairs first. */
export function endpointsByPairs(all: readonly EndpointPairs[]): EndpointFigures[] {
  return all.map(figuresOf).sort((a, b) => b.pairs - a.pairs);
}

/** Adds up endpoints of the same name, of several instances. */
export function addEndpoints(all: readonly EndpointPairs[]): EndpointPairs[] {
  return summed(
    all,
    ({ endpoint }) => endpoint,
    (a, b) =>
      combined(
        a,
        b,
        (x, y) => x + y,
        (x, y) => x.add(y),
      ),
  );
}

/**
 * What came between two looks. An endpoint that was learned to be part of a wider one meanwhile is subtracted
 * from that. Where the counts began later, the control thread was replaced, and what came since is there.
 */
export function subtractEndpoints(
  later: readonly EndpointPairs[],
  earlier: readonly EndpointPairs[],
): EndpointPairs[] {
  const names = new Set(later.map(({ endpoint }) => endpoint));
  const before = new Map<string, EndpointPairs>();
  for (const pairs of earlier) {
    const name = names.has(pairs.endpoint)
      ? pairs.endpoint
      : later.find(({ endpoint }) => covers(endpoint, pairs.endpoint))?.endpoint;
    if (name === undefined) continue;
    before.set(
      name,
      addEndpoints([...(before.has(name) ? [before.get(name)!] : []), { ...pairs, endpoint: name }])[0],
    );
  }
  return later.flatMap((pairs) => {
    const known = before.get(pairs.endpoint);
    if (known === undefined || known.sinceMs !== pairs.sinceMs) return [pairs];
    const left = combined(
      pairs,
      known,
      (x, y) => Math.max(0, x - y),
      (x, y) => x.subtract(y),
    );
    return pairOutcomes.some((name) => left[name] > 0) ? [left] : [];
  });
}

function covers(wider: string, narrower: string): boolean {
  const [[method, pattern], [other, path]] = [wider.split(' ', 2), narrower.split(' ', 2)];
  return method === other && matchesPattern(pattern ?? '', path ?? '');
}

function combined(
  a: EndpointPairs,
  b: EndpointPairs,
  ofNumbers: (x: number, y: number) => number,
  ofSlots: (x: SlotCounts, y: SlotCounts) => SlotCounts,
): EndpointPairs {
  return {
    endpoint: a.endpoint,
    sinceMs: a.sinceMs,
    ...(Object.fromEntries(pairOutcomes.map((name) => [name, ofNumbers(a[name], b[name])])) as Record<
      (typeof pairOutcomes)[number],
      number
    >),
    ...(Object.fromEntries(histograms.map((name) => [name, ofSlots(a[name], b[name])])) as Record<
      (typeof histograms)[number],
      SlotCounts
    >),
  };
}
