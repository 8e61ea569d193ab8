/** How much more traffic an undecided check needs, for the person who waits for it. Pure. */
import { countText, spanText } from '../report/figures.js';

export interface Undecided {
  /** The excess that was measured, and the upper end of its interval: fractions. */
  readonly measured: number;
  readonly high: number;
  /** The excess that passes. */
  readonly bound: number;
  /** What the interval is of: requests of the new version, and the seconds in which it got them. */
  readonly requests: number;
  readonly seconds: number;
}

/**
 * `moreText` assumes that what was measured stays, and that an interval becomes narrower with the root of the
 * number of requests, or with their number where nothing was found at all. A measured excess below 0 is taken
 * for luck. Returns '' where nothing can be concluded.
 */
export function moreText({ measured, high, bound, requests, seconds }: Undecided): string {
  if (!Number.isFinite(high) || !(requests > 0) || !Number.isFinite(bound)) return '';
  if (measured >= bound) return '; it passes only if the measured excess falls below that';
  const ratio = (high - measured) / (bound - Math.max(0, measured));
  const more = (measured === 0 ? ratio : ratio ** 2) - 1;
  if (!(more > 0)) return '';
  return `; about ${countText(more * requests)} more requests, ${spanText(more * seconds)} at this rate, would decide`;
}
