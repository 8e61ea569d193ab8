import t, { type Test } from 'tap';
import { HdrCounts } from '../../../core/record/hdr-counts.js';
import { Histogram } from '../../../core/record/histogram.js';
import {
  binomialQuantile,
  differenceInterval,
  type Interval,
  proportionInterval,
  quantileInterval,
  quantileRatioInterval,
} from '../../../core/report/intervals.js';

/** A generator with a seed (mulberry32), so that a simulation comes out the same every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function histogramOf(values: Iterable<number>): Histogram {
  const counts = new HdrCounts(new SharedArrayBuffer(HdrCounts.bytes), 0);
  for (const valueUs of values) counts.record(valueUs);
  return Histogram.read([counts]);
}

function near(t: Test, found: Interval, low: number, high: number, name: string): void {
  t.ok(
    Math.abs(found.low - low) < 0.0001 && Math.abs(found.high - high) < 0.0001,
    `${name}: ${JSON.stringify(found)}`,
  );
}

t.test("Wilson's interval has the published values", async (t) => {
  // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3.
  near(t, proportionInterval(81, 263), 0.2553, 0.3662, '81 of 263');
  near(t, proportionInterval(15, 148), 0.0624, 0.1605, '15 of 148');
  near(t, proportionInterval(0, 20), 0, 0.1611, 'none of 20');
  near(t, proportionInterval(1, 29), 0.0061, 0.1718, '1 of 29');
  t.strictSame(proportionInterval(0, 0), { low: 0, high: 1 });
});

t.test("Newcombe's interval has the published values", async (t) => {
  // Newcombe (1998), "Interval estimation for the difference between independent proportions", table II,
  // method 10.
  const of = (a: number, m: number, b: number, n: number): Interval =>
    differenceInterval({ hits: b, count: n }, { hits: a, count: m });
  near(t, of(56, 70, 48, 80), 0.0524, 0.3339, '56/70 and 48/80');
  near(t, of(9, 10, 3, 10), 0.1705, 0.809, '9/10 and 3/10');
  near(t, of(5, 56, 0, 29), -0.0381, 0.1926, '5/56 and 0/29');
  near(t, of(0, 10, 0, 10), -0.2775, 0.2775, '0/10 and 0/10');
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

t.test('the ranks around a median are those of the tables', async (t) => {
  // The interval of order statistics for a median at 95 %: n = 20 takes the 6th and the 15th value.
  const interval = quantileInterval(histogramOf(Array.from({ length: 20 }, (_, i) => i + 1)), 0.5);
  t.strictSame(interval, { low: 6, high: 15 });
});

t.test('a p99 of too few values has no upper end', async (t) => {
  const of = (n: number) => quantileInterval(histogramOf(Array.from({ length: n }, (_, i) => i + 1)), 0.99);
  // 0.99^n must fall to 0.025.
  t.equal(of(367).high, Number.POSITIVE_INFINITY);
  t.equal(of(368).high, 368);
  t.equal(quantileInterval(histogramOf([]), 0.99).high, Number.POSITIVE_INFINITY);
});

/** Draws latencies in microseconds. */
const distributions: Record<string, (random: () => number) => number> = {
  exponential: (random) => -5000 * Math.log(1 - random()),
  lognormal: (random) =>
    2000 * Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  'of two kinds': (random) => (random() < 0.985 ? 1000 + 100 * random() : 50_000 + 20_000 * random()),
  'of few values': (random) => [100, 100, 200, 1000][Math.floor(random() * 4)],
};

for (const [name, draw] of Object.entries(distributions)) {
  t.test(
    `the ratio of p99s of latencies that are ${name} is within its interval at least as often as promised`,
    async (t) => {
      const random = generator(20_261_124);
      const samples = (n: number, factor: number) =>
        histogramOf(Array.from({ length: n }, () => draw(random) * factor));
      let [covered, runs] = [0, 400];
      for (let run = 0; run < runs; run++) {
        const { low, high } = quantileRatioInterval(samples(1500, 1), samples(1000, 2), 0.99);
        if (low <= 2.002 && high >= 1.998) covered++;
      }
      // 95 % promised; three standard deviations of 400 runs are 3.3 %.
      t.ok(covered / runs >= 0.917, `${covered} of ${runs}`);
    },
  );
}

t.test('an interval narrows as samples come in', async (t) => {
  const random = generator(7);
  const of = (n: number) => histogramOf(Array.from({ length: n }, () => distributions.exponential(random)));
  const width = ({ low, high }: Interval) => high / low;
  const [small, large] = [1000, 16_000].map((n) => width(quantileRatioInterval(of(n), of(n), 0.99)));
  t.ok(large < small, `${large} ${small}`);
  t.ok(large < 1.25, String(large));
});

t.test('the difference of shares is within its interval as often as promised', async (t) => {
  const random = generator(3);
  const hits = (n: number, p: number) => {
    let count = 0;
    for (let i = 0; i < n; i++) if (random() < p) count++;
    return { hits: count, count: n };
  };
  for (const [p, q] of [
    [0.01, 0.02],
    [0.001, 0.001],
    [0.3, 0.25],
  ]) {
    let covered = 0;
    for (let run = 0; run < 400; run++) {
      const { low, high } = differenceInterval(hits(1000, p), hits(1500, q));
      if (low <= q - p && high >= q - p) covered++;
    }
    t.ok(covered / 400 >= 0.917, `${p} ${q}: ${covered} of 400`);
  }
});
