/** When recorded requests are due. */
import type { RecordedExchange } from '../recording/recorded.js';

/** `recorded`: the recording's times, so many times as fast. `rate`: so many a second. */
export type Pace =
  | { readonly kind: 'recorded'; readonly speed: number }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'max' };

export interface ScheduledRequest {
  readonly exchange: RecordedExchange;
  /** When the request is due, from the beginning of the replay; -1: at once. */
  readonly afterUs: number;
}

/**
 * The requests of `open()` with their times, once or, with `loop`, until the caller stops: `open` begins the
 * recording again. A recording without requests is not begun again: it would never end.
 */
export function* schedule(
  open: () => Iterable<RecordedExchange>,
  pace: Pace,
  loop: boolean,
): Generator<ScheduledRequest> {
  let count = 0;
  /** What the loops before took, on the recording's clock. */
  let loopsUs = 0;
  for (;;) {
    let inLoop = 0;
    let firstUs = -1;
    let lastUs = 0;
    for (const exchange of open()) {
      if (inLoop++ === 0) firstUs = exchange.timeUs;
      lastUs = exchange.timeUs;
      yield { exchange, afterUs: afterUs(pace, count++, loopsUs + lastUs - firstUs) };
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
