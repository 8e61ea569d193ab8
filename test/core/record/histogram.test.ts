import fc from 'fast-check';
import { build, type Histogram as Reference } from 'hdr-histogram-js';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { HIGHEST_US } from '../../../core/record/hdr-layout.js';
import { Histogram, signedPercentileUs } from '../../../core/record/histogram.js';
import t from '../../support/tap.js';

function blockOf(values: readonly number[]): HdrCounts {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (const valueUs of values) counts.record(valueUs);
  return counts;
}

function histogramOf(...blocks: readonly number[][]): Histogram {
  return Histogram.read(blocks.map(blockOf));
}

/** The same counts as an object of the reference. */
function referenceOf(histogram: Histogram): Reference {
  const reference = build({ bitBucketSize: 64, highestTrackableValue: HIGHEST_US, useWebAssembly: false });
  histogram.forEachSlot((valueUs, count) => reference.recordValueWithCount(valueUs, count));
  return reference;
}

/** Small and large values alike: a uniform choice would hardly ever be below a second. */
const latency = fc
  .tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 2 ** 26 }))
  .map(([bits, value]) => Math.min(HIGHEST_US, value >> bits));
const latencies = fc.array(latency, { minLength: 1, maxLength: 300 });
const percentile = fc.oneof(
  fc.constantFrom(50, 90, 99, 99.9, 100),
  fc.double({ min: 0.001, max: 100, noNaN: true }),
);

/**
 * The value in a sorted list that a percentile asks for: the smallest that p per cent of the values do not
 * exceed.
 */
function exactPercentile(sorted: readonly number[], p: number): number {
  return sorted.find((_, i) => (i + 1) * 100 >= p * sorted.length * (1 - 1e-15)) ?? sorted[sorted.length - 1];
}

t.test('a percentile is exact to three digits', async (t) => {
  fc.assert(
    fc.property(latencies, percentile, (values, p) => {
      const exact = exactPercentile(
        [...values].sort((a, b) => a - b),
        p,
      );
      const measured = histogramOf(values).percentileUs(p);
      return measured >= exact && measured <= exact * 1.001;
    }),
  );
  t.pass('for every example');
});

t.test('a percentile is that of the reference, or the maximum where the reference exceeds it', async (t) => {
  fc.assert(
    fc.property(latencies, percentile, (values, p) => {
      const histogram = histogramOf(values);
      const reference = referenceOf(histogram).getValueAtPercentile(p);
      return histogram.percentileUs(p) === Math.min(reference, Math.max(...values));
    }),
  );
  t.pass('for every example');
});

t.test('99.9 % of a thousand values is the 999th, not the last', async (t) => {
  const histogram = histogramOf(Array.from({ length: 1000 }, (_, i) => i + 1));
  t.equal(histogram.percentileUs(99.9), 999);
  t.equal(histogram.percentileUs(100), 1000);
});

t.test('mean, minimum and maximum are exact', async (t) => {
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = histogramOf(values);
      return (
        histogram.count === values.length &&
        histogram.meanUs === values.reduce((a, b) => a + b, 0) / values.length &&
        histogram.minUs === Math.min(...values) &&
        histogram.maxUs === Math.max(...values)
      );
    }),
  );
  t.pass('for every example');
});

t.test('an empty histogram answers zero to everything', async (t) => {
  const empty = histogramOf([], []);
  t.strictSame(
    [empty.count, empty.meanUs, empty.minUs, empty.maxUs, empty.percentileUs(99)],
    [0, 0, 0, 0, 0],
  );
  t.strictSame(empty.cumulative([1, 10]), [0, 0]);
  t.equal(referenceOf(empty).totalCount, 0);
});

t.test('the blocks of several threads add up to one histogram', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.array(latency, { maxLength: 50 }), { minLength: 1, maxLength: 4 }), (blocks) => {
      const apart = histogramOf(...blocks);
      const together = histogramOf(blocks.flat());
      return fc.stringify(apart) === fc.stringify(together);
    }),
  );
  t.pass('for every example');
});

t.test('the difference of two histograms is what came between them', async (t) => {
  fc.assert(
    fc.property(fc.array(latency), fc.array(latency), (before, after) => {
      const block = blockOf(before);
      const earlier = Histogram.read([block]);
      for (const valueUs of after) block.record(valueUs);
      const between = Histogram.read([block]).subtract(earlier);
      const expected = histogramOf(after);
      const near = (a: number, b: number) => Math.abs(a - b) <= b / 1000;
      return (
        between.count === after.length &&
        between.sumUs === expected.sumUs &&
        near(between.maxUs, expected.maxUs) &&
        near(between.minUs, expected.minUs) &&
        near(between.percentileUs(50), expected.percentileUs(50))
      );
    }),
  );
  t.pass('for every example');
});

t.test('cumulative counts are those of the values, but for the slot of a bound', async (t) => {
  fc.assert(
    fc.property(latencies, fc.uniqueArray(latency, { minLength: 1 }), (values, bounds) => {
      const ascending = bounds.sort((a, b) => a - b);
      const counted = histogramOf(values).cumulative(ascending);
      return ascending.every((bound, i) => {
        const atMost = values.filter((value) => value <= bound).length;
        const nearly = values.filter((value) => value <= bound * 1.001).length;
        return counted[i] >= atMost && counted[i] <= nearly;
      });
    }),
  );
  t.pass('for every example');
});

t.test('a signed percentile runs from the most negative value to the most positive', async (t) => {
  fc.assert(
    fc.property(fc.array(latency), fc.array(latency.map((us) => us + 1)), percentile, (above, below, p) => {
      fc.pre(above.length + below.length > 0);
      const sorted = [...above, ...below.map((us) => -us)].sort((a, b) => a - b);
      const exact = exactPercentile(sorted, p);
      const measured = signedPercentileUs(histogramOf(below), histogramOf(above), p);
      return Math.sign(measured) === Math.sign(exact) && Math.abs(measured - exact) <= Math.abs(exact) / 1000;
    }),
  );
  t.pass('for every example');
});

t.test('two histograms added are the histogram of all their values', async () => {
  fc.assert(
    fc.property(fc.array(latency, { maxLength: 50 }), fc.array(latency, { maxLength: 50 }), (a, b) => {
      const sum = histogramOf(a).add(histogramOf(b));
      const whole = histogramOf(a, b);
      const [own, expected] = [sum, whole].map((one) => {
        const slots: number[] = [];
        one.forEachSlot((valueUs, count) => slots.push(valueUs, count));
        return JSON.stringify([one.count, one.sumUs, one.minUs, one.maxUs, slots]);
      });
      return own === expected;
    }),
  );
});
