import fc from 'fast-check';
import t from 'tap';
import { baselineHitsMin, baselinePairsMin, isNoise, moreOftenP } from '../../../core/compare/noise.js';

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

t.test('what differs as often in the baseline is noise, at any size', async (t) => {
  for (const scale of [1, 10, 1000, 100_000]) {
    t.ok(
      isNoise({ count: 30 * scale, pairs: 30 * scale }, { count: 30 * scale, pairs: 30 * scale }),
      'always',
    );
    t.ok(
      isNoise({ count: 10 * scale, pairs: 30 * scale }, { count: 10 * scale, pairs: 30 * scale }),
      'at times',
    );
    t.ok(
      isNoise({ count: 5 * scale, pairs: 30 * scale }, { count: 10 * scale, pairs: 30 * scale }),
      'less often',
    );
  }
});

t.test('a real difference is never noise for want of data', async (t) => {
  t.notOk(isNoise({ count: 1, pairs: 100 }, { count: 0, pairs: 100 }), 'the baseline never shows it');
  t.notOk(isNoise({ count: 1, pairs: 100 }, { count: baselineHitsMin - 1, pairs: 1000 }));
  t.notOk(isNoise({ count: 5, pairs: 5 }, { count: 5, pairs: baselinePairsMin - 1 }));
  t.notOk(isNoise({ count: 600, pairs: 1000 }, { count: 500, pairs: 1000 }), 'it adds to a noisy field');
});
