/** A plan with mirrors changed as a person asked: the share, or on and off. Pure; main sends the result out. */
import type { MirrorPlan, Plan } from '../core/plan.js';
import type { ChangeAnswer, ChangeAsk } from './messages.js';

const millionthsPerPercent = 10_000;

type MirrorAsk = Extract<ChangeAsk, { what: 'mirror' }>;
type Changed = { readonly ok: true; readonly plan: Plan } | Extract<ChangeAnswer, { ok: false }>;

/** The next generation of `plan`, or why there is none. Without route and version the change is for every mirror. */
export function withMirror(plan: Plan, ask: MirrorAsk): Changed {
  const { route: routeName, version } = ask;
  if (routeName !== null && !plan.routes.some((route) => route.name === routeName)) {
    return notFound(
      `there is no route ${routeName}; routes: ${plan.routes.map((route) => route.name).join(', ')}`,
    );
  }
  let found = false;
  const routes = plan.routes.map((route) => {
    if (routeName !== null && route.name !== routeName) return route;
    const mirrors = route.mirrors.map((mirror) => {
      if (version !== null && plan.versions[mirror.to].name !== version) return mirror;
      found = true;
      return changed(mirror, ask);
    });
    return { ...route, mirrors };
  });
  if (!found && routeName !== null) return notFound(`route ${routeName} has no mirror to ${version}`);
  return { ok: true, plan: { ...plan, generation: plan.generation + 1, routes } };
}

/**
 * `next` with the live state of each mirror that is configured as it was: `configured` is the plan in force as its
 * configuration had it, `live` as people have changed it since.
 */
export function withLiveChanges(configured: Plan, live: Plan, next: Plan): Plan {
  const before = mirrorsByName(configured);
  const now = mirrorsByName(live);
  const routes = next.routes.map((route) => ({
    ...route,
    mirrors: route.mirrors.map((mirror) => {
      const name = `${route.name} ${next.versions[mirror.to].name}`;
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
      route.mirrors.map((mirror) => [`${route.name} ${plan.versions[mirror.to].name}`, mirror]),
    ),
  );
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
