/**
 * Which endpoints a check that does not pass comes from. They are named by tests of pairs, without blocks of
 * time: the check has decided by then, and this says where to look. Pure.
 */
import { RATIO_ONE } from '../record/mirror-counters.js';
import { countText, durationText, shareText } from '../report/figures.js';
import { type EndpointPairs, endpointScale, figuresOf } from './endpoint-pairs.js';
import { zeroConfidence } from './looks.js';
import { excessScore } from './paired-shares.js';
import { normalQuantile } from './quantiles.js';
import { ratioScale } from './slot-counts.js';
import type { Check, CheckName, EndpointReason } from './verdict.js';

const shownMax = 3;
/** Fewer pairs of an endpoint say nothing of its p99. */
const tailPairsMin = 1000;
const z = normalQuantile(zeroConfidence);

interface Sides {
  readonly primary: string;
  readonly shadow: string;
}

/** How much of the check's excess an endpoint has; 0: it is not a reason. */
interface Weighed {
  readonly weight: number;
  readonly text: string;
}

type Weigh = (pairs: EndpointPairs, bound: number, sides: Sides) => Weighed;

/** The few endpoints that most of a check's excess comes from, for each of `checks` that does not pass. */
export function reasonsOf(
  endpoints: readonly EndpointPairs[],
  checks: readonly Check[],
  sides: Sides,
): EndpointReason[] {
  return checks.flatMap(({ name, outcome, bound }) => {
    const weigh = weighed[name];
    if (outcome === 'pass' || weigh === undefined) return [];
    // What is not certain may be umbra's own delay.
    if (outcome !== 'fail' && (name === 'latency' || name === 'tail')) return [];
    return endpoints
      .map((pairs) => ({ pairs, ...weigh(pairs, bound, sides) }))
      .filter(({ weight }) => weight > 0)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, shownMax)
      .map(({ pairs, text }) => ({ check: name, text, ...figuresOf(pairs) }));
  });
}

const weighed: Partial<Record<CheckName, Weigh>> = {
  errors: (pairs, bound, { primary, shadow }) => {
    const { shadowErrors, primaryErrors, bothErrors, bothOk } = pairs;
    const all = bothOk + shadowErrors + primaryErrors + bothErrors;
    const isWorse = isAbove(shadowErrors, primaryErrors, all, bound);
    return {
      weight: isWorse ? shadowErrors - primaryErrors : 0,
      text: `${shadow} failed ${countText(shadowErrors + bothErrors)} of ${countText(all)} pairs and ${primary} ${countText(primaryErrors + bothErrors)}`,
    };
  },
  latency: (pairs, bound, { primary }) => {
    const { ratio } = pairs;
    const middle = ratioScale.slotOf(RATIO_ONE);
    const slower = ratio.countAbove(middle);
    const faster = ratio.count - ratio.countAbove(middle - 1);
    const isSlower = (slower - faster) / Math.sqrt(Math.max(1, slower + faster)) > z;
    const by = figuresOf(pairs).slower ?? 0;
    return {
      weight: isSlower && by > bound ? by * ratio.count : 0,
      text: `${shareText(by)} longer than ${primary} in ${countText(ratio.count)} pairs`,
    };
  },
  tail: ({ primary, shadow }, bound, sides) => {
    const slot = primary.quantileSlot(0.99);
    const [own, other] = [primary.countAbove(slot), shadow.countAbove(slot)];
    const [first, second] = [primary, shadow].map((counts) => counts.quantileUs(0.99, endpointScale));
    const isSlower = primary.count >= tailPairsMin && (other - own) / Math.sqrt(Math.max(1, own + other)) > z;
    return {
      weight: isSlower && second > (1 + bound) * first ? other - own : 0,
      text: `the p99 of ${sides.shadow} is ${durationText(second)} and that of ${sides.primary} ${durationText(first)} in ${countText(primary.count)} pairs`,
    };
  },
  status: ({ statusDifferent, bothOk }, bound) => differing('the status', statusDifferent, bothOk, bound),
  differences: ({ different, bothOk }, bound) => differing('a byte', different, bothOk, bound),
};

function differing(what: string, count: number, all: number, bound: number): Weighed {
  return {
    weight: isAbove(count, 0, all, bound) ? count : 0,
    text: `${what} differed in ${countText(count)} of ${countText(all)} pairs`,
  };
}

function isAbove(shadowOnly: number, primaryOnly: number, pairs: number, bound: number): boolean {
  if (pairs === 0) return false;
  const counts = { shadowOnly, primaryOnly, pairs };
  return shadowOnly - primaryOnly > bound * pairs && excessScore(counts, 0) > z;
}
