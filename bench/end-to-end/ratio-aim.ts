/**
 * An aim that is a ratio of two targets' figures: the median over the rounds, because in a round both were
 * measured within seconds of each other. Pure.
 */
import { type Measurement, whyInvalid } from './comparison.js';
import { spread } from './numbers.js';
import { fixed } from './table.js';
import type { Aim } from './verdict.js';

export interface RatioAim {
  readonly name: string;
  readonly ours: readonly Measurement[];
  readonly rival: readonly Measurement[];
  /** At most, or at least, so many times the rival's. */
  readonly max?: number;
  readonly min?: number;
  /** Not set: CPU time a request. */
  readonly figure?: (one: Measurement) => number;
  readonly digits?: number;
  /** Said behind the figures. */
  readonly also?: string;
}

/** Not judged on measurements that are not valid. */
export function ratioAim({
  name,
  ours,
  rival,
  max = Number.POSITIVE_INFINITY,
  min = 0,
  figure = ({ cpuUsPerRequest }) => cpuUsPerRequest,
  digits = 2,
  also = '',
}: RatioAim): Aim {
  if (ours.length === 0 || rival.length === 0) return { name, found: 'a target is missing', isMet: null };
  const invalid = [...ours, ...rival].map(whyInvalid).find((why) => why !== null);
  if (invalid !== undefined) return { name, found: invalid, isMet: null };
  const ratio = spread(ours.map((one, round) => figure(one) / figure(rival[round])));
  return {
    name,
    found: `${fixed(ratio.median, digits)} x (${fixed(ratio.min, digits)}..${fixed(ratio.max, digits)} by round)${also}`,
    isMet: ratio.median <= max && ratio.median >= min,
  };
}
