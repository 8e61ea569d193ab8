/** Plans and heads for the tests of routing, with everything left out that a test does not speak of. */
import { RequestHead } from '../../../core/http/message.js';
import {
  type EdgePlan,
  type FieldMatch,
  type MatchPlan,
  type MirrorPlan,
  pairsAlone,
  type RoutePlan,
  type SamplePlan,
} from '../../../core/plan.js';
import { RouteTable } from '../../../core/route/table.js';
import { atOnce } from '../../../core/steps.js';

export function route(match: Partial<MatchPlan>): RoutePlan {
  const all: MatchPlan = {
    host: null,
    port: null,
    scheme: null,
    path: null,
    methods: null,
    headers: [],
    cookies: [],
    queries: [],
    without: { headers: [], cookies: [], queries: [] },
  };
  return {
    name: 'route',
    slot: 0,
    matches: [{ ...all, ...match }],
    primaries: [{ version: 0, weight: 1, headers: null }],
    split: { by: 'random' },
    answer: null,
    rewrite: null,
    headers: null,
    cors: null,
    retries: null,
    fault: null,
    timeouts: { requestMs: 15_000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
    upgrades: ['websocket'],
    fallback: null,
    rollout: null,
    unreachableStatus: 502,
    guard: null,
    mirrors: [],
  };
}

/** The edge of a listener that changes nothing. */
export const edgeOff: EdgePlan = {
  forwarded: { mode: 'off', as: 'x-forwarded' },
  via: null,
  requestId: 'off',
  trusted: null,
  underscores: 'pass',
  normalizesPath: false,
  mergesSlashes: false,
};

export function mirrorPlan(changes: Partial<MirrorPlan> = {}): MirrorPlan {
  return {
    slot: 0,
    sink: null,
    to: 0,
    enabled: true,
    shareMillionths: 1_000_000,
    sample: { by: 'random' },
    methods: null,
    of: 'original',
    order: null,
    host: { kind: 'shadow' },
    rewrite: null,
    trace: 'keep',
    headers: { remove: [], set: [], add: [] },
    bodyBytesMax: 1024 * 1024,
    heldBytesMax: 64 * 1024 * 1024,
    responseBytesMax: 64 * 1024 * 1024,
    breaker: null,
    ratePerSecond: null,
    pipelining: 1,
    inFlightMax: 256,
    timeouts: { requestMs: 10_000, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
    capture: null,
    compare: pairsAlone,
    ...changes,
  };
}

export function field(kind: FieldMatch['kind'], name: string, value = ''): FieldMatch {
  return { kind, name, value };
}

export function request(parts: Partial<RequestHead>): RequestHead {
  return Object.assign(new RequestHead(), parts);
}

export function mirror(shareMillionths: number, sample: SamplePlan): MirrorPlan {
  return mirrorPlan({
    shareMillionths,
    sample,
    bodyBytesMax: 0,
    inFlightMax: 1,
    timeouts: { requestMs: 1, requestUntilEnd: false, firstByteMs: 0, idleMs: 0, totalMs: 0 },
  });
}

export function tableOf(routes: readonly RoutePlan[]): RouteTable {
  return atOnce(RouteTable.of(routes));
}
