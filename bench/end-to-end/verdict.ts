import type { Generator } from './generator.js';
import type { BenchOptions } from './options.js';
import type { Placement } from './placement.js';

/** What a scenario is given. */
export interface Bench {
  readonly options: BenchOptions;
  readonly placement: Placement;
  readonly generator: Generator;
}

/** A figure that umbra has to reach. */
export interface Aim {
  readonly name: string;
  /** The figure, and what it was compared with. */
  readonly found: string;
  /** Null: it could not be judged, and `found` says why. */
  readonly isMet: boolean | null;
}

export interface Verdict {
  readonly aims: readonly Aim[];
  /** Every measurement, for `--json`. */
  readonly measured: unknown;
}

/** Judges a median against `max` by its interval. Returns null where the interval contains `max`. */
export function isAtMost(
  interval: { readonly low: number; readonly high: number },
  max: number,
): boolean | null {
  if (interval.high <= max) return true;
  return interval.low > max ? false : null;
}

export function verdictText(aims: readonly Aim[]): string {
  const word = (isMet: boolean | null): string => (isMet === null ? 'NOT JUDGED' : isMet ? 'met' : 'MISSED');
  return aims.map(({ name, found, isMet }) => `${word(isMet).padEnd(10)}  ${name}: ${found}`).join('\n');
}
