import { isDeepStrictEqual } from 'node:util';
import type { VersionPlan } from '../plan.js';

/**
 * `samePoolPlan` returns true when a pool that was made for `a` also serves `b`. It compares every part of
 * the plan except the health checks and the refresh of names, which other threads run.
 */
export function samePoolPlan(a: VersionPlan, b: VersionPlan): boolean {
  return isDeepStrictEqual(ofPool(a), ofPool(b));
}

function ofPool({ health, dnsRefreshMs, ...rest }: VersionPlan): object {
  return rest;
}
