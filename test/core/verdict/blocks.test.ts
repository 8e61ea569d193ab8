import * as fc from 'fast-check';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { Histogram } from '../../../core/record/histogram.js';
import { RATIO_ONE } from '../../../core/record/mirror-counters.js';
import { BlockSeries, evenBlocks, fewerBlocks, unitMs } from '../../../core/verdict/block-series.js';
import { biweight, type Estimator, trimmedMean } from '../../../core/verdict/location.js';
import { noPairs } from '../../../core/verdict/pair-counts.js';
import { latencyScale, ratioScale, type Scale, SlotCounts } from '../../../core/verdict/slot-counts.js';
import t from '../../support/tap.js';

function histogramOf(values: readonly number[]): Histogram {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (const value of values) counts.record(value);
  return Histogram.read([counts]);
}

const ratiosOf = (ratios: readonly number[]): SlotCounts =>
  SlotCounts.of(histogramOf(ratios.map((ratio) => ratio * RATIO_ONE)), ratioScale);

t.test('every value has one slot, slots ascend, and none is wider than its scale allows', async (t) => {
  for (const scale of [latencyScale, ratioScale]) {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000_000 }), (value) => {
        const slot = scale.slotOf(value);
        const top = scale.topOf(slot);
        return (
          top >= value &&
          scale.slotOf(top) === slot &&
          scale.slotOf(top + 1) === slot + 1 &&
          isNarrow(scale, value)
        );
      }),
    );
  }
  t.pass();
});

function isNarrow(scale: Scale, value: number): boolean {
  const slot = scale.slotOf(value);
  return slot === 0 || scale.topOf(slot) - scale.topOf(slot - 1) <= Math.max(1, value / scale.steps);
}

t.test('counts add up slot by slot, and survive being sent as text', async (t) => {
  const values = fc.array(fc.integer({ min: 0, max: 60_000_000 }), { maxLength: 50 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [first, second] = [a, b].map((all) => SlotCounts.of(histogramOf(all), latencyScale));
      const both = first.add(second);
      const same = SlotCounts.of(histogramOf([...a, ...b]), latencyScale);
      const read = SlotCounts.decode(both.encode());
      return (
        both.count === a.length + b.length &&
        String(both.slots) === String(same.slots) &&
        String(both.counts) === String(same.counts) &&
        String(read.slots) === String(both.slots) &&
        String(read.counts) === String(both.counts)
      );
    }),
  );
  t.throws(() => SlotCounts.decode('gA=='), /cut short/);
  t.throws(() => SlotCounts.decode(Buffer.from([0xff, 0x7f, 1]).toString('base64')), /more slots/);
});

t.test('a series keeps every pair, in blocks of one length that begin at its multiples', async (t) => {
  const gaps = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(gaps, fc.integer({ min: 0, max: 2 ** 40 }), (all, startMs) => {
      const series = new BlockSeries();
      let atMs = startMs;
      for (const gap of all) {
        atMs += gap;
        series.add(atMs, { ...noPairs, bothOk: 1 });
      }
      const { blocks } = series;
      const lengthMs = blocks[0].lengthMs;
      return (
        blocks.reduce((sum, { pairs }) => sum + pairs.bothOk, 0) === all.length &&
        blocks.length <= 60 &&
        Number.isInteger(Math.log2(lengthMs / unitMs)) &&
        blocks.every((block) => block.lengthMs === lengthMs && block.startMs % lengthMs === 0) &&
        blocks.every((block, i) => i === 0 || block.startMs > blocks[i - 1].startMs)
      );
    }),
    { numRuns: 30 },
  );
  t.pass();
});

t.test('blocks of two processes add up to blocks of the longer length', async (t) => {
  const block = (startMs: number, lengthMs: number) => ({
    startMs,
    lengthMs,
    pairs: { ...noPairs, bothOk: 1 },
  });
  const both = evenBlocks([
    block(0, 1000),
    block(1000, 1000),
    block(500, 250),
    block(1750, 250),
    block(2250, 250),
  ]);
  t.strictSame(
    both.map(({ startMs, lengthMs, pairs }) => [startMs, lengthMs, pairs.bothOk]),
    [
      [0, 1000, 2],
      [1000, 1000, 2],
      [2000, 1000, 1],
    ],
  );
});

t.test('fewer blocks keep every pair', async (t) => {
  const blocks = Array.from({ length: 60 }, (_, i) => ({
    startMs: i * 250,
    lengthMs: 250,
    pairs: { ...noPairs, bothOk: 1 },
  }));
  const fewer = fewerBlocks(blocks, 24);
  t.equal(fewer.length, 15);
  t.equal(
    fewer.reduce((sum, { pairs }) => sum + pairs.bothOk, 0),
    60,
  );
  t.strictSame(fewerBlocks(blocks.slice(0, 5), 24), blocks.slice(0, 5));
});

t.test('both middles of ratios turn their sign where the versions change places', async (t) => {
  const ratios = fc.array(fc.double({ min: 0.05, max: 20, noNaN: true }), { minLength: 20, maxLength: 200 });
  const turned = (estimator: Estimator, all: readonly number[]): number =>
    estimator(ratiosOf(all)).log + estimator(ratiosOf(all.map((ratio) => 1 / ratio))).log;
  // The biweight may have several solutions where few ratios fall into heaps, so it is held to a smooth law.
  fc.assert(fc.property(ratios, (all) => Math.abs(turned(trimmedMean, all)) < 0.02));
  const smooth = Array.from({ length: 2000 }, (_, i) =>
    Math.exp(Math.sin(i) / 2 + Math.cos(1.7 * i) / 3 + 0.1),
  );
  t.ok(Math.abs(turned(biweight, smooth)) < 0.005);
  const slower = Array.from({ length: 1000 }, (_, i) => 1.05 * Math.exp(Math.sin(i) / 3));
  for (const estimator of [trimmedMean, biweight]) {
    const { log } = estimator(ratiosOf(slower));
    t.ok(Math.abs(log - Math.log(1.05)) < 0.003, `${log}`);
    t.ok(Math.abs(estimator(ratiosOf(Array(100).fill(1))).log) < 1e-6, 'equal latencies are equal');
  }
});

t.test('the influence of a value is how much it moves the middle', async (t) => {
  const all = Array.from({ length: 2000 }, (_, i) => Math.exp(Math.sin(i * 1.3) / 2 + Math.cos(i * 0.7) / 3));
  for (const estimator of [trimmedMean, biweight]) {
    const { log, influence } = estimator(ratiosOf(all));
    for (const ratio of [0.8, 1, 1.3]) {
      const added = Array<number>(20).fill(ratio);
      const moved = estimator(ratiosOf([...all, ...added])).log - log;
      const expected =
        (influence[ratioScale.slotOf(Math.round(ratio * RATIO_ONE))] * added.length) / all.length;
      t.ok(
        Math.abs(moved - expected) < 0.15 * Math.abs(expected) + 5e-4,
        `${ratio}: ${moved} and ${expected}`,
      );
    }
  }
});
