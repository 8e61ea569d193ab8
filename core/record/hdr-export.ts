/**
 * Apart from `Histogram`, because the library behind it is large and only the control thread needs it.
 */
import { build, type Histogram as HdrHistogram } from 'hdr-histogram-js';
import { HIGHEST_US, LOWEST_US, SIGNIFICANT_DIGITS } from './hdr-layout.js';
import type { Histogram } from './histogram.js';

/**
 * The same counts as an object of hdr-histogram-js, for encoding (HdrHistogram V2). Takes milliseconds: never on a
 * thread of the data plane. A slot's count is recorded at its lowest value, so `minNonZeroValue` and `maxValue` are
 * those of slots, not the exact ones.
 */
export function toHdrHistogram(histogram: Histogram): HdrHistogram {
  const hdr = build({
    bitBucketSize: 64,
    lowestDiscernibleValue: LOWEST_US,
    highestTrackableValue: HIGHEST_US,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly: false,
  });
  histogram.forEachSlot((valueUs, count) => {
    hdr.recordValueWithCount(valueUs, count);
  });
  return hdr;
}
