/**
 * The effective configuration, for `GET /api/config`: with all defaults and live changes, and without
 * secrets.
 */
import type { Plan, RoutePlan } from '../core/plan.js';
import { percentOfShare } from './units.js';

interface Written {
  readonly threads: object;
  readonly fleet?: object;
  readonly routes: readonly { readonly mirrors: readonly object[] }[];
}

/**
 * `effectiveConfig` returns a configuration that compiles to the same plan, except for redacted values. It is
 * the loader's text (`effective-text.ts`) with values that became known later: numbers instead of `auto`, the
 * name of the instance, and live changes.
 */
export function effectiveConfig(plan: Plan): object {
  const written = JSON.parse(plan.effective) as Written;
  return {
    ...written,
    threads: { ...written.threads, proxy: plan.threads.proxy, shadow: plan.threads.shadow },
    ...(plan.fleet === null ? {} : { fleet: { ...written.fleet, name: plan.fleet.name } }),
    routes: written.routes.map((route, at) => withLiveValues(route, plan.routes[at], plan)),
  };
}

function withLiveValues(written: Written['routes'][number], route: RoutePlan, plan: Plan): object {
  return {
    ...written,
    ...(route.primaries.length === 0 ? {} : { primary: primaryOf(route, plan) }),
    mirrors: written.mirrors.map((mirror, at) => {
      const { enabled, shareMillionths } = route.mirrors[at];
      return { ...mirror, enabled, percent: percentOfShare(shareMillionths) };
    }),
  };
}

function primaryOf({ primaries }: RoutePlan, { versions }: Plan): string | object {
  const [first] = primaries;
  if (primaries.length === 1 && first.weight === 1) return versions[first.version].name;
  return Object.fromEntries(primaries.map(({ version, weight }) => [versions[version].name, weight]));
}
