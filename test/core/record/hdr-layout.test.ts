import fc from 'fast-check';
import { build } from 'hdr-histogram-js';
import type JsHistogram from 'hdr-histogram-js/dist/JsHistogram.js';
import {
  HIGHEST_US,
  highestInSlot,
  LOWEST_US,
  lowestInSlot,
  SIGNIFICANT_DIGITS,
  SLOTS,
  slotOf,
} from '../../../core/record/hdr-layout.js';
import t from '../../support/tap.js';

/** The reference: its index arithmetic is not in its public type. */
const reference = build({
  bitBucketSize: 64,
  lowestDiscernibleValue: LOWEST_US,
  highestTrackableValue: HIGHEST_US,
  numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
  useWebAssembly: false,
}) as unknown as JsHistogram.default;

function sameAsReference(valueUs: number): boolean {
  const slot = slotOf(valueUs);
  return (
    slot === reference.countsArrayIndex(valueUs) &&
    lowestInSlot(slot) === reference.lowestEquivalentValue(valueUs) &&
    highestInSlot(slot) === reference.highestEquivalentValue(valueUs)
  );
}

t.test('the layout has as many slots as the reference', async (t) => {
  t.equal(SLOTS, reference.countsArrayLength);
});

t.test(
  'slots and their bounds are those of the reference at every power of two and its neighbours',
  async (t) => {
    const values = [0, 1, HIGHEST_US - 1, HIGHEST_US];
    for (let power = 2; power < HIGHEST_US; power *= 2) values.push(power - 1, power, power + 1);
    for (const valueUs of values) t.ok(sameAsReference(valueUs), `${valueUs} us`);
  },
);

t.test('slots and their bounds are those of the reference for any value', async (t) => {
  fc.assert(fc.property(fc.integer({ min: 0, max: HIGHEST_US }), sameAsReference), { numRuns: 5000 });
  t.pass('for every example');
});

t.test('the slots cover the values without gap or overlap', async (t) => {
  t.equal(lowestInSlot(0), 0);
  for (let slot = 1; slot < SLOTS; slot++) {
    if (lowestInSlot(slot) !== highestInSlot(slot - 1) + 1)
      t.fail(`slot ${slot} does not follow slot ${slot - 1}`);
  }
  t.ok(highestInSlot(SLOTS - 1) >= HIGHEST_US);
});

t.test('no slot is wider than a thousandth of its values', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: HIGHEST_US }), (valueUs) => {
      const slot = slotOf(valueUs);
      return highestInSlot(slot) - lowestInSlot(slot) <= valueUs / 1000;
    }),
  );
  t.pass('for every example');
});
