// Runs over one engine: commands have no engine.
/** Commands that print figures show a rollout in one line. */

import { runHere } from '../support/here.js';
import { rolloutConfig, startRollout, twoVersions, untilRollout } from '../support/rollout.js';
import t from '../support/tap.js';
import { runToEnd, UmbraProcess } from '../support/umbra.js';

t.setTimeout(110_000);

t.test('status, top and report show a rollout in a line, as text and as JSON', async (t) => {
  const umbra = await UmbraProcess.start(rolloutConfig(await twoVersions(t)));
  t.teardown(() => umbra.stop());
  const place = ['--admin', umbra.adminUrl];
  const shown = async (...words: string[]) =>
    (await (words[0] === 'top' ? runToEnd : runHere)(...words, ...place)).out;
  t.notMatch(await shown('status'), /rollout/);
  await startRollout(t, umbra, { steps: '5%:1ms-300ms,100%' });
  await untilRollout(umbra, ({ state }) => state === 'held');
  const line = /rollout of reviews: v1 -> v2, step 1 of 2, v2 answers 5 %,\s+held: not\s+decided/;
  t.match(await shown('status'), line);
  t.match(await shown('top', '--once'), line);
  t.match(await shown('report', '-o', '-'), line);
  const note = { route: 'reviews', from: 'v1', to: 'v2', state: 'held', step: 1, steps: 2, percent: 5 };
  for (const words of [['status'], ['top', '--once'], ['report']]) {
    const { rollouts } = JSON.parse(await shown(...words, '--output', 'json')) as { rollouts: unknown[] };
    t.match(rollouts, [{ ...note, over: false, reason: /v2 got none of the 50 requests/ }], words[0]);
  }
  await umbra.admin('POST', '/api/rollouts/reviews/abort', {});
  await untilRollout(umbra, ({ state }) => state === 'rolled-back');
  t.notMatch(await shown('status'), /rollout/, 'a rollout that is over is not in the way');
  t.match(JSON.parse(await shown('status', '--output', 'json')), {
    rollouts: [{ state: 'rolled-back', percent: 0, over: true }],
  });
});
