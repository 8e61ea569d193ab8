/**
 * How many pairs each check needs to pass an equal version, and how long they take with the traffic that was
 * seen. The error of a mean falls with the root of the number of pairs, and the share of an event that never
 * happens is known to about 3 / pairs. Pure.
 */
import { countText, spanText } from '../report/figures.js';
import { type Block, lastedMs } from './block-series.js';
import { boundConfidence } from './looks.js';
import { normalQuantile } from './quantiles.js';
import type { Check, CheckName, MirrorVerdict } from './verdict.js';

export interface Need {
  readonly name: CheckName;
  /** Infinite where no pair was seen. */
  readonly pairs: number;
  readonly seconds: number;
}

export interface MirrorNeeds {
  readonly route: string;
  readonly primary: string;
  readonly shadow: string;
  readonly pairsPerSecond: number;
  readonly needs: readonly Need[];
}

/** An equal version passes with this power, not only on a lucky day. */
const power = 0.9;

/**
 * `verdict` is of the same mirror and time as `blocks`. `sampled`: the share of pairs that are taken apart;
 * 0: none.
 */
export function needsOf(
  { route, primary, shadow, checks }: MirrorVerdict,
  blocks: readonly Block[],
  samplesMin: number,
): MirrorNeeds {
  const seconds = lastedMs(blocks) / 1000;
  const pairs = checks.find(({ name }) => name === 'errors')?.pairs ?? 0;
  const pairsPerSecond = seconds === 0 ? 0 : pairs / seconds;
  const needs = checks
    .filter(({ name }) => name !== 'coverage')
    .map((check): Need => {
      const ownPerSecond = pairs === 0 ? 0 : (pairsPerSecond * check.pairs) / pairs;
      const needed = Math.max(samplesMin, pairsFor(check));
      return {
        name: check.name,
        pairs: needed,
        seconds: ownPerSecond === 0 ? Number.POSITIVE_INFINITY : needed / ownPerSecond,
      };
    });
  return { route, primary, shadow, pairsPerSecond, needs };
}

export function needsText({ route, primary, shadow, pairsPerSecond, needs }: MirrorNeeds): string {
  return [
    `${route}: ${shadow} against ${primary}, ${pairsPerSecond.toFixed(1)} pairs a second`,
    ...needs.map(({ name, pairs, seconds }) =>
      Number.isFinite(seconds)
        ? `  ${name.padEnd(13)}${countText(pairs).padStart(12)} pairs  ${spanText(seconds)}`
        : `  ${name.padEnd(13)}not known yet: no pairs were seen`,
    ),
  ].join('\n');
}

function pairsFor({ interval, measured, bound, pairs }: Check): number {
  if (pairs === 0 || !Number.isFinite(interval.high)) return Number.POSITIVE_INFINITY;
  const z = normalQuantile(boundConfidence);
  const half = (interval.high - measured) / z;
  return Math.max(z ** 2 / bound, pairs * ((half * (z + normalQuantile(power))) / bound) ** 2);
}
