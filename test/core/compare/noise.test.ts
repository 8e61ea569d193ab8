import fc from 'fast-check';
import {
  holm,
  marginalExcess,
  moreOftenP,
  noiseAlpha,
  pairedExcess,
  signP,
} from '../../../core/compare/noise.js';
import t from '../../support/tap.js';
import { seeded } from './simulated.js';

function choose(n: number, k: number): bigint {
  let result = 1n;
  for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1);
  return result;
}

/** The tail summed in whole numbers. */
function exactP(count: number, pairs: number, baselineCount: number, baselinePairs: number): number {
  const hits = count + baselineCount;
  let tail = 0n;
  for (let k = count; k <= Math.min(hits, pairs); k++) {
    if (hits - k <= baselinePairs) tail += choose(pairs, k) * choose(baselinePairs, hits - k);
  }
  return Number((tail * 10n ** 15n) / choose(pairs + baselinePairs, hits)) / 1e15;
}

const frequency = fc
  .tuple(fc.integer({ min: 1, max: 80 }), fc.nat())
  .map(([pairs, count]) => ({ pairs, count: count % (pairs + 1) }));

t.test('the p-value is that of the exact test', async () => {
  fc.assert(
    fc.property(frequency, frequency, (shadow, baseline) => {
      const expected = exactP(shadow.count, shadow.pairs, baseline.count, baseline.pairs);
      return Math.abs(moreOftenP(shadow, baseline) - expected) < 1e-9;
    }),
    { numRuns: 500 },
  );
});

t.test("Fisher's tea taster has the p-value of the textbook", async (t) => {
  t.ok(Math.abs(moreOftenP({ count: 4, pairs: 4 }, { count: 0, pairs: 4 }) - 1 / 70) < 1e-12);
  t.ok(Math.abs(moreOftenP({ count: 3, pairs: 4 }, { count: 1, pairs: 4 }) - 17 / 70) < 1e-12);
});

t.test('the evidence of triples is that of the mixture, integrated by hand', async () => {
  const integral = (s: number, f: number): number => {
    const steps = 20_000;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const q = 0.5 + (i + 0.5) / (2 * steps);
      sum += Math.exp((s + f + 1) * Math.LN2 + s * Math.log(q) + f * Math.log(1 - q)) / (2 * steps);
    }
    return sum;
  };
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), (s, f) => {
      const p = signP(s, f);
      if (s <= f) return p === 1;
      return Math.abs(p * Math.max(1, integral(s, f)) - 1) < 1e-4;
    }),
    { numRuns: 100 },
  );
});

t.test('a fair coin that is looked at after every throw seldom speaks for a difference', async (t) => {
  const random = seeded(1);
  const runs = 2000;
  let crossed = 0;
  for (let run = 0; run < runs; run++) {
    let heads = 0;
    for (let n = 1; n <= 500; n++) {
      if (random() < 0.5) heads++;
      if (signP(heads, n - heads) > 0.05) continue;
      crossed++;
      break;
    }
  }
  t.ok(crossed / runs <= 0.05, `${crossed} of ${runs} crossed 5 %`);
});

t.test('a side that alone has it is found after ten times, or a few more', async (t) => {
  t.ok(signP(8, 0) > noiseAlpha);
  t.ok(signP(12, 0) < noiseAlpha);
  t.ok(signP(600, 400) < 1e-6);
  t.ok(signP(5_000_000, 5_000_000) === 1);
});

t.test('of many places, few are rejected by chance', async (t) => {
  t.strictSame(holm([0.01, 0.04, 0.03], 0.05), [true, false, false]);
  t.strictSame(holm([0.01, 0.02, 0.04], 0.05), [true, true, true]);
  t.strictSame(holm([], 0.05), []);
});

t.test('an excess is around what the shadow has more often', async (t) => {
  t.strictSame(pairedExcess(0, 0, 1000, 1000), { low: 0, high: 0 });
  const { low, high } = pairedExcess(60, 40, 1000, 2000);
  t.ok(low > 0 && low < 40 && high > 40 && high < 80);
  t.strictSame(marginalExcess({ count: 9, pairs: 9 }, { count: 9, pairs: 9 }), { low: 0, high: 0 });
  t.strictSame(marginalExcess({ count: 9, pairs: 9 }, { count: 0, pairs: 0 }), { low: 0, high: 9 });
});
