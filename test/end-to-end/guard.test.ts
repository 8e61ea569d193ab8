// Runs over one engine: what holds mirrors back lies behind the engines.
import { askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import t from '../support/tap.js';
import { reviews, twoProxies, UmbraProcess, until } from '../support/umbra.js';

/** Slow enough that sixteen clients leave the machine to others. */
const answerMs = 5;
/** A copy that long ago still counts as load. */
const loadMs = 100;

t.test('mirrors back off when the primary fails with them, say so, and come back', async (t) => {
  let lastCopyMs = Number.NEGATIVE_INFINITY;
  let copiesHurt = true;
  const v1 = await Origin.listen((_received, response) => {
    // As if both versions stood on one machine that is too small.
    response.statusCode = copiesHurt && performance.now() - lastCopyMs < loadMs ? 503 : 200;
    setTimeout(() => response.end(), answerMs);
  });
  const v2 = await Origin.listen((_received, response) => {
    lastCopyMs = performance.now();
    response.end();
  });
  // What a busy machine does to a p99 is left out of it; test/core/mirror/guard is about that.
  const guard = { p99: '100%', errors: '1%', window: '1s', recover: '1s' };
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { percent: 0 }, umbra: { guard, threads: twoProxies } }),
  );
  let running = true;
  t.teardown(async () => {
    running = false;
    await umbra.stop();
    await Promise.all([v1.close(), v2.close()]);
  });
  const clients = (async () => {
    while (running) await askMany(umbra.port, 64, 16, () => ({}));
  })();
  const change = async (percent: number) => {
    t.equal((await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent })).status, 200);
  };
  const mirror = async () => mirrorTo(await umbra.stats(), 'v2');

  await umbra.logged(/guard: the base line of v1 is a p99 of \d+ us and 0\.00 % errors/);
  await change(100);
  await until(async () => (await mirror()).heldBackPercent >= 50, 'the guard holds copies back');
  const { json } = await umbra.admin('GET', '/api/status');
  const heldBack = { what: 'heldBack', route: 'reviews', to: 'v2', by: 'guard' };
  t.match(json, {
    live: [
      { what: 'mirror', percent: 100 },
      { ...heldBack, at: /^20\d\d-/ },
    ],
  });
  await umbra.logged(
    /guard: v1 got worse \([\d.]+ % errors against [\d.]+ %\): mirrors of reviews are reduced to [\d.]+ %/,
  );
  t.match(await umbra.metrics(), /umbra_mirror_held_back_ratio\{[^}]*\} (0\.[0-9]+|1)\n/);
  copiesHurt = false;
  await until(async () => (await mirror()).heldBackPercent === 0, 'all copies go out again');
  await umbra.logged(/guard: mirrors of reviews send 100 % of their copies again/);
  running = false;
  await clients;
  const { eligible, completed, dropped } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.ok(dropped.guard > 0, `${dropped.guard} of ${eligible} were held back`);
  t.ok(completed > 0);
});
