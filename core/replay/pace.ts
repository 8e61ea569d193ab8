/** When recorded requests are due. */
import type { RecordedExchange } from '../recording/reader.js';
import type { Skipped } from '../recording/recorded.js';

/** `recorded`: the recording's times, so many times as fast. `rate`: so many a second. */
export type Pace =
  | { readonly kind: 'recorded'; readonly speed: number }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'max' };

export interface Scheduled {
  readonly exchange: RecordedExchange;
  /** From the beginning of the replay on; -1: at once. */
  readonly afterUs: number;
}

/**
 * The requests that pass `filter` with their times, once or, with `loop`, for ever: `open` begins the recording anew. A recording
 * of which nothing passes is not begun again: it would never end.
 */
export function* scheduled(
  open: () => Iterable<RecordedExchange | Skipped>,
  pace: Pace,
  loop: boolean,
  filter: (exchange: RecordedExchange) => boolean,
): Generator<Scheduled | Skipped> {
  let count = 0;
  /** What the loops before took, on the recording's clock. */
  let loopsUs = 0;
  for (;;) {
    let inLoop = 0;
    let firstUs = -1;
    let lastUs = 0;
    for (const found of open()) {
      if ('reason' in found) {
        yield found;
        continue;
      }
      if (!filter(found)) continue;
      if (inLoop++ === 0) firstUs = found.timeUs;
      lastUs = Math.max(found.timeUs, firstUs);
      yield { exchange: found, afterUs: afterUs(pace, count++, loopsUs + lastUs - firstUs) };
    }
    if (!loop || inLoop === 0) return;
    const spanUs = lastUs - firstUs;
    // The first request of the next loop is as far behind the last one as requests are on average.
    loopsUs += spanUs + spanUs / Math.max(1, inLoop - 1);
  }
}

function afterUs(pace: Pace, count: number, recordedUs: number): number {
  if (pace.kind === 'max') return -1;
  return pace.kind === 'rate' ? (count * 1e6) / pace.perSecond : recordedUs / pace.speed;
}
