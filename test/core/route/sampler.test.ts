import fc from 'fast-check';
import type { RequestHead } from '../../../core/http/message.js';
import type { SamplePlan } from '../../../core/plan.js';
import { hashed, mixed } from '../../../core/route/hash.js';
import { seededRandom } from '../../../core/route/random.js';
import { Sampler } from '../../../core/route/sampler.js';
import t from '../../support/tap.js';
import { mirror, request } from './support.js';

const WHOLE = 1_000_000;
const byUser: SamplePlan = { by: 'header', name: 'x-user' };
const nobody = { clientAddress: (): string => '' };

function seeded(seed = 1): () => number {
  return seededRandom(Uint32Array.of(seed, 2, 3, 4));
}

function noRandom(): number {
  throw new Error('no chance is asked for');
}

function user(name: string): RequestHead {
  return request({ fields: `x-user: ${name}\r\n` });
}

/** How many of `keys` a sampler by header takes. */
function taken(sampler: Sampler, share: number, keys: readonly string[]): number {
  const plan = mirror(share, byUser);
  return keys.filter((key) => sampler.chosen(plan, user(key), nobody)).length;
}

/**
 * Whether a count lies within five standard deviations of its binomial mean: wrong once in two million times.
 */
function isNear(count: number, times: number, share: number): boolean {
  const chance = share / WHOLE;
  return Math.abs(count - times * chance) <= 5 * Math.sqrt(times * chance * (1 - chance));
}

/** The users from user-0 to user-39 that are in the first quarter with salt `umbra`. */
const CHOSEN_SINCE_0_1 = ['user-0', 'user-9', 'user-14', 'user-23', 'user-24', 'user-25', 'user-28'];

const samples: SamplePlan[] = [{ by: 'random' }, { by: 'client' }, byUser, { by: 'cookie', name: 'id' }];

t.test('a share of 0 is never, one of 1_000_000 always, with or without a key, without chance', async (t) => {
  const sampler = new Sampler('salt', noRandom);
  const client = {
    clientAddress(): string {
      throw new Error('not asked for');
    },
  };
  for (const sample of samples) {
    t.notOk(sampler.chosen(mirror(0, sample), user('a'), client));
    t.ok(sampler.chosen(mirror(WHOLE, sample), user('a'), client));
    t.ok(sampler.chosen(mirror(WHOLE, sample), request({}), client), 'without the key too');
  }
});

t.test('a request without the key, or with an empty one, is not chosen', async (t) => {
  const sampler = new Sampler('salt', noRandom);
  const almost = WHOLE - 1;
  const head = request({ fields: 'x-user:\r\ncookie: id=; other=1\r\n' });
  for (const sample of samples.slice(1)) {
    t.notOk(sampler.chosen(mirror(almost, sample), request({}), nobody), `${sample.by}, absent`);
    t.notOk(sampler.chosen(mirror(almost, sample), head, nobody), `${sample.by}, empty`);
  }
});

t.test('by chance, the smallest step takes one in a million and the largest leaves one out', async (t) => {
  const one = mirror(1, { by: 'random' });
  const allButOne = mirror(WHOLE - 1, { by: 'random' });
  const chosen = (plan: typeof one, value: number) =>
    new Sampler('', () => value).chosen(plan, request({}), nobody);
  t.ok(chosen(one, 0));
  t.ok(chosen(one, 4294));
  t.notOk(chosen(one, 4295), '2^32 / 1_000_000 is 4294.97');
  t.notOk(chosen(one, 2 ** 32 - 1));
  t.ok(chosen(allButOne, 2 ** 32 - 4296));
  t.notOk(chosen(allButOne, 2 ** 32 - 1));
});

t.test('by chance, the share is met', async (t) => {
  const sampler = new Sampler('', seeded());
  for (const share of [100, 10_000, 250_000, 999_000]) {
    const plan = mirror(share, { by: 'random' });
    let count = 0;
    for (let i = 0; i < 400_000; i++) if (sampler.chosen(plan, request({}), nobody)) count++;
    t.ok(isNear(count, 400_000, share), `${share}: ${count}`);
  }
});

t.test('by key, the share is met for keys of every usual shape', async (t) => {
  const many = Array.from({ length: 50_000 }, (_, i) => i);
  const random = seeded(7);
  const hex = (): string => random().toString(16).padStart(8, '0');
  const shapes: Record<string, string[]> = {
    'counted users': many.map((i) => `user-${i}`),
    'plain numbers': many.map((i) => `${i}`),
    'numbers with zeroes in front': many.map((i) => `${i}`.padStart(12, '0')),
    'IPv4 addresses': many.map((i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
    UUIDs: many.map(() => `${hex()}-0000-4000-8000-${hex()}0000`),
    'high bytes': many.map((i) => `\xff${String.fromCharCode(0x80 + (i & 127))}\xfe${i >> 7}`),
  };
  for (const [shape, keys] of Object.entries(shapes)) {
    for (const share of [1000, 50_000, 333_333, 900_000]) {
      const count = taken(new Sampler('umbra', noRandom), share, keys);
      t.ok(isNear(count, keys.length, share), `${shape} at ${share}: ${count}`);
    }
  }
});

t.test('by key, the hash fills its range evenly', async (t) => {
  const buckets = 50;
  const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}`);
  const sampler = new Sampler('umbra', noRandom);
  // A share contains the smaller one, so differences of counts are buckets.
  let before = 0;
  let chiSquare = 0;
  const expected = keys.length / buckets;
  for (let bucket = 1; bucket <= buckets; bucket++) {
    const upTo = taken(sampler, (WHOLE / buckets) * bucket, keys);
    chiSquare += (upTo - before - expected) ** 2 / expected;
    before = upTo;
  }
  // 49 degrees of freedom: 0.999 of all uniform draws lie below 85.4, and 0.001 below 24.
  t.ok(chiSquare > 24 && chiSquare < 85.4, `chi-square ${chiSquare.toFixed(1)}`);
});

t.test('a larger share contains the smaller one', async (t) => {
  const share = fc.nat(WHOLE);
  const key = fc.string({ minLength: 1, unit: fc.constantFrom(...'abc0189-_.\xe9') });
  let inBoth = 0;
  fc.assert(
    fc.property(fc.string(), key, share, share, (salt, name, a, b) => {
      const sampler = new Sampler(salt, noRandom);
      const inSmaller = sampler.chosen(mirror(Math.min(a, b), byUser), user(name), nobody);
      const inLarger = sampler.chosen(mirror(Math.max(a, b), byUser), user(name), nobody);
      if (inSmaller && inLarger) inBoth++;
      return !inSmaller || inLarger;
    }),
    { numRuns: 2000 },
  );
  t.ok(inBoth > 100);
});

t.test('one key has one answer: on every instance, mirror and route, wherever it is found', async (t) => {
  const key = fc.string({ minLength: 1, unit: fc.constantFrom(...'abcdef0123456789') });
  let yes = 0;
  fc.assert(
    fc.property(fc.string(), key, fc.nat(WHOLE), (salt, name, share) => {
      const here = new Sampler(salt, noRandom);
      const there = new Sampler(salt, noRandom);
      const head = request({ fields: `a: b\r\nX-User: ${name}\r\nCookie: x=1; id=${name}\r\n` });
      const client = { clientAddress: () => name };
      const answers = [
        here.chosen(mirror(share, byUser), head, client),
        here.chosen(
          { ...mirror(share, byUser), slot: 9, to: 3 },
          request({ ...head, target: '/other' }),
          client,
        ),
        there.chosen(mirror(share, byUser), head, client),
        there.chosen(mirror(share, { by: 'cookie', name: 'id' }), head, client),
        there.chosen(mirror(share, { by: 'client' }), head, client),
      ];
      if (answers[0]) yes++;
      return answers.every((answer) => answer === answers[0]);
    }),
    { numRuns: 1000 },
  );
  t.ok(yes > 100 && yes < 900, `${yes} of 1000 were chosen`);
});

t.test('another salt chooses other keys', async (t) => {
  const keys = Array.from({ length: 40_000 }, (_, i) => `user-${i}`);
  const plan = mirror(200_000, byUser);
  const [a, b] = [new Sampler('blue', noRandom), new Sampler('green', noRandom)];
  const both = keys.filter((key) => a.chosen(plan, user(key), nobody) && b.chosen(plan, user(key), nobody));
  t.ok(isNear(both.length, keys.length, 40_000), `${both.length} of 40,000 in both, as if independent`);
});

t.test('salt and key do not run into each other', async (t) => {
  const keys = Array.from({ length: 1000 }, (_, i) => `${i}`);
  const plan = mirror(500_000, byUser);
  const [a, b] = [new Sampler('ab', noRandom), new Sampler('a', noRandom)];
  const differ = keys.filter(
    (key) => a.chosen(plan, user(key), nobody) !== b.chosen(plan, user(`b${key}`), nobody),
  );
  t.ok(differ.length > 300, `${differ.length}`);
});

t.test('the keys chosen are the same in every release', async (t) => {
  const keys = Array.from({ length: 40 }, (_, i) => `user-${i}`);
  const sampler = new Sampler('umbra', noRandom);
  const chosen = keys.filter((key) => sampler.chosen(mirror(250_000, byUser), user(key), nobody));
  t.same(chosen, CHOSEN_SINCE_0_1);
});

t.test(
  'a salt is hashed as UTF-8, with a zero byte behind it, and the key continues from there',
  async (t) => {
    const sampler = new Sampler('\u0141', noRandom);
    const share = 500_000;
    for (let i = 0; i < 100; i++) {
      const inSample = (mixed(hashed(`${i}`, hashed('\xc5\x81\0'))) / 2 ** 32) * WHOLE < share;
      t.equal(sampler.chosen(mirror(share, byUser), user(`${i}`), nobody), inSample, `${i}`);
    }
  },
);

t.test(
  'held back by half, a mirror keeps half of its keys, and those of a share half as large',
  async (t) => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
    const sampler = new Sampler('umbra', noRandom);
    const kept = keys.filter((key) => sampler.stays(mirror(400_000, byUser), 500_000, user(key), nobody));
    const half = keys.filter((key) => sampler.chosen(mirror(200_000, byUser), user(key), nobody));
    t.same(kept, half);
    t.notOk(sampler.stays(mirror(WHOLE, byUser), 500_000, request({}), nobody), 'without the key');
    t.notOk(sampler.stays(mirror(WHOLE, { by: 'random' }), WHOLE, request({}), nobody), 'all of it');
  },
);

t.test('held back by nine tenths at random, one in ten of the chosen requests stays', async (t) => {
  const sampler = new Sampler('', seeded());
  let count = 0;
  for (let i = 0; i < 100_000; i++)
    if (sampler.stays(mirror(1000, { by: 'random' }), 900_000, request({}), nobody)) count++;
  t.ok(isNear(count, 100_000, 100_000), `${count}`);
});
