import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { HIGHEST_US, lowestInSlot, SLOTS, slotOf } from '../../../core/record/hdr-layout.js';
import t from '../../support/tap.js';

const OFFSET = 64;

function block(): { shared: SharedArrayBuffer; counts: HdrCounts } {
  const shared = new SharedArrayBuffer(OFFSET + HdrCounts.bytes);
  return { shared, counts: new HdrCounts(shared, OFFSET) };
}

function slots(counts: HdrCounts): Map<number, number> {
  const all = new Float64Array(SLOTS);
  counts.addTo(all, 0);
  return new Map([...all.entries()].filter(([, count]) => count > 0));
}

t.test('values are rounded to whole microseconds', async (t) => {
  const { counts } = block();
  for (const valueUs of [0, 0.49, 0.5, 1.49, 1.5]) counts.record(valueUs);
  t.strictSame(
    [...slots(counts)],
    [
      [0, 2],
      [1, 2],
      [2, 1],
    ],
  );
  t.equal(counts.sumUs, 4);
});

t.test('count, sum, minimum and maximum are exact', async (t) => {
  const { counts } = block();
  t.strictSame([counts.count, counts.sumUs, counts.minUs, counts.maxUs], [0, 0, 0, 0]);
  for (const valueUs of [5001, 77_777, 123]) counts.record(valueUs);
  t.strictSame([counts.count, counts.sumUs, counts.minUs, counts.maxUs], [3, 82_901, 123, 77_777]);
});

t.test('a minimum of zero stays the minimum', async (t) => {
  const { counts } = block();
  counts.record(0);
  counts.record(9);
  t.equal(counts.minUs, 0);
});

t.test('values above the highest count as the highest, and as clamped', async (t) => {
  const { counts } = block();
  for (const valueUs of [HIGHEST_US, HIGHEST_US + 1, 1e12, Number.POSITIVE_INFINITY, Number.NaN])
    counts.record(valueUs);
  t.strictSame([...slots(counts)], [[slotOf(HIGHEST_US), 5]]);
  t.equal(counts.clamped, 4);
  t.equal(counts.maxUs, HIGHEST_US);
  t.equal(counts.sumUs, 5 * HIGHEST_US);
});

t.test('values below zero count as zero', async (t) => {
  const { counts } = block();
  counts.record(-1);
  counts.record(Number.NEGATIVE_INFINITY);
  t.strictSame([...slots(counts)], [[0, 2]]);
  t.equal(counts.clamped, 0);
});

t.test('a block writes nothing outside its bytes', async (t) => {
  const shared = new SharedArrayBuffer(OFFSET + HdrCounts.bytes + OFFSET);
  const counts = new HdrCounts(shared, OFFSET);
  for (let slot = 0; slot < SLOTS; slot++) counts.record(lowestInSlot(slot));
  const bytes = new Uint8Array(shared);
  t.ok(bytes.subarray(0, OFFSET).every((byte) => byte === 0));
  t.ok(bytes.subarray(OFFSET + HdrCounts.bytes).every((byte) => byte === 0));
});

t.test('counts continue above the range of 32 bits', async (t) => {
  const { shared, counts } = block();
  const words = new Float64Array(shared, OFFSET);
  words[0] = 2 ** 32;
  counts.record(1);
  t.equal(counts.count, 2 ** 32 + 1);
});

t.test('a block continues where a dead thread left it, and another thread reads it', async (t) => {
  const { shared, counts } = block();
  const fixture = new URL('./recording-thread.js', import.meta.url);
  for (const valueUs of [100, 200]) {
    const worker = new Worker(fixture, {
      workerData: { shared, byteOffset: OFFSET, valueUs, times: 50_000 },
    });
    await once(worker, 'exit');
  }
  t.strictSame(
    [...slots(counts)],
    [
      [100, 50_000],
      [200, 50_000],
    ],
  );
  t.strictSame([counts.count, counts.minUs, counts.maxUs], [100_000, 100, 200]);
});
