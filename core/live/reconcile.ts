/**
 * Brings live changes and a new configuration together. A configuration that changes a value which was
 * changed live wins. One in which the value is as before leaves the live change alone.
 */
import type { Plan, RoutePlan } from '../plan.js';
import { configuredMirror, configuredWeights } from './live-plan.js';
import { type LiveMirror, type LiveState, type LiveWeights, putMirror, sameWeights } from './live-state.js';
import { describeMirror, describeWeights, percentOf, weightsText } from './live-text.js';

export interface Reconciled {
  readonly state: LiveState;
  /** A line on each live change that ended, and why. */
  readonly ended: readonly string[];
}

/** `reconcile` returns what of `state` still holds under `configured`. */
export function reconcile(state: LiveState, configured: Plan): Reconciled {
  const ended: string[] = [];
  const routes = new Map(configured.routes.map((route) => [route.name, route]));
  const versions = new Set(configured.versions.map(({ name }) => name));
  const mirrors = state.mirrors.map((mirror) =>
    stillMirror(mirror, routes.get(mirror.route), configured, versions, ended),
  );
  const weights = state.weights.filter((weights) => {
    const why = whyWeightsEnd(weights, routes.get(weights.route), configured, versions);
    if (why !== null) ended.push(`${describeWeights(weights)} ended: ${why}`);
    return why === null;
  });
  const held = mirrors.filter((mirror) => mirror !== null);
  const kept = held.reduce(putMirror, { ...state, mirrors: [] });
  return { state: { ...kept, weights }, ended };
}

/** `stillMirror` returns the part of a change that still holds, and adds to `ended` what does not. */
function stillMirror(
  mirror: LiveMirror,
  route: RoutePlan | undefined,
  plan: Plan,
  versions: ReadonlySet<string>,
  ended: string[],
): LiveMirror | null {
  const end = (why: string): null => {
    ended.push(`${describeMirror(mirror)} ended: ${why}`);
    return null;
  };
  if (route === undefined) return end(`there is no route ${mirror.route} any more`);
  const now = configuredMirror(plan, route, mirror.to);
  const { file } = mirror;
  if (file === null) {
    if (now !== null) return end('the configuration has this mirror now');
    if (!versions.has(mirror.to)) return end(`there is no version ${mirror.to} any more`);
    if (route.primaries.length === 0) return end(`the route ${mirror.route} has no primary any more`);
    return mirror;
  }
  if (now === null) return end(`the route has no mirror to ${mirror.to} any more`);
  let { enabled, shareMillionths } = mirror;
  if (enabled !== null && now.enabled !== file.enabled) {
    end(`the configuration switches it ${now.enabled ? 'on' : 'off'} now`);
    enabled = null;
  }
  if (shareMillionths !== null && now.shareMillionths !== file.shareMillionths) {
    end(`the configuration says ${percentOf(now.shareMillionths)} % now`);
    shareMillionths = null;
  }
  return { ...mirror, enabled, shareMillionths, file: now };
}

function whyWeightsEnd(
  { route: name, weights, file }: LiveWeights,
  route: RoutePlan | undefined,
  plan: Plan,
  versions: ReadonlySet<string>,
): string | null {
  if (route === undefined) return `there is no route ${name} any more`;
  const gone = weights.find(([version]) => !versions.has(version));
  if (gone !== undefined) return `there is no version ${gone[0]} any more`;
  const now = configuredWeights(plan, route);
  if (sameWeights(now, file)) return null;
  return now.length === 0
    ? 'the route has no primary any more'
    : `the configuration says ${weightsText(now)} now`;
}
