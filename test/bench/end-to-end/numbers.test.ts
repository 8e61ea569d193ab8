import { binomialQuantile, median, medianInterval, spread } from '../../../bench/end-to-end/numbers.js';
import { isAtMost } from '../../../bench/end-to-end/verdict.js';
import t from '../../support/tap.js';

t.test('the median of an odd count is the middle value by size, not by text', async (t) => {
  t.equal(median([100, 9, 20]), 20);
});

t.test('the median of an even count lies between the two in the middle', async (t) => {
  t.equal(median([1, 100, 3, 5]), 4);
});

t.test('the values that were handed in stay as they were', async (t) => {
  const values = [3, 1, 2];
  median(values);
  t.same(values, [3, 1, 2]);
});

t.test('nothing measured is not zero', async (t) => {
  t.ok(Number.isNaN(median([])));
  const { min, median: middle, max } = spread([]);
  t.ok([min, middle, max].every(Number.isNaN));
});

t.test('a spread is the median between the extremes', async (t) => {
  t.same(spread([7, 5, 9]), { median: 7, min: 5, max: 9 });
});

t.test(
  'a median of twelve lies between the third and the tenth: P(X <= 2) is 0.019, P(X <= 3) 0.073',
  async (t) => {
    t.same(medianInterval([12, 1, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6]), { low: 3, high: 10 });
    t.same(medianInterval([6, 5, 4, 3, 2, 1]), { low: 1, high: 6 });
  },
);

t.test('of five values not even the extremes hold the median with 95 %', async (t) => {
  for (const few of [[], [1], [1, 2, 3, 4, 5]])
    t.same(medianInterval(few), { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
});

t.test('an interval on both sides of an aim is not judged', async (t) => {
  t.equal(isAtMost({ low: 0.9, high: 1 }, 1), true);
  t.equal(isAtMost({ low: 1.1, high: 2 }, 1), false);
  t.equal(isAtMost({ low: 0.9, high: 1.1 }, 1), null);
});

t.test('a quantile of the binomial is that of its sums', async (t) => {
  const sums = (n: number, p: number, probability: number): number => {
    let [k, term] = [0, (1 - p) ** n];
    let sum = term;
    while (sum < probability && k < n) {
      term *= ((n - k) / (k + 1)) * (p / (1 - p));
      sum += term;
      k++;
    }
    return k;
  };
  for (const n of [1, 10, 100, 300]) {
    for (const p of [0.01, 0.5, 0.9]) {
      for (const probability of [0.025, 0.5, 0.975]) {
        t.equal(binomialQuantile(n, p, probability), sums(n, p, probability), `${n} ${p} ${probability}`);
      }
    }
  }
  t.equal(binomialQuantile(1e9, 0.99, 0.5), 990_000_000, 'at a thousand million too');
});
