/** Lays live changes over a configured plan. */
import { type MirrorPlan, type Plan, type PrimaryPlan, type RoutePlan, targetName } from '../plan.js';
import type { LiveMirror, LiveState, MirrorValues, Weights } from './live-state.js';

/** The plan of a mirror that the configuration does not have; its switch and share do not matter. */
export type MakeMirror = (mirror: LiveMirror) => MirrorPlan;

/**
 * `withLive` returns `configured` with the live changes of `state`, which fit to it (`reconcile.ts`). It
 * throws what `make` throws.
 */
export function withLive(configured: Plan, state: LiveState, make: MakeMirror): Plan {
  const { allMirrors } = state;
  if (allMirrors === null && state.mirrors.length === 0 && state.weights.length === 0) return configured;
  const indexes = new Map(configured.versions.map(({ name }, index) => [name, index]));
  const weights = new Map(state.weights.map((one) => [one.route, one]));
  const mirrors = new Map<string, LiveMirror[]>();
  for (const mirror of state.mirrors) {
    const others = mirrors.get(mirror.route);
    if (others === undefined) mirrors.set(mirror.route, [mirror]);
    else others.push(mirror);
  }
  const switched = allMirrors?.enabled ?? null;
  const routes = configured.routes.map((route) => ({
    ...route,
    primaries: primariesOf(route, weights.get(route.name)?.weights, indexes),
    fallback: indexes.get(weights.get(route.name)?.fallback ?? '') ?? null,
    mirrors: mirrorsOf(configured, route, mirrors.get(route.name) ?? [], switched, make),
  }));
  return { ...configured, routes };
}

function primariesOf(
  { primaries }: RoutePlan,
  weights: Weights | undefined,
  indexes: ReadonlyMap<string, number>,
): readonly PrimaryPlan[] {
  if (weights === undefined) return primaries;
  return weights.map(([name, weight]) => {
    const version = indexes.get(name)!;
    const headers = primaries.find((primary) => primary.version === version)?.headers ?? null;
    return { version, weight, headers };
  });
}

function mirrorsOf(
  plan: Plan,
  route: RoutePlan,
  changes: readonly LiveMirror[],
  switched: boolean | null,
  make: MakeMirror,
): readonly MirrorPlan[] {
  const changed = route.mirrors.map((mirror) => {
    const change = changes.find(({ to }) => to === targetName(plan, mirror));
    return {
      ...mirror,
      enabled: change?.enabled ?? switched ?? mirror.enabled,
      shareMillionths: change?.shareMillionths ?? mirror.shareMillionths,
    };
  });
  const added = changes
    .filter(({ file }) => file === null)
    .map((change) => ({
      ...make(change),
      enabled: change.enabled ?? switched ?? true,
      shareMillionths: change.shareMillionths ?? wholeMillionths,
    }));
  return [...changed, ...added];
}

const wholeMillionths = 1_000_000;

/** What a configured plan says of a mirror; null where it has no such mirror. */
export function configuredMirror(plan: Plan, route: RoutePlan, to: string): MirrorValues | null {
  const mirror = route.mirrors.find((mirror) => targetName(plan, mirror) === to);
  return mirror === undefined ? null : { enabled: mirror.enabled, shareMillionths: mirror.shareMillionths };
}

export function configuredWeights({ versions }: Plan, { primaries }: RoutePlan): Weights {
  return primaries.map(({ version, weight }) => [versions[version].name, weight]);
}
