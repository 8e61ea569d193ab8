/** What all checks share: how an excess becomes an outcome, and shares of pairs. Pure. */
import { type Dispersion, dispersionOf, independent } from './dispersion.js';
import { type Excess, type Looks, shareExcess } from './looks.js';
import type { DiscordantPairs } from './paired-shares.js';
import { isInMostBlocks } from './sign-test.js';
import type { Check, CheckName, Outcome, VerdictBounds, Why } from './verdict.js';

/** A check without its sentence, which says the numbers of other fields. */
export type Decided = Omit<Check, 'text'>;

export function decide(
  excess: Excess,
  pairs: number,
  { samplesMin }: VerdictBounds,
): { readonly outcome: Outcome; readonly why: Why | null } {
  if (pairs < Math.max(1, samplesMin)) return { outcome: 'undecided', why: 'few-pairs' };
  if (excess.isAboveBound && excess.isAboveZero) return { outcome: 'fail', why: null };
  if (excess.isWithinBound) return { outcome: 'pass', why: null };
  return { outcome: 'undecided', why: 'wide' };
}

/** `passBoundOf` returns the field of a check that may pass within a multiple of its bound. */
export function passBoundOf(bound: number, { passFactor = 1 }: VerdictBounds): Pick<Check, 'passBound'> {
  return passFactor === 1 ? {} : { passBound: bound * passFactor };
}

const none: DiscordantPairs = { shadowOnly: 0, primaryOnly: 0, pairs: 0 };

/** A share of the shadow against a share of the primary, by blocks of time. */
export function shareCheck(
  name: CheckName,
  blocks: readonly DiscordantPairs[],
  bound: number,
  bounds: VerdictBounds,
  looks: Looks,
): Decided {
  const total = blocks.reduce(
    (a, b) => ({
      shadowOnly: a.shadowOnly + b.shadowOnly,
      primaryOnly: a.primaryOnly + b.primaryOnly,
      pairs: a.pairs + b.pairs,
    }),
    none,
  );
  const dispersion: Dispersion = total.pairs === 0 ? independent : dispersionOf(blocks);
  const excess = shareExcess(total, bound, dispersion, looks);
  const { passBound } = name === 'errors' ? passBoundOf(bound, bounds) : {};
  const isWithinBound =
    passBound === undefined
      ? excess.isWithinBound
      : passBound >= 1 || shareExcess(total, passBound, dispersion, looks).isWithinBound;
  // Where the primary can't have the property, any is above zero: nothing else would explain it.
  const isAboveZero =
    name !== 'errors' ||
    excess.isAboveZero ||
    isInMostBlocks(
      blocks.map(({ shadowOnly, primaryOnly }) => shadowOnly - primaryOnly),
      looks,
    );
  const { outcome, why } = decide({ ...excess, isAboveZero, isWithinBound }, total.pairs, bounds);
  return {
    name,
    outcome,
    why: why === 'wide' && dispersion.dispersion > 1 ? 'bursts' : why,
    measured: total.pairs === 0 ? Number.NaN : (total.shadowOnly - total.primaryOnly) / total.pairs,
    interval: excess.interval,
    bound,
    ...(passBound === undefined ? {} : { passBound: Math.min(1, passBound) }),
    pairs: total.pairs,
  };
}
