/**
 * What was changed while umbra runs, apart from the configuration: mirrors and weights. Each live change
 * keeps the value that the configuration had when it was made, so that a configuration which changes the
 * same value ends it (`reconcile.ts`). Plain data; every function returns a new state.
 */

/** Who made a live change. `api`: a client of the admin API that does not name itself. */
export const liveCauses = ['command', 'page', 'api', 'rollout'] as const;
export type LiveCause = (typeof liveCauses)[number];

export interface Made {
  /** Wall clock, in milliseconds. */
  readonly atMs: number;
  readonly by: LiveCause;
}

/** `umbra mirror --off`, which lies above all mirrors, or its opposite. */
export interface LiveSwitch extends Made {
  readonly enabled: boolean;
}

/** The values of a mirror that can change live. */
export interface MirrorValues {
  readonly enabled: boolean;
  readonly shareMillionths: number;
}

/** A mirror with other values than in the configuration, or one that the configuration does not have. */
export interface LiveMirror extends Made {
  readonly route: string;
  /** The name of the version, or of the sink. */
  readonly to: string;
  /** Null: as without this change. */
  readonly enabled: boolean | null;
  readonly shareMillionths: number | null;
  /** Methods of a mirror that the configuration does not have; null: those of its template. */
  readonly methods: 'all' | 'safe' | null;
  /** The configuration's value when the change was made; null: it has no such mirror. */
  readonly file: MirrorValues | null;
}

/** Weights by the name of the version, in the order of the list that decides about keys. */
export type Weights = readonly (readonly [version: string, weight: number])[];

export interface LiveWeights extends Made {
  readonly route: string;
  readonly weights: Weights;
  /** The version that answers what another one can't be given; null: there is none. */
  readonly fallback: string | null;
  /** The list of the configuration when the change was made. */
  readonly file: Weights;
}

export interface LiveState {
  readonly allMirrors: LiveSwitch | null;
  readonly mirrors: readonly LiveMirror[];
  readonly weights: readonly LiveWeights[];
  /** The record of a rollout by route. Only its driver knows what is in it. */
  readonly rollouts: readonly (readonly [route: string, record: unknown])[];
}

export const noLiveState: LiveState = { allMirrors: null, mirrors: [], weights: [], rollouts: [] };

export function findMirror(state: LiveState, route: string, to: string): LiveMirror | undefined {
  return state.mirrors.find((mirror) => mirror.route === route && mirror.to === to);
}

/** `putMirror` replaces the change of the same mirror. One that says nothing is removed. */
export function putMirror(state: LiveState, mirror: LiveMirror): LiveState {
  const { mirrors } = withoutMirror(state, mirror.route, mirror.to);
  const says = mirror.file === null || mirror.enabled !== null || mirror.shareMillionths !== null;
  return { ...state, mirrors: says ? [...mirrors, mirror] : mirrors };
}

export function withoutMirror(state: LiveState, route: string, to: string): LiveState {
  return {
    ...state,
    mirrors: state.mirrors.filter((mirror) => mirror.route !== route || mirror.to !== to),
  };
}

/** `putSwitch` switches all mirrors: earlier settings of single ones are replaced. */
export function putSwitch(state: LiveState, allMirrors: LiveSwitch | null): LiveState {
  const mirrors = state.mirrors.map((mirror) => ({ ...mirror, enabled: null }));
  return mirrors.reduce(putMirror, { ...state, allMirrors, mirrors: [] });
}

/** `putWeights` replaces the weights of the same route. */
export function putWeights(state: LiveState, weights: LiveWeights): LiveState {
  return { ...state, weights: [...withoutWeights(state, weights.route).weights, weights] };
}

export function withoutWeights(state: LiveState, route: string): LiveState {
  return { ...state, weights: state.weights.filter((weights) => weights.route !== route) };
}

/** `putRollout` replaces the record of a route; undefined removes it. */
export function putRollout(state: LiveState, route: string, record: unknown): LiveState {
  const others = state.rollouts.filter(([name]) => name !== route);
  return { ...state, rollouts: record === undefined ? others : [...others, [route, record]] };
}

export function rolloutOf(state: LiveState, route: string): unknown {
  return state.rollouts.find(([name]) => name === route)?.[1];
}

export function sameWeights(a: Weights, b: Weights): boolean {
  return (
    a.length === b.length && a.every(([version, weight], at) => b[at][0] === version && b[at][1] === weight)
  );
}

/** How many live changes there are, records of rollouts aside. */
export function countOf({ allMirrors, mirrors, weights }: LiveState): number {
  return (allMirrors === null ? 0 : 1) + mirrors.length + weights.length;
}
