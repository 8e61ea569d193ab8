/** The state of a recording or a stream in few words, for reports and live views. Pure. */
import { dropReasons } from '../errors.js';
import type { MirrorSnapshot } from '../record/snapshot.js';
import { withoutTrailing } from '../trim.js';
import { bytesText, countText } from './figures.js';

/**
 * `keptText` returns `kept 4 210 copies, 12.3 MiB in 3 files`, the lag, and the reason if nothing can be kept
 * now.
 */
export function keptText({ completed, keptBytes, segments, lag, trouble }: MirrorSnapshot): string {
  const files = segments === 0 ? '' : ` in ${countText(segments)} file${segments === 1 ? '' : 's'}`;
  return [
    `kept ${countText(completed)} copies, ${bytesText(keptBytes)}${files}`,
    ...(lag < 0 ? [] : [lagText(lag)]),
    ...(trouble < 0 ? [] : [`stopped: ${dropReasons[trouble]}`]),
  ].join('; ');
}

export function lagText(messages: number): string {
  return `lag ${countText(messages)} message${messages === 1 ? '' : 's'}`;
}

/**
 * `shortTarget` removes the scheme and the place: `umbra.reviews` of a stream, `recordings` of
 * `file:./recordings`.
 */
export function shortTarget(to: string): string {
  const bare = withoutTrailing(to, '/');
  return to.slice(Math.max(bare.lastIndexOf('/'), bare.lastIndexOf(':')) + 1);
}
