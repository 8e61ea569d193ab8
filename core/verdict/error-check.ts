/**
 * Does the shadow fail requests that the primary answers? Copies that the shadow is to blame for count as its
 * errors even where they were never sent: a version that is down refuses them all. Pure.
 */
import { blameOfDrop, Drop, dropReasons } from '../errors.js';
import type { Stretch } from './block-series.js';
import { type Decided, shareCheck } from './check.js';
import type { Looks } from './looks.js';
import { endedPairs, type PairCounts } from './pair-counts.js';
import type { DiscordantPairs } from './paired-shares.js';
import { latencyScale } from './slot-counts.js';
import type { VerdictBounds } from './verdict.js';

/** Above this share of copies that found the shadow down, it fails: an outage is a fact and not a sample. */
const outageShare = 0.01;
/** A version is down in a block in which it alone fails more than this share. */
const mostOf = 0.5;
/** A shadow is slow from this multiple of the primary's latency. */
const slowFactor = 2;
/** In fewer requests that is chance. */
const downErrorsMin = 10;

export interface ErrorsDecided extends Decided {
  /** Errors of each side, in `pairs`. */
  readonly primaryErrors: number;
  readonly shadowErrors: number;
  /** Errors of the shadow that are copies which were not sent because the shadow was down. */
  readonly unreachable: number;
}

export function errorCheck({ blocks, all }: Stretch, bounds: VerdictBounds, looks: Looks): ErrorsDecided {
  const check = shareCheck(
    'errors',
    blocks.map(({ pairs }) => errorsOf(pairs, all)),
    bounds.errorDelta,
    bounds,
    looks,
  );
  const unreachable = blocks.reduce((sum, { pairs }) => sum + outagesOf(pairs, all), 0);
  const isOutage = unreachable > Math.max(outageShare, bounds.errorDelta) * check.pairs;
  const { shadowOnly } = errorsOf(all, all);
  return {
    ...check,
    ...(isOutage && check.pairs >= bounds.samplesMin ? ({ outcome: 'fail', why: null } as const) : {}),
    primaryErrors: all.primaryErrors + all.bothErrors,
    shadowErrors: Math.round(shadowOnly) + all.bothErrors,
    unreachable: Math.round(unreachable),
  };
}

/**
 * Refused copies have no pair, so they count as errors of the shadow alone as far as the primary failed no
 * request meanwhile.
 */
function errorsOf(pairs: PairCounts, all: PairCounts): DiscordantPairs {
  const refused = shadowDrops(pairs, all);
  return {
    shadowOnly: pairs.shadowErrors + refused * primaryOkShare(pairs),
    primaryOnly: pairs.primaryErrors,
    pairs: endedPairs(pairs) + refused,
  };
}

/**
 * Requests that the shadow failed while it was down: refused copies, and errors where most requests failed.
 */
function outagesOf(pairs: PairCounts, all: PairCounts): number {
  const { shadowOnly, pairs: ended } = errorsOf(pairs, all);
  if (shadowOnly >= downErrorsMin && shadowOnly > mostOf * ended) return shadowOnly;
  return (pairs.dropped[Drop.NO_ENDPOINT] + pairs.dropped[Drop.BREAKER_OPEN]) * primaryOkShare(pairs);
}

function primaryOkShare(pairs: PairCounts): number {
  const ended = endedPairs(pairs);
  return ended === 0 ? 1 : 1 - (pairs.primaryErrors + pairs.bothErrors) / ended;
}

/** Copies that were dropped and that the shadow is to blame for; `all`: the pairs of the whole time. */
export function shadowDrops(pairs: PairCounts, all: PairCounts): number {
  return dropReasons.reduce((sum, _, drop) => {
    const count = pairs.dropped[drop] ?? 0;
    return count > 0 && isShadowsDrop(drop as Drop, all) ? sum + count : sum;
  }, 0);
}

/**
 * A bound on copies in flight is reached by a shadow that is slow, but also by one that is as fast and has
 * many requests, or whose copies umbra sends late and all at once on a full machine. So the shadow must be
 * slow indeed, over the whole time: while a thread stands still no copy ends at all. Whether a shadow is a
 * little slower is the business of `latency`.
 */
export function isShadowsDrop(drop: Drop, { primary, shadow }: PairCounts): boolean {
  if (drop !== Drop.IN_FLIGHT) return blameOfDrop(drop) === 'shadow';
  return shadow.count === 0 || shadow.mean(latencyScale) > slowFactor * primary.mean(latencyScale);
}
