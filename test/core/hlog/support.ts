import fc from 'fast-check';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { HIGHEST_US } from '../../../core/record/hdr-layout.js';
import { Histogram } from '../../../core/record/histogram.js';

export function histogramOf(values: readonly number[]): Histogram {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (const valueUs of values) counts.record(valueUs);
  return Histogram.read([counts]);
}

/** Small and large values alike: a uniform choice would hardly ever be below a second. */
export const latencies = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 2 ** 26 }))
    .map(([bits, value]) => Math.min(HIGHEST_US, value >> bits)),
  { minLength: 1, maxLength: 300 },
);
