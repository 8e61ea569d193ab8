/**
 * The live changes that put the state of a rollout in force, and whether a plan has them. Pure.
 */
import { findMirror, type LiveState } from '../../core/live/live-state.js';
import type { Plan, RoutePlan } from '../../core/plan.js';
import type { RolloutRecord, RouteBefore } from '../../core/rollout/rollout-record.js';
import { wantedRoute } from '../../core/rollout/wanted.js';
import type { MirrorSetting, RouteChange } from '../protocol/live-change.js';

const millionthsPerPercent = 10_000;
const whole = 1_000_000;

/** `changeOf` returns the change of the route, without the record. */
export function changeOf(record: RolloutRecord, plan: Plan, live: LiveState): RouteChange {
  const { from, to, route, before, state, changedByHand } = record;
  if (changedByHand) return {};
  const { weights, mirror } = wantedRoute(record);
  const isBack = weights === null;
  const isDone = isBack || state === 'released';
  const mirrors: Record<string, MirrorSetting | null> = {};
  for (const version of [from, to]) {
    if (isDone) mirrors[version] = isBack ? (before.mirrors[version] ?? null) : null;
    else if (mirror?.to === version) {
      if (mirror.safeOnly && isConfigured(plan, live, route, version)) continue;
      const methods = isConfigured(plan, live, route, version)
        ? {}
        : { methods: mirror.safeOnly ? ('safe' as const) : ('all' as const) };
      mirrors[version] = { enabled: true, percent: mirror.percent, ...methods };
    } else mirrors[version] = isConfigured(plan, live, route, version) ? { enabled: false } : null;
  }
  if (isBack) return { weights: before.weights, unnamed: 'zero', mirrors };
  const fallback =
    isDone || !record.plan.steps.some(({ kind }) => kind === 'release') ? {} : { fallback: from };
  return { weights: Object.fromEntries(weights), unnamed: 'zero', ...fallback, mirrors };
}

/** `beforeOf` returns what is live on a route, to be restored by `changeOf`. */
export function beforeOf(live: LiveState, route: string, versions: readonly string[]): RouteBefore {
  const weights = live.weights.find((one) => one.route === route);
  const mirrors: Record<string, MirrorSetting> = {};
  for (const version of versions) {
    const mirror = findMirror(live, route, version);
    if (mirror === undefined) continue;
    const { enabled, shareMillionths, methods } = mirror;
    mirrors[version] = {
      ...(enabled === null ? {} : { enabled }),
      ...(shareMillionths === null ? {} : { percent: shareMillionths / millionthsPerPercent }),
      ...(methods === null ? {} : { methods }),
    };
  }
  return { weights: weights === undefined ? null : Object.fromEntries(weights.weights), mirrors };
}

/** `whatDiffers` returns what of the plan is not as the rollout wants it, in words; null: nothing. */
export function whatDiffers(record: RolloutRecord, plan: Plan, live: LiveState): string | null {
  const route = plan.routes.find(({ name }) => name === record.route);
  if (route === undefined) return `the configuration has no route ${record.route} any more`;
  for (const version of [record.from, record.to])
    if (!plan.versions.some(({ name }) => name === version))
      return `the configuration has no version ${version} any more`;
  const { weights, mirror } = wantedRoute(record);
  if (weights === null) return null;
  const actual = sharesOf(plan, route);
  const differs = [...actual.keys(), ...weights.map(([version]) => version)].some((version) => {
    const share = (weights.find(([name]) => name === version)?.[1] ?? 0) / 100;
    return Math.abs((actual.get(version) ?? 0) - share) > 1 / whole;
  });
  if (differs)
    return `weights of ${record.route} are ${sharesText(actual)} ${whoChanged(live, record.route)}`;
  if (mirror === null || (mirror.safeOnly && isConfigured(plan, live, record.route, mirror.to))) return null;
  const found = route.mirrors.find(({ to }) => to >= 0 && plan.versions[to].name === mirror.to);
  if (found === undefined) return `route ${record.route} has no mirror to ${mirror.to} any more`;
  if (!found.enabled) return `the mirror of ${record.route} to ${mirror.to} is off`;
  if (found.shareMillionths !== Math.round(mirror.percent * millionthsPerPercent))
    return `the mirror of ${record.route} to ${mirror.to} copies ${found.shareMillionths / millionthsPerPercent} %`;
  return null;
}

/** The configuration, and not a live change, has the mirror. */
function isConfigured(plan: Plan, live: LiveState, name: string, version: string): boolean {
  const route = plan.routes.find((one) => one.name === name);
  const has = route?.mirrors.some(({ to }) => to >= 0 && plan.versions[to].name === version) ?? false;
  return has && findMirror(live, name, version)?.file !== null;
}

/** `sharesOf` returns the share of each version that gets requests. */
export function sharesOf({ versions }: Plan, { primaries }: RoutePlan): Map<string, number> {
  const sum = primaries.reduce((all, { weight }) => all + weight, 0);
  return new Map(
    primaries
      .filter(({ weight }) => weight > 0)
      .map(({ version, weight }) => [versions[version].name, weight / sum]),
  );
}

function sharesText(shares: ReadonlyMap<string, number>): string {
  return [...shares].map(([name, share]) => `${name}=${Number((share * 100).toFixed(4))}%`).join(' ');
}

function whoChanged(live: LiveState, route: string): string {
  const found = live.weights.find((one) => one.route === route);
  return found === undefined || found.by === 'rollout'
    ? 'by the configuration or by applied documents'
    : `by hand (${found.by})`;
}
