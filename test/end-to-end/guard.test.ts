import t from 'tap';
import { askMany } from '../support/client.js';
import { lawHolds, mirrorTo } from '../support/law.js';
import { Origin } from '../support/origin.js';
import { reviews, UmbraProcess, until } from '../support/umbra.js';

/** How long v1 answers while v2 gets no copies, and how much later while it does. */
const answerMs = 1;
const sharedMs = 40;
/** A copy that long ago still counts as load. */
const loadMs = 100;

t.test('mirrors back off when the primary gets slower with them, say so, and come back', async (t) => {
  let lastCopyMs = Number.NEGATIVE_INFINITY;
  let copiesHurt = true;
  const v1 = await Origin.listen((_received, response) => {
    // As if both versions stood on one machine that is too small.
    const hurt = copiesHurt && performance.now() - lastCopyMs < loadMs;
    setTimeout(() => response.end(), hurt ? sharedMs : answerMs);
  });
  const v2 = await Origin.listen((_received, response) => {
    lastCopyMs = performance.now();
    response.end();
  });
  const guard = { p99: '50%', errors: '1%', window: '500ms', recover: '500ms' };
  const umbra = await UmbraProcess.start(
    reviews(v1.port, v2.port, { mirror: { percent: 0 }, umbra: { guard } }),
  );
  let running = true;
  let asked = 0;
  const clients = (async () => {
    while (running) {
      const answers = await askMany(umbra.port, 64, 16, () => ({}));
      asked += answers.filter(({ status }) => status === 200).length;
    }
  })();
  const change = async (percent: number) => {
    t.equal((await umbra.admin('PATCH', '/api/routes/reviews/mirrors/v2', { percent })).status, 200);
  };
  const mirror = async () => mirrorTo(await umbra.stats(), 'v2');

  // A base line takes three windows; the fourth one shows that it is used.
  const enough = asked + 2000;
  await until(() => asked > enough, 'there is a base line');
  await change(100);
  await until(async () => (await mirror()).heldBackPercent >= 50, 'the guard holds copies back');
  await umbra.logged(/guard: v1 got worse \(p99 \d+ us against \d+ us\): mirrors of reviews go down to 50 %/);
  t.match(await umbra.metrics(), /umbra_mirror_held_back_ratio\{[^}]*\} (0\.[0-9]+|1)\n/);
  copiesHurt = false;
  await until(async () => (await mirror()).heldBackPercent === 0, 'all copies go out again');
  await umbra.logged(/guard: mirrors of reviews go on with 100 % of their copies/);
  running = false;
  await clients;
  const { eligible, completed, dropped } = mirrorTo(await lawHolds(t, umbra), 'v2');
  t.ok(dropped.guard > 0, `${dropped.guard} of ${eligible} were held back`);
  t.ok(completed > 0);
  await umbra.stop();
  await Promise.all([v1.close(), v2.close()]);
});
