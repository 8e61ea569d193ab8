/** Changes mirrors or weights of a plan as requested. Pure; main distributes the result. */
import { type MirrorPlan, type Plan, type RoutePlan, targetName } from '../../core/plan.js';
import type { ChangeAnswer, ChangeAsk } from '../protocol/messages.js';

const millionthsPerPercent = 10_000;

type MirrorAsk = Extract<ChangeAsk, { what: 'mirror' }>;
type WeightsAsk = Extract<ChangeAsk, { what: 'weights' }>;
type Changed = { readonly ok: true; readonly plan: Plan } | Extract<ChangeAnswer, { ok: false }>;

/**
 * `withMirror` returns the next generation of `plan`, or why there is none. Without route and version it
 * changes every mirror.
 */
export function withMirror(plan: Plan, ask: MirrorAsk): Changed {
  const { route: routeName, version } = ask;
  if (routeName !== null && !plan.routes.some((route) => route.name === routeName)) {
    return notFound(
      `unknown route ${routeName}; routes: ${plan.routes.map((route) => route.name).join(', ')}`,
    );
  }
  let found = false;
  const routes = plan.routes.map((route) => {
    if (routeName !== null && route.name !== routeName) return route;
    const mirrors = route.mirrors.map((mirror) => {
      if (version !== null && targetName(plan, mirror) !== version) return mirror;
      found = true;
      return changed(mirror, ask);
    });
    return { ...route, mirrors };
  });
  if (!found && routeName !== null) return notFound(`route ${routeName} has no mirror to ${version}`);
  return { ok: true, plan: { ...plan, generation: plan.generation + 1, routes } };
}

/**
 * `withLiveChanges` returns `next` with the live state of mirrors and weights whose configuration did not
 * change. `configured` is the current plan as configured, and `live` is that plan with live changes.
 */
export function withLiveChanges(configured: Plan, live: Plan, next: Plan): Plan {
  const before = mirrorsByName(configured);
  const now = mirrorsByName(live);
  const weightsBefore = weightsByRoute(configured);
  const weightsNow = weightsByRoute(live);
  const routes = next.routes.map((route) => ({
    ...route,
    primaries: withLiveWeights(next, route, weightsBefore.get(route.name), weightsNow.get(route.name)),
    mirrors: route.mirrors.map((mirror) => {
      const name = `${route.name} ${targetName(next, mirror)}`;
      const old = before.get(name);
      const kept = now.get(name);
      if (old === undefined || kept === undefined) return mirror;
      if (old.enabled !== mirror.enabled || old.shareMillionths !== mirror.shareMillionths) return mirror;
      return { ...mirror, enabled: kept.enabled, shareMillionths: kept.shareMillionths };
    }),
  }));
  return { ...next, routes };
}

function mirrorsByName(plan: Plan): Map<string, MirrorPlan> {
  return new Map(
    plan.routes.flatMap((route) =>
      route.mirrors.map((mirror) => [`${route.name} ${targetName(plan, mirror)}`, mirror]),
    ),
  );
}

/** Weights by the name of the version. */
type Weights = ReadonlyMap<string, number>;

const noWeights: Weights = new Map();

function withLiveWeights(
  next: Plan,
  route: RoutePlan,
  before: Weights = noWeights,
  now: Weights = noWeights,
): RoutePlan['primaries'] {
  const asked = weightsOf(next, route);
  const isSame =
    asked.size === before.size && [...asked].every(([name, weight]) => before.get(name) === weight);
  if (!isSame) return route.primaries;
  return route.primaries.map((primary) => ({
    ...primary,
    weight: now.get(next.versions[primary.version].name) ?? primary.weight,
  }));
}

/**
 * `weightsByRoute` returns the weights of all routes at once. A search by name for each route would take
 * quadratic time.
 */
function weightsByRoute(plan: Plan): Map<string, Weights> {
  return new Map(plan.routes.map((route) => [route.name, weightsOf(plan, route)]));
}

function weightsOf(plan: Plan, route: RoutePlan): Weights {
  return new Map(route.primaries.map(({ version, weight }) => [plan.versions[version].name, weight]));
}

/**
 * `withWeights` returns the next generation of `plan` with other weights on one route, or why there is none.
 */
export function withWeights(plan: Plan, { route: name, weights }: WeightsAsk): Changed {
  const route = plan.routes.find((route) => route.name === name);
  if (route === undefined) return notFound(`unknown route ${name}`);
  const names = route.primaries.map(({ version }) => plan.versions[version].name);
  const unknown = Object.keys(weights).find((version) => !names.includes(version));
  if (unknown !== undefined) {
    return refused(`the route has no primary ${unknown}; its primaries: ${names.join(', ')}`);
  }
  const primaries = route.primaries.map((primary, i) => ({
    ...primary,
    weight: Object.hasOwn(weights, names[i]) ? weights[names[i]] : primary.weight,
  }));
  if (primaries.every(({ weight }) => weight === 0)) return refused('one primary must have a weight above 0');
  const routes = plan.routes.map((one) => (one === route ? { ...one, primaries } : one));
  return { ok: true, plan: { ...plan, generation: plan.generation + 1, routes } };
}

function changed(mirror: MirrorPlan, ask: MirrorAsk): MirrorPlan {
  return {
    ...mirror,
    enabled: ask.enabled ?? mirror.enabled,
    shareMillionths:
      ask.percent === null ? mirror.shareMillionths : Math.round(ask.percent * millionthsPerPercent),
  };
}

function notFound(message: string): Extract<ChangeAnswer, { ok: false }> {
  return { ok: false, status: 404, message, problems: [] };
}

function refused(message: string): Extract<ChangeAnswer, { ok: false }> {
  return { ok: false, status: 400, message, problems: [] };
}
