import fc from 'fast-check';
import { seededRandom } from '../../../core/route/random.js';
import { Sampler } from '../../../core/route/sampler.js';
import { WeightedPrimaries } from '../../../core/route/weighted-primaries.js';
import t from '../../support/tap.js';
import { mirror, request } from './support.js';

const sampler = new Sampler('umbra', seededRandom(Uint32Array.of(1, 2, 3, 4)));
const client = { clientAddress: () => '203.0.113.7' };
const byCookie = { by: 'cookie', name: 'id' } as const;
const withKey = (key: number) => request({ fields: `cookie: id=user-${key}\r\n` });
const names = ['a', 'b', 'c', 'd'];

function splitOf(weights: readonly number[]): WeightedPrimaries<number> {
  return new WeightedPrimaries(
    weights.map((_, index) => index),
    weights,
    byCookie,
    sampler,
  );
}

const keys = Array.from({ length: 2000 }, (_, key) => withKey(key));
const anyWeights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: names.length });

t.test('each part gets its share of the keys', async () => {
  fc.assert(
    fc.property(anyWeights, (weights) => {
      const split = splitOf(weights);
      const counts = weights.map(() => 0);
      for (const key of keys) counts[split.choose(key, client)]++;
      const sum = weights.reduce((a, b) => a + b, 0);
      // Five standard deviations of a binomial.
      return counts.every((count, part) => {
        const share = weights[part] / sum;
        return Math.abs(count - keys.length * share) <= 5 * Math.sqrt(keys.length * share * (1 - share)) + 1;
      });
    }),
    { numRuns: 60 },
  );
});

t.test('a part that grows at the cost of those before it keeps every key it had', async () => {
  fc.assert(
    fc.property(anyWeights, fc.nat(), fc.nat(), (weights, at, by) => {
      const part = at % weights.length;
      const grown = [...weights];
      for (let i = 0; i < part; i++) {
        const taken = Math.min(grown[i] - 1, by % grown[i]);
        grown[i] -= taken;
        grown[part] += taken;
      }
      const [before, after] = [splitOf(weights), splitOf(grown)];
      return keys.every((key) => before.choose(key, client) !== part || after.choose(key, client) === part);
    }),
    { numRuns: 60 },
  );
});

t.test('the last part has the keys that a mirror of its share copies', async (t) => {
  const split = splitOf([99, 1]);
  const one = mirror(10_000, byCookie);
  t.ok(
    Array.from({ length: 20_000 }, (_, key) => withKey(key)).every(
      (key) => sampler.chosen(one, key, client) === (split.choose(key, client) === 1),
    ),
  );
});

t.test('a request without the key goes to the first part, whatever the weights', async (t) => {
  t.equal(splitOf([1, 999]).choose(request({}), client), 0);
  t.equal(splitOf([1, 999]).choose(request({ fields: 'cookie: id=\r\n' }), client), 0);
});

t.test('only the proportion of weights counts, and a tiny one is not lost', async (t) => {
  const [percent, thousands] = [splitOf([99, 1]), splitOf([99_000, 1000])];
  t.ok(keys.every((key) => percent.choose(key, client) === thousands.choose(key, client)));
  const fixed = (value: number) => new Sampler('umbra', () => value);
  const tiny = (value: number) =>
    new WeightedPrimaries(['much', 'little'], [999_999, 1], { by: 'random' }, fixed(value));
  t.equal(tiny(4000).choose(request({}), client), 'little');
  t.equal(tiny(5000).choose(request({}), client), 'much');
});
