/** Compiles a checked mirror to its part of the plan. */

import { safeMethods } from '../core/http/safe-methods.js';
import {
  type BreakerPlan,
  type MirrorPlan,
  nothingCompared,
  type OrderPlan,
  type PathChange,
  pairsAlone,
  type TimeoutsPlan,
} from '../core/plan.js';
import { hashed } from '../core/route/hash.js';
import { compileCompare } from './compile-compare.js';
import { compileSink } from './compile-sink.js';
import { compileEdits } from './compile-way.js';
import type { MatchConfig, MirrorConfig, RouteConfig } from './schema.js';
import { isSinkTarget } from './sink-target.js';

/** `to` of a mirror with a sink. */
const noVersion = -1;

/**
 * `compileMirror` returns the plan of one mirror. `nextSlot` assigns its counters, and those of its baseline.
 */
export function compileMirror(
  mirror: MirrorConfig,
  route: Pick<RouteConfig, 'match'>,
  ofRoute: TimeoutsPlan,
  versions: ReadonlyMap<string, number>,
  nextSlot: () => number,
): MirrorPlan {
  const plan: MirrorPlan = {
    slot: nextSlot(),
    to: isSinkTarget(mirror.to) ? noVersion : versions.get(mirror.to)!,
    sink: null,
    enabled: mirror.enabled,
    shareMillionths: mirror.percent,
    sample: mirror.sample,
    methods: compileMethods(mirror.methods),
    of: mirror.of,
    order: compileOrder(mirror),
    host: mirror.host,
    rewrite: mirror.rewrite === undefined ? null : compileRewrite(mirror.rewrite, route.match[0]),
    trace: mirror.trace,
    headers: compileEdits(mirror.headers),
    bodyBytesMax: mirror.body.max,
    heldBytesMax: mirror.memory,
    responseBytesMax: mirror.response.max,
    breaker: mirror.breaker === undefined ? null : compileBreaker(mirror.breaker),
    ratePerSecond: mirror.rate ?? null,
    pipelining: mirror.pipelining,
    inFlightMax: mirror.inFlight,
    timeouts: mirrorTimeouts(mirror, ofRoute),
    capture: null,
    compare: pairsAlone,
  };
  if (isSinkTarget(mirror.to)) return compileSink(mirror, plan);
  const { compare } = mirror;
  if (compare === undefined) return plan;
  if (compare === 'off') return { ...plan, compare: nothingCompared };
  const captured: MirrorPlan = {
    ...plan,
    capture: { shareMillionths: compare.sample, bodyBytesMax: compare.body.max },
  };
  return { ...captured, compare: compileCompare(compare, captured, versions, nextSlot) };
}

/**
 * `mirrorTimeouts` inherits the times that a mirror does not set, except the one for the first byte, which is
 * the primary's alone.
 */
function mirrorTimeouts(
  { timeout, timeouts, firstByteTimeout }: MirrorConfig,
  ofRoute: TimeoutsPlan,
): TimeoutsPlan {
  return {
    requestMs: timeouts.request ?? timeout ?? ofRoute.requestMs,
    requestUntilEnd: ofRoute.requestUntilEnd,
    firstByteMs: firstByteTimeout ?? 0,
    idleMs: timeouts.idle ?? ofRoute.idleMs,
    totalMs: timeouts.total ?? ofRoute.totalMs,
  };
}

/**
 * `compileRewrite` relies on `check.ts`: when a prefix is rewritten, the route has one literal path or none.
 */
function compileRewrite(rewrite: NonNullable<MirrorConfig['rewrite']>, { path }: MatchConfig): PathChange {
  if ('prefix' in rewrite) {
    const prefix = path?.exact ?? path?.prefix ?? '';
    return { kind: 'prefix', prefix, value: rewrite.prefix, ignoreCase: path?.ignoreCase ?? false };
  }
  return { kind: 'regex', pattern: rewrite.regex, substitution: rewrite.substitution, whole: true };
}

function compileOrder({ order, to }: MirrorConfig): OrderPlan | null {
  if (order === 'off') return null;
  return { ...order, target: hashed(Buffer.from(to, 'utf8').toString('latin1')) };
}

function compileBreaker({ failures, window, cooldown }: NonNullable<MirrorConfig['breaker']>): BreakerPlan {
  return { failureMillionths: failures, windowMs: window, cooldownMs: cooldown };
}

function compileMethods(methods: MirrorConfig['methods']): readonly string[] | null {
  if (methods === 'all') return null;
  return methods === 'safe' ? safeMethods : [...new Set(methods)];
}
