// Runs over one engine: copies are chosen behind the engines.
import { askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { fieldOf, Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess } from '../support/umbra.js';

const concurrency = 16;

t.test('a share of 25 % copies a quarter of the requests, within what chance allows', async (t) => {
  const requests = 6000;
  // A binomial count lies within 6 standard deviations of its mean but once in 500 million runs.
  const mean = requests / 4;
  const bound = 6 * Math.sqrt(requests * 0.25 * 0.75);
  const v1 = await Origin.listen();
  const v2 = await Origin.listen();
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { percent: 25, inFlight: 4096 }, umbra: { threads: twoProxies } }),
  );
  await askMany(
    umbra.port,
    requests,
    concurrency,
    () => ({}),
    () => null,
  );
  const mirror = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.ok(
    Math.abs(mirror.eligible - mean) <= bound,
    `${mirror.eligible} is within ${mean} ± ${Math.ceil(bound)}`,
  );
  t.equal(mirror.completed, mirror.eligible);
  t.equal(v1.received.length, requests, 'v1 gets all of them');
  t.equal(v2.received.length, mirror.eligible);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});

t.test(
  'by header, a key always gets the same answer, and a larger percentage keeps the keys of the smaller one',
  async (t) => {
    const keys = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const v1 = await Origin.listen();
    const v2 = await Origin.listen();
    const umbra = await UmbraProcess.start(
      reviews(v1.port, v2.port, {
        mirror: { percent: 25, sample: 'header:x-user', inFlight: 4096 },
        umbra: { threads: twoProxies },
      }),
    );
    /**
     * How often each key was copied in one round of three requests for each, over changing connections and
     * threads.
     */
    const round = async (): Promise<Map<string, number>> => {
      const from = v2.received.length;
      await askMany(umbra.port, 3 * keys.length, concurrency, (index) => ({
        headers: { 'x-user': keys[index % keys.length] },
      }));
      const mirror = mirrorTo(await lawHolds(t, umbra), 'v2');
      t.equal(mirror.completed, v2.received.length);
      const copied = new Map<string, number>();
      for (const received of v2.received.slice(from)) {
        const key = fieldOf(received, 'x-user')!;
        copied.set(key, (copied.get(key) ?? 0) + 1);
      }
      return copied;
    };
    const small = await round();
    t.ok(small.size > 0 && small.size < keys.length);
    t.ok(
      [...small.values()].every((count) => count === 3),
      'a key is always copied or never',
    );
    t.strictSame(
      new Set((await round()).keys()),
      new Set(small.keys()),
      'and in the next round the same ones',
    );

    const changed = await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent: 60 });
    t.equal(changed.status, 200);
    const large = await round();
    t.ok([...large.values()].every((count) => count === 3));
    t.ok(large.size > small.size && large.size < keys.length);
    t.ok(
      [...small.keys()].every((key) => large.has(key)),
      'all keys of the smaller share are in the larger one',
    );
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  },
);
