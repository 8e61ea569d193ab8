/** Carries out what is asked for on a state of live changes. Pure; `RunningPlan` distributes the result. */
import { didYouMean } from '../../config/suggest.js';
import { configuredMirror, configuredWeights } from '../../core/live/live-plan.js';
import {
  findMirror,
  type LiveMirror,
  type LiveState,
  type Made,
  putMirror,
  putRollout,
  putSwitch,
  putWeights,
  rolloutOf,
  sameWeights,
  type Weights,
  withoutMirror,
  withoutWeights,
} from '../../core/live/live-state.js';
import type { Plan, RoutePlan } from '../../core/plan.js';
import { parseRecord } from '../../core/rollout/rollout-record.js';
import { type Basis, settled } from '../../core/rollout/settled.js';
import type { LiveAsk, MirrorSetting, RouteChange } from '../protocol/live-change.js';

const millionthsPerPercent = 10_000;

export type LiveChanged =
  | { readonly ok: true; readonly state: LiveState; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly status: 400 | 404 | 412; readonly message: string };

type Refused = Extract<LiveChanged, { ok: false }>;

/**
 * `changeLive` returns the state after `ask`, or why nothing changes. `configured` is the plan without live
 * changes.
 */
export function changeLive(state: LiveState, configured: Plan, ask: LiveAsk, atMs: number): LiveChanged {
  const made: Made = { atMs, by: ask.by };
  switch (ask.what) {
    case 'live':
      return changeRoute(state, configured, ask.route, ask.change, made);
    case 'allMirrors':
      return done(switchAll(state, configured, ask.enabled, made));
    case 'resetWeights':
      return done({ ...state, weights: [] });
  }
}

function switchAll(state: LiveState, configured: Plan, enabled: boolean | null, made: Made): LiveState {
  if (enabled === null) return { ...state, allMirrors: null, mirrors: [] };
  const isAsConfigured =
    enabled && configured.routes.every((route) => route.mirrors.every((mirror) => mirror.enabled));
  return putSwitch(state, isAsConfigured ? null : { enabled, ...made });
}

function changeRoute(
  before: LiveState,
  configured: Plan,
  name: string,
  { weights, unnamed = 'keep', fallback, mirrors = {}, rollout, after }: RouteChange,
  made: Made,
): LiveChanged {
  const route = configured.routes.find((route) => route.name === name);
  if (route === undefined) {
    const names = configured.routes.map((route) => route.name);
    return refused(404, `unknown route ${name}${didYouMean(name, names)}; routes: ${names.join(', ')}`);
  }
  const kept = recordOf(before, name, rollout, after);
  if ('ok' in kept) return kept;
  let state = before;
  if (weights === null) state = withoutWeights(state, name);
  else if (weights !== undefined) {
    const weighed = weigh(state, configured, route, weights, unnamed, fallback ?? null, made);
    if ('ok' in weighed) return weighed;
    state = weighed;
  }
  for (const [to, setting] of Object.entries(mirrors)) {
    const mirrored =
      setting === null
        ? withoutMirror(state, name, to)
        : setMirror(state, configured, route, to, setting, made);
    if ('ok' in mirrored) return mirrored;
    state = mirrored;
  }
  if (rollout !== undefined) state = putRollout(state, name, kept.record ?? undefined);
  return done(state, warningsOf(state, configured, route));
}

/** The record that the route gets, or why another one stays. */
function recordOf(
  state: LiveState,
  route: string,
  rollout: unknown,
  after: Basis | undefined,
): { readonly record: unknown } | Refused {
  const next = parseRecord(rollout);
  if (after === undefined || next === null) return { record: rollout };
  const record = settled(parseRecord(rolloutOf(state, route)), next, after);
  return typeof record === 'string' ? refused(412, record) : { record };
}

/** The list of weights in force. */
function weightsNow(state: LiveState, configured: Plan, route: RoutePlan): Weights {
  return (
    state.weights.find((one) => one.route === route.name)?.weights ?? configuredWeights(configured, route)
  );
}

/**
 * A version that is new on the route is appended to the list: there it gets the keys that a mirror of its
 * share copies.
 */
function weigh(
  state: LiveState,
  configured: Plan,
  route: RoutePlan,
  asked: Readonly<Record<string, number>>,
  unnamed: 'keep' | 'zero',
  fallback: string | null,
  made: Made,
): LiveState | Refused {
  if (route.primaries.length === 0)
    return refused(400, `route ${route.name} answers requests itself: no version can answer them`);
  const names = configured.versions.map((version) => version.name);
  const unknown = [...Object.keys(asked), ...(fallback === null ? [] : [fallback])].find(
    (version) => !names.includes(version),
  );
  if (unknown !== undefined) return refused(400, unknownVersion(unknown, names));
  const file = configuredWeights(configured, route);
  const before = weightsNow(state, configured, route);
  const listed = before.map(([version]) => version);
  const added = Object.keys(asked).filter((version) => !listed.includes(version));
  const weights = [...before, ...added.map((version) => [version, 0] as const)]
    .map(([version, weight]): [string, number] => {
      const left = unnamed === 'keep' ? weight : 0;
      return [version, Object.hasOwn(asked, version) ? asked[version] : left];
    })
    .filter(([version, weight]) => weight > 0 || file.some(([name]) => name === version));
  if (weights.every(([, weight]) => weight === 0))
    return refused(400, 'one primary must have a weight above 0');
  if (sameWeights(weights, file) && fallback === null) return withoutWeights(state, route.name);
  return putWeights(state, { route: route.name, weights, fallback, file, ...made });
}

function setMirror(
  state: LiveState,
  configured: Plan,
  route: RoutePlan,
  to: string,
  { enabled, percent, methods }: MirrorSetting,
  made: Made,
): LiveState | Refused {
  const file = configuredMirror(configured, route, to);
  const before = findMirror(state, route.name, to);
  if (file === null && before === undefined) {
    const why = whyNoMirror(state, configured, route, to, enabled);
    if (why !== null) return why;
  }
  const shareMillionths = percent === undefined ? undefined : Math.round(percent * millionthsPerPercent);
  const changed: LiveMirror = {
    route: route.name,
    to,
    enabled: enabled ?? before?.enabled ?? null,
    shareMillionths: shareMillionths ?? before?.shareMillionths ?? null,
    methods: file === null ? (methods ?? before?.methods ?? null) : null,
    file,
    ...made,
  };
  return putMirror(state, file === null ? changed : withoutSame(changed, state));
}

/** `withoutSame` leaves out values that are those of the configuration. */
function withoutSame(mirror: LiveMirror, { allMirrors }: LiveState): LiveMirror {
  const { enabled, shareMillionths, file } = mirror;
  const saysSwitch = enabled !== null && (allMirrors !== null || enabled !== file!.enabled);
  return {
    ...mirror,
    enabled: saysSwitch ? enabled : null,
    shareMillionths: shareMillionths === file!.shareMillionths ? null : shareMillionths,
  };
}

/** `whyNoMirror` returns why a mirror to `to` can't be added, or null. */
function whyNoMirror(
  state: LiveState,
  configured: Plan,
  route: RoutePlan,
  to: string,
  enabled: boolean | undefined,
): Refused | null {
  const names = configured.versions.map(({ name }) => name);
  if (!names.includes(to)) return refused(404, unknownVersion(to, names));
  if (enabled === false) return refused(404, `route ${route.name} has no mirror to ${to}`);
  if (route.primaries.length === 0)
    return refused(400, `route ${route.name} answers requests itself: there is nothing to mirror`);
  if (answersAlone(state, configured, route, to))
    return refused(
      400,
      `${to} answers all requests of route ${route.name}: there is nothing to mirror to it`,
    );
  return null;
}

function answersAlone(state: LiveState, configured: Plan, route: RoutePlan, version: string): boolean {
  return weightsNow(state, configured, route).every(([name, weight]) => weight === 0 || name === version);
}

/** A version gets no copy of a request that it answers. */
function warningsOf(state: LiveState, configured: Plan, route: RoutePlan): string[] {
  const targets = [
    ...route.mirrors.filter(({ sink }) => sink === null).map(({ to }) => configured.versions[to].name),
    ...state.mirrors.filter((one) => one.route === route.name && one.file === null).map(({ to }) => to),
  ];
  return targets
    .filter((to) => answersAlone(state, configured, route, to))
    .map(
      (to) => `the mirror to ${to} copies nothing while ${to} answers all requests of route ${route.name}`,
    );
}

function unknownVersion(version: string, names: readonly string[]): string {
  return `unknown version ${version}${didYouMean(version, names)}; versions: ${names.join(', ')}`;
}

function done(state: LiveState, warnings: readonly string[] = []): LiveChanged {
  return { ok: true, state, warnings };
}

function refused(status: Refused['status'], message: string): Refused {
  return { ok: false, status, message };
}
