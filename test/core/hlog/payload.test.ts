import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { decodePayload, encodePayload, type LoggedCounts } from '../../../core/hlog/payload.js';
import { highestIn, lowestIn, slotFor } from '../../../core/hlog/shape.js';
import { HIGHEST_US, highestInSlot, lowestInSlot, SLOTS, slotOf } from '../../../core/record/hdr-layout.js';
import t from '../../support/tap.js';
import { histogramOf, latencies } from './support.js';

/** A payload whose counts are `bytes`, in the shape of 1 to 60 s and three digits. */
function payloadOf(bytes: Buffer, { digits = 3, cookie = 0x1c849313 } = {}): string {
  const head = Buffer.alloc(40);
  head.writeInt32BE(cookie, 0);
  head.writeInt32BE(bytes.length, 4);
  head.writeInt32BE(digits, 12);
  head.writeBigInt64BE(1n, 16);
  head.writeBigInt64BE(60_000_000n, 24);
  const compressed = deflateSync(Buffer.concat([head, bytes]));
  const outer = Buffer.alloc(8);
  outer.writeInt32BE(0x1c849314, 0);
  outer.writeInt32BE(compressed.length, 4);
  return Buffer.concat([outer, compressed]).toString('base64');
}

const total = ({ counts }: LoggedCounts): number => counts.reduce((sum, count) => sum + count, 0);

t.test('what is encoded is decoded slot by slot', async (t) => {
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = histogramOf(values);
      const expected: [number, number][] = [];
      histogram.forEachSlot((_, count, slot) => expected.push([slot, count]));
      const { slots, counts, shape } = decodePayload(encodePayload(histogram));
      return (
        shape.digits === 3 && JSON.stringify(slots.map((s, i) => [s, counts[i]])) === JSON.stringify(expected)
      );
    }),
  );
  t.pass('for every example');
});

t.test('the reference reads what is encoded, and its encoding is read', async (t) => {
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = histogramOf(values);
      const theirs = decodeFromCompressedBase64(encodePayload(histogram), 64);
      const reference = build({
        bitBucketSize: 64,
        highestTrackableValue: HIGHEST_US,
        useWebAssembly: false,
      });
      for (const value of values) reference.recordValue(value);
      const ours = decodePayload(encodeIntoCompressedBase64(reference));
      return (
        theirs.totalCount === values.length &&
        theirs.getValueAtPercentile(99) === reference.getValueAtPercentile(99) &&
        total(ours) === values.length &&
        JSON.stringify(ours.slots) === JSON.stringify(decodePayload(encodePayload(histogram)).slots)
      );
    }),
  );
  t.pass('for every example');
});

t.test('large counts keep every digit', async (t) => {
  const reference = build({ bitBucketSize: 64, highestTrackableValue: HIGHEST_US, useWebAssembly: false });
  for (const count of [1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 40 + 1]) {
    reference.recordValueWithCount(count % 2047, count);
    t.ok(decodePayload(encodeIntoCompressedBase64(reference)).counts.includes(count), String(count));
  }
});

t.test('slots of any shape begin and end where the fixed one says', async (t) => {
  const shape = { lowest: 1, digits: 3 };
  for (let slot = 0; slot < SLOTS; slot += 7) {
    t.equal(lowestIn(shape, slot), lowestInSlot(slot)) || t.bailout();
    t.equal(highestIn(shape, slot), highestInSlot(slot)) || t.bailout();
    t.equal(slotFor(shape, lowestInSlot(slot)), slot) || t.bailout();
  }
  fc.assert(fc.property(fc.integer({ min: 0, max: HIGHEST_US }), (us) => slotFor(shape, us) === slotOf(us)));
});

t.test('what is no payload, or a broken one, is refused in words', async (t) => {
  const good = encodePayload(histogramOf([1, 2, 3_000_000]));
  const cases: [string, RegExp][] = [
    ['', /cut short/],
    ['HIST', /cut short/],
    [good.slice(0, -8), /cut short/],
    [good.replace('HIST', 'HISU'), /not an HdrHistogram/],
    [Buffer.from('hello, I am no histogram').toString('base64'), /not an HdrHistogram/],
    [payloadOf(Buffer.from([2]), { digits: 9 }), /unknown shape/],
    [payloadOf(Buffer.from([2]), { cookie: 0x1c849301 }), /not in the V2 encoding/],
    [payloadOf(Buffer.from([0x82])), /within a count/],
    [payloadOf(Buffer.alloc(9, 0xff)), /too large/],
    // A run of 2^40 empty slots.
    [payloadOf(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])), /more slots/],
    [payloadOf(Buffer.alloc(20 * 1024 * 1024)), /larger than/],
  ];
  for (const [text, message] of cases) t.throws(() => decodePayload(text), { message });
});

t.test('nothing that is read throws anything but an Error of words, or takes long', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const text of [payloadOf(Buffer.from(bytes)), Buffer.from(bytes).toString('base64')]) {
        try {
          const { slots, counts } = decodePayload(text);
          if (slots.length !== counts.length) return false;
        } catch (error) {
          if (!/histogram|HdrHistogram/.test((error as Error).message)) return false;
        }
      }
      return true;
    }),
  );
  t.pass('for every example');
});
