/**
 * The effective configuration, for `GET /api/config`: with all defaults and live changes, and without
 * secrets.
 */
import type { MirrorPlan, Plan, RoutePlan } from '../core/plan.js';
import { isSinkTarget } from './sink-target.js';
import { percentOfShare } from './units.js';

interface Written {
  readonly threads: object;
  readonly fleet?: object;
  readonly routes: readonly { readonly mirrors: readonly WrittenMirror[] }[];
}

interface WrittenMirror {
  readonly to: string;
  readonly compare?: object | string;
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
    mirrors: route.mirrors.map((mirror, at) => ({
      ...(written.mirrors[at] ?? addedMirror(written.mirrors, mirror, plan)),
      enabled: mirror.enabled,
      percent: percentOfShare(mirror.shareMillionths),
    })),
  };
}

/** A mirror that was added live, as `live-mirror.ts` makes it. */
function addedMirror(written: readonly WrittenMirror[], { to, methods }: MirrorPlan, plan: Plan): object {
  const template = written.find((mirror) => !isSinkTarget(mirror.to)) ?? { compare: {} };
  const { compare } = template;
  return {
    ...template,
    to: plan.versions[to].name,
    methods: methods ?? 'all',
    ...(typeof compare === 'object' ? { compare: { ...compare, baseline: undefined } } : {}),
  };
}

function primaryOf({ primaries }: RoutePlan, { versions }: Plan): string | object {
  const [first] = primaries;
  if (primaries.length === 1 && first.weight === 1) return versions[first.version].name;
  return Object.fromEntries(primaries.map(({ version, weight }) => [versions[version].name, weight]));
}
