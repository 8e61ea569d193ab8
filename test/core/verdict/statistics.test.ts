import * as fc from 'fast-check';
import { seededRandom } from '../../../core/route/random.js';
import { logEvidenceAbove, logEvidenceBelow, sequenceWidth } from '../../../core/verdict/any-time.js';
import { blockError } from '../../../core/verdict/block-mean.js';
import { dispersionOf } from '../../../core/verdict/dispersion.js';
import { excessInterval, excessScore } from '../../../core/verdict/paired-shares.js';
import { normalQuantile, studentQuantile } from '../../../core/verdict/quantiles.js';
import t from '../../support/tap.js';

const near = (found: number, wanted: number, within: number): boolean => Math.abs(found - wanted) <= within;

function uniform(seed: number): () => number {
  const word = seededRandom(new Uint32Array([seed, 2, 3, 4]));
  return () => word() / 2 ** 32;
}

t.test('quantiles are those of the tables', async (t) => {
  for (const [p, z] of [
    [0.5, 0],
    [0.95, 1.644854],
    [0.999, 3.090232],
    [0.999999, 4.753424],
    [0.025, -1.959964],
  ])
    t.ok(near(normalQuantile(p), z, 2e-6), `normal ${p}: ${normalQuantile(p)}`);
  for (const [p, df, student] of [
    [0.95, 9, 1.8331],
    [0.999, 9, 4.2968],
    [0.999, 29, 3.3962],
    [0.975, 59, 2.001],
  ])
    t.ok(near(studentQuantile(p, df), student, student / 1000), `${df} degrees: ${studentQuantile(p, df)}`);
});

t.test('the score stands on the most likely shares whose difference is the one that is tested', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 3000 }),
      fc.double({ min: 0.0005, max: 0.2, noNaN: true }),
      (shadowOnly, primaryOnly, same, delta) => {
        const pairs = shadowOnly + primaryOnly + same;
        const logLikelihood = (q: number): number =>
          plog(shadowOnly, q + delta) + plog(primaryOnly, q) + plog(same, 1 - 2 * q - delta);
        const q = highest(logLikelihood, 0, (1 - delta) / 2);
        const deviation = Math.sqrt(pairs * (2 * q + delta - delta * delta));
        const score = excessScore({ shadowOnly, primaryOnly, pairs }, delta);
        return near(
          score,
          (shadowOnly - primaryOnly - pairs * delta) / deviation,
          0.001 * (1 + Math.abs(score)),
        );
      },
    ),
  );
  t.pass();
});

function plog(count: number, share: number): number {
  return count === 0 ? 0 : count * Math.log(share);
}

/** Where a function with one peak is highest. */
function highest(of: (x: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let i = 0; i < 200; i++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (of(a) < of(b)) low = a;
    else high = b;
  }
  return (low + high) / 2;
}

t.test("at a difference of zero the score is McNemar's, and it falls as the difference rises", async (t) => {
  t.plan(1);
  const counts = fc.record({
    shadowOnly: fc.nat(500),
    primaryOnly: fc.nat(500),
    same: fc.integer({ min: 1, max: 100_000 }),
  });
  // No bound is a denormal number, whose quotients are no numbers.
  const deltas = fc.double({ min: -0.9, max: 0.8, noNaN: true }).filter((delta) => Math.abs(delta) > 1e-12);
  fc.assert(
    fc.property(counts, deltas, ({ same, ...discordant }, delta) => {
      const { shadowOnly: a, primaryOnly: b } = discordant;
      const pairs = { ...discordant, pairs: a + b + same };
      const atZero = excessScore(pairs, 0);
      const { low, high } = excessInterval(pairs, 1.645);
      return (
        (a === b ? atZero === 0 : near(atZero, (a - b) / Math.sqrt(a + b), 1e-6)) &&
        excessScore(pairs, delta) >= excessScore(pairs, delta + 0.1) &&
        low <= (a - b) / pairs.pairs + 1e-9 &&
        (a - b) / pairs.pairs <= high + 1e-9
      );
    }),
  );
  t.pass();
});

t.test('evidence that is looked at after every pair is wrong no more often than promised', async (t) => {
  const random = uniform(1);
  const [spans, pairs, share] = [2000, 1500, 0.02];
  let [above, below] = [0, 0];
  for (let span = 0; span < spans; span++) {
    const counts = { shadowOnly: 0, primaryOnly: 0, pairs: 0 };
    let [isAbove, isBelow] = [false, false];
    for (let i = 0; i < pairs; i++) {
      counts.pairs++;
      const draw = random();
      if (draw < share) counts.shadowOnly++;
      else if (draw < 2 * share) counts.primaryOnly++;
      else continue;
      isAbove ||= logEvidenceAbove(counts, 0) >= Math.log(20);
      isBelow ||= logEvidenceBelow(counts, 0) >= Math.log(20);
    }
    if (isAbove) above++;
    if (isBelow) below++;
  }
  t.ok(above / spans < 0.06 && below / spans < 0.06, `${above} and ${below} of ${spans}`);
  t.ok(logEvidenceAbove({ shadowOnly: 20, primaryOnly: 0, pairs: 1000 }, 0.001) > Math.log(1000));
  t.ok(logEvidenceBelow({ shadowOnly: 0, primaryOnly: 0, pairs: 10_000 }, 0.0005) > Math.log(20));
});

t.test('evidence against an average of several requests is wrong no more often than promised', async (t) => {
  const random = uniform(4);
  const [spans, pairs, share, group] = [1000, 1500, 0.02, 5];
  let [above, below] = [0, 0];
  for (let span = 0; span < spans; span++) {
    const counts = { shadowOnly: 0, primaryOnly: 0, pairs: 0, primaryWeight: 1 / group };
    let [isAbove, isBelow] = [false, false];
    for (let i = 0; i < pairs; i++) {
      counts.pairs++;
      if (random() < share) counts.shadowOnly++;
      for (let other = 0; other < group; other++) if (random() < share) counts.primaryOnly++;
      if (i % 10 !== 0) continue;
      isAbove ||= logEvidenceAbove(counts, 0) >= Math.log(20);
      isBelow ||= logEvidenceBelow(counts, 0) >= Math.log(20);
    }
    if (isAbove) above++;
    if (isBelow) below++;
  }
  t.ok(above / spans < 0.06 && below / spans < 0.06, `${above} and ${below} of ${spans}`);
  // 0.1 % of both fail: ten requests of the primary to one of the shadow's say more than one.
  const one = { shadowOnly: 6, primaryOnly: 6, pairs: 6000 };
  const ten = { ...one, primaryOnly: 60, primaryWeight: 0.1 };
  t.ok(logEvidenceBelow(ten, 0.002) > 1.15 * logEvidenceBelow(one, 0.002));
});

t.test('a confidence sequence is wider than one look, and holds over all looks', async (t) => {
  t.ok(sequenceWidth(0.05, 1) > 1.645);
  const random = uniform(2);
  const spans = 1000;
  let wrong = 0;
  for (let span = 0; span < spans; span++) {
    let [sum, isWrong] = [0, false];
    for (let i = 1; i <= 400; i++) {
      sum += random() + random() + random() - 1.5;
      // A sum of three uniform numbers has a variance of 1 / 4; the first look is after ten.
      if (i >= 10) isWrong ||= sum > sequenceWidth(0.05, i / 10) * Math.sqrt(i / 4);
    }
    if (isWrong) wrong++;
  }
  t.ok(wrong / spans < 0.05, `${wrong} of ${spans}`);
});

t.test('blocks that depend on each other are merged, and their error grows', async (t) => {
  const random = uniform(3);
  const independent = Array.from({ length: 60 }, () => random() - 0.5);
  const dependent = independent.map((_, i) => independent[i - (i % 4)]);
  const [a, b] = [blockError(independent)!, blockError(dependent)!];
  t.ok(near(a.standardError, Math.sqrt(60 / 12), 0.5), `${a.standardError}`);
  t.ok(b.standardError > 1.3 * a.standardError, `${b.standardError} and ${a.standardError}`);
  t.ok(b.df < 59);
  t.equal(blockError(independent.slice(0, 9)), null);
});

t.test('counts that come in bursts are dispersed, and counts that do not are not', async (t) => {
  const blocks = (counts: readonly number[]) =>
    counts.map((shadowOnly) => ({ shadowOnly, primaryOnly: 0, pairs: 200 }));
  t.equal(dispersionOf(blocks(Array.from({ length: 40 }, (_, i) => (i * 7) % 3))).dispersion, 1);
  t.ok(dispersionOf(blocks(Array.from({ length: 40 }, (_, i) => (i === 20 ? 40 : 0)))).dispersion > 20);
  t.equal(dispersionOf(blocks(Array(40).fill(0))).dispersion, 1, 'nothing has no bursts');
});
