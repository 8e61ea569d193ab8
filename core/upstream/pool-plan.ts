import { isDeepStrictEqual } from 'node:util';
import type { VersionPlan } from '../plan.js';

/**
 * `samePoolPlan` says whether a pool that was made for `a` serves `b` unchanged. Every part of the plan
 * counts but the health checks and the refresh of names, which other threads run.
 */
export function samePoolPlan(a: VersionPlan, b: VersionPlan): boolean {
  return isDeepStrictEqual(ofPool(a), ofPool(b));
}

function ofPool({ health, dnsRefreshMs, ...rest }: VersionPlan): object {
  return rest;
}
