import { seededRandom } from '../../../core/route/random.js';
import t from '../../support/tap.js';

t.test('the numbers are those of the published xoshiro128**', async (t) => {
  // From its definition with state 1, 2, 3, 4: rotl(2 * 5, 7) * 9 = 11520, then rotl(0, 7) * 9 = 0, …
  const random = seededRandom(Uint32Array.of(1, 2, 3, 4));
  t.same([random(), random(), random(), random()], [11520, 0, 5927040, 70819200]);
});

t.test('every bit of the numbers is one half of the time', async (t) => {
  const random = seededRandom(Uint32Array.of(0xffffffff, 1, 0x80000000, 12345));
  const times = 100_000;
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < times; i++) {
    const value = random();
    for (let bit = 0; bit < 32; bit++) ones[bit]! += (value >>> bit) & 1;
  }
  const fiveDeviations = 5 * Math.sqrt(times / 4);
  t.ok(ones.every((count) => Math.abs(count - times / 2) < fiveDeviations));
});

t.test('one seed gives one row of numbers, another gives another', async (t) => {
  const row = (seed: number): number[] => {
    const random = seededRandom(Uint32Array.of(seed, 0, 0, 0));
    return Array.from({ length: 20 }, random);
  };
  t.same(row(5), row(5));
  t.not(row(5).join(), row(6).join());
});

t.test('a seed of zeroes, or of another length, is refused', async (t) => {
  t.throws(() => seededRandom(new Uint32Array(4)), RangeError);
  t.throws(() => seededRandom(Uint32Array.of(1, 2, 3)), RangeError);
});
