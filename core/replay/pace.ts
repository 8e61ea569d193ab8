/** Schedules recorded requests. */
import type { RecordedExchange } from '../recording/recorded.js';

/**
 * `recorded`: the recording's times, divided by `speed`. `rate`: `perSecond` requests a second. `max`: no
 * times.
 */
export type Pace =
  | { readonly kind: 'recorded'; readonly speed: number }
  | { readonly kind: 'rate'; readonly perSecond: number }
  | { readonly kind: 'max' };

export interface ScheduledRequest {
  readonly exchange: RecordedExchange;
  /** Microseconds from the beginning of the replay to the request; -1 for at once. */
  readonly afterUs: number;
}

/**
 * `schedule` yields the requests of `open()` with their times, once or, with `loop`, until the caller stops.
 * `open` reads the recording from its beginning. An empty recording is not repeated, because the loop would
 * never end.
 */
export function* schedule(
  open: () => Iterable<RecordedExchange>,
  pace: Pace,
  loop: boolean,
): Generator<ScheduledRequest> {
  let count = 0;
  /** Duration of the previous loops, on the recording's clock. */
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
    // The gap before the next loop is the average gap between requests.
    loopsUs += spanUs + spanUs / Math.max(1, inLoop - 1);
  }
}

function afterUs(pace: Pace, count: number, recordedUs: number): number {
  if (pace.kind === 'max') return -1;
  return pace.kind === 'rate' ? (count * 1e6) / pace.perSecond : recordedUs / pace.speed;
}
