/** What a route should be in the state of its rollout. Level and not edge: it can be applied again. Pure. */
import type { RolloutRecord } from './rollout-record.js';

export interface WantedRoute {
  /**
   * By version, in percent. The new version is last, so it gets the keys that a mirror of the same share
   * copies (decision 046). Null: as before the rollout.
   */
  readonly weights: readonly (readonly [version: string, percent: number])[] | null;
  /** Null: mirrors are as before the rollout. */
  readonly mirror: WantedMirror | null;
}

export interface WantedMirror {
  readonly to: string;
  readonly percent: number;
  /** Only requests that change nothing are copied. */
  readonly safeOnly: boolean;
}

const millionthsPerPercent = 10_000;
const all = 100;

export function wantedRoute(record: RolloutRecord): WantedRoute {
  const { from, to, plan, state, step } = record;
  switch (state) {
    case 'rolling-back':
    case 'rolled-back':
      return { weights: null, mirror: null };
    case 'released':
      return { weights: split(from, to, all), mirror: null };
    case 'watching':
      return { weights: split(from, to, all), mirror: pairsWith(record) };
    case 'running':
    case 'held':
    case 'paused': {
      const { kind, shareMillionths } = plan.steps[step];
      const percent = shareMillionths / millionthsPerPercent;
      if (kind === 'mirror') return { weights: split(from, to, 0), mirror: { to, percent, safeOnly: false } };
      return { weights: split(from, to, percent), mirror: pairsWith(record) };
    }
  }
}

function pairsWith({ from, plan }: RolloutRecord): WantedMirror | null {
  return plan.pairs ? { to: from, percent: all, safeOnly: true } : null;
}

function split(from: string, to: string, percent: number): NonNullable<WantedRoute['weights']> {
  const rest = Math.round((all - percent) * millionthsPerPercent) / millionthsPerPercent;
  return [
    [from, rest],
    [to, percent],
  ];
}
