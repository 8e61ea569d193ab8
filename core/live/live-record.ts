/**
 * The written form of live changes: JSON with a version number, for the state directory and for the bucket of
 * a fleet. Percentages and times are written as a person reads them.
 *
 *   { "version": 1,
 *     "allMirrors": { "enabled": false, "at": "2026-11-30T12:00:00.000Z", "by": "command" },
 *     "mirrors": [ { "route": "reviews", "to": "v2", "percent": 5,
 *       "file": { "enabled": true, "percent": 100 }, "at": "…", "by": "command" } ],
 *     "weights": [ { "route": "reviews", "weights": [ [ "v1", 95 ], [ "v2", 5 ] ],
 *       "file": [ [ "v1", 1 ] ], "at": "…", "by": "command" } ],
 *     "rollouts": [ [ "reviews", { … } ] ] }
 */
import { isoTime, msOfIsoTime } from '../clock.js';
import {
  type LiveCause,
  type LiveMirror,
  type LiveState,
  type LiveSwitch,
  type LiveWeights,
  liveCauses,
  type Made,
  type MirrorValues,
  noLiveState,
  putMirror,
  putRollout,
  putWeights,
  type Weights,
} from './live-state.js';
import { percentOf } from './live-text.js';

const formatVersion = 1;
const millionthsPerPercent = 10_000;
const wholePercent = 100;

export function encodeLive(state: LiveState): string {
  const { allMirrors, mirrors, weights, rollouts } = state;
  const written = {
    version: formatVersion,
    allMirrors: allMirrors === null ? null : { enabled: allMirrors.enabled, ...madeWords(allMirrors) },
    mirrors: mirrors.map((mirror) => mirrorWords(mirror)),
    weights: weights.map((one) => ({
      route: one.route,
      weights: one.weights,
      ...(one.fallback === null ? {} : { fallback: one.fallback }),
      file: one.file,
      ...madeWords(one),
    })),
    rollouts,
  };
  return `${JSON.stringify(written, null, 2)}\n`;
}

export type DecodedLive =
  | { readonly ok: true; readonly state: LiveState }
  /** `why` completes "the file …". */
  | { readonly ok: false; readonly why: string };

/** `decodeLive` never throws. A text of a newer umbra, or with anything unexpected, is refused as a whole. */
export function decodeLive(text: string): DecodedLive {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: 'is not JSON' };
  }
  if (!isObject(value) || typeof value.version !== 'number')
    return { ok: false, why: 'has no version number' };
  if (value.version > formatVersion)
    return { ok: false, why: `has version ${value.version}, and this umbra reads up to ${formatVersion}` };
  try {
    return { ok: true, state: stateOf(value) };
  } catch (error) {
    return { ok: false, why: `is damaged: ${(error as Error).message}` };
  }
}

function stateOf(value: Record<string, unknown>): LiveState {
  const allMirrors = value.allMirrors === null ? null : switchOf(object(value.allMirrors, 'allMirrors'));
  let state: LiveState = { ...noLiveState, allMirrors };
  for (const one of list(value.mirrors, 'mirrors'))
    state = putMirror(state, mirrorOf(object(one, 'mirrors')));
  for (const one of list(value.weights, 'weights'))
    state = putWeights(state, weightsOf(object(one, 'weights')));
  for (const one of list(value.rollouts, 'rollouts')) {
    const [route, record] = list(one, 'rollouts');
    state = putRollout(state, text(route, 'rollouts'), record);
  }
  return state;
}

function switchOf(value: Record<string, unknown>): LiveSwitch {
  return { enabled: boolean(value.enabled, 'allMirrors.enabled'), ...madeOf(value) };
}

function mirrorOf(value: Record<string, unknown>): LiveMirror {
  const { methods } = value;
  if (methods !== undefined && methods !== 'all' && methods !== 'safe') throw new Error('mirrors.methods');
  return {
    route: text(value.route, 'mirrors.route'),
    to: text(value.to, 'mirrors.to'),
    enabled: value.enabled === undefined ? null : boolean(value.enabled, 'mirrors.enabled'),
    shareMillionths: value.percent === undefined ? null : share(value.percent, 'mirrors.percent'),
    methods: methods ?? null,
    file: value.file === null ? null : valuesOf(object(value.file, 'mirrors.file')),
    ...madeOf(value),
  };
}

function valuesOf(value: Record<string, unknown>): MirrorValues {
  return {
    enabled: boolean(value.enabled, 'mirrors.file.enabled'),
    shareMillionths: share(value.percent, 'mirrors.file.percent'),
  };
}

function weightsOf(value: Record<string, unknown>): LiveWeights {
  const weights = pairs(value.weights, 'weights.weights');
  if (!weights.some(([, weight]) => weight > 0)) throw new Error('weights.weights');
  return {
    route: text(value.route, 'weights.route'),
    weights,
    fallback: value.fallback === undefined ? null : text(value.fallback, 'weights.fallback'),
    file: pairs(value.file, 'weights.file'),
    ...madeOf(value),
  };
}

function pairs(value: unknown, name: string): Weights {
  return list(value, name).map((pair) => {
    const [version, weight] = list(pair, name);
    if (typeof weight !== 'number' || !(weight >= 0) || !Number.isFinite(weight)) throw new Error(name);
    return [text(version, name), weight];
  });
}

function madeOf(value: Record<string, unknown>): Made {
  const atMs = msOfIsoTime(text(value.at, 'at'));
  const by = liveCauses.find((cause): cause is LiveCause => cause === value.by);
  if (Number.isNaN(atMs)) throw new Error('at');
  if (by === undefined) throw new Error('by');
  return { atMs, by };
}

export function madeWords({ atMs, by }: Made): { at: string; by: LiveCause } {
  return { at: isoTime(atMs), by };
}

/** A mirror as it is written here, and in `GET /api/status`. */
export function mirrorWords(mirror: LiveMirror) {
  const { route, to, enabled, shareMillionths, methods, file } = mirror;
  return {
    route,
    to,
    ...(enabled === null ? {} : { enabled }),
    ...(shareMillionths === null ? {} : { percent: percentOf(shareMillionths) }),
    ...(methods === null ? {} : { methods }),
    file: file === null ? null : { enabled: file.enabled, percent: percentOf(file.shareMillionths) },
    ...madeWords(mirror),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw new Error(name);
  return value;
}

function list(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(name);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Error(name);
  return value;
}

function boolean(value: unknown, name: string): boolean {
  if (typeof value !== 'boolean') throw new Error(name);
  return value;
}

function share(value: unknown, name: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= wholePercent)) throw new Error(name);
  return Math.round(value * millionthsPerPercent);
}
