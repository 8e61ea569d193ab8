/** Live changes in words, for the log, answers and commands. */
import type { LiveMirror, LiveWeights, Weights } from './live-state.js';

const millionthsPerPercent = 10_000;

export function percentOf(shareMillionths: number): number {
  return shareMillionths / millionthsPerPercent;
}

/** `v1=95 v2=5`, as `umbra weights` takes it. */
export function weightsText(weights: Weights): string {
  return weights.map(([version, weight]) => `${version}=${weight}`).join(' ');
}

export function describeMirror({ route, to, enabled, shareMillionths, file }: LiveMirror): string {
  const values = [
    ...(enabled === null ? [] : [enabled ? 'on' : 'off']),
    ...(shareMillionths === null ? [] : [`${percentOf(shareMillionths)} %`]),
  ];
  return `${file === null ? 'added mirror' : 'mirror'} ${route} to ${to} ${values.join(', ')}`.trimEnd();
}

export function describeWeights({ route, weights }: LiveWeights): string {
  return `weights of ${route} ${weightsText(weights)}`;
}
