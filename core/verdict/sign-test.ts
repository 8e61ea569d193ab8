/**
 * The sign test over blocks of time: between equal versions an excess is as often the primary's as the
 * shadow's, whatever the sizes of bursts are. It finds what comes in bursts but in nearly every block.
 * Source: W. J. Conover, "Practical Nonparametric Statistics" (3rd edition, 1999), section 3.4. Pure.
 */
import { independentBlocks } from './block-mean.js';
import { independent } from './dispersion.js';
import { type Looks, shareExcess } from './looks.js';

/** `excess`: of the shadow over the primary, block by block. */
export function isInMostBlocks(excess: readonly number[], looks: Looks): boolean {
  const blocks = independentBlocks(excess);
  const signs = {
    shadowOnly: blocks.filter((sum) => sum > 0).length,
    primaryOnly: blocks.filter((sum) => sum < 0).length,
    pairs: blocks.length,
  };
  return shareExcess(signs, 0, independent, looks).isAboveZero;
}
