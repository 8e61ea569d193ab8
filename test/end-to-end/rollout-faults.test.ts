// Runs over one engine: weights are chosen behind the engines.
/** What happens to a rollout when a version dies, or a person interferes. */
import {
  isRolloutOver,
  keyedClients,
  rolloutConfig,
  rolloutStatus,
  startRollout,
  twoVersions,
  untilRollout,
} from '../support/rollout.js';
import t from '../support/tap.js';
import { UmbraProcess } from '../support/umbra.js';

// A rollout needs requests, and a busy machine answers fewer of them.
t.setTimeout(110_000);

t.test('a version that dies at 50 % is rolled back at once, and no request is lost', async (t) => {
  const both = await twoVersions(t);
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  await startRollout(t, umbra, { steps: '50%:60s-120s,100%' });
  await untilRollout(umbra, ({ percent }) => percent === 50);
  await both[1].untilReceived(100);
  const diedMs = Date.now();
  await both[1].close();
  const body = await untilRollout(umbra, isRolloutOver);
  const tookMs = Date.parse(body.history[body.history.length - 1].at) - diedMs;
  await users.end();
  t.match(body, { state: 'rolled-back', reason: /v2 (can not be reached|failed)/ });
  t.ok(tookMs < 3000, `back after ${tookMs} ms`);
  t.strictSame(users.failures, []);
});

t.test('a change by hand pauses a rollout by name, and resume and abort end that', async (t) => {
  const both = await twoVersions(t);
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  await startRollout(t, umbra, { steps: '10%:60s,100%' });
  const patch = { primary: { v1: 60, v2: 40 } };
  t.equal((await umbra.admin('PATCH', '/api/routes/reviews', patch)).status, 200);
  t.match(await untilRollout(umbra, ({ state }) => state === 'paused'), {
    reason: /weights of reviews are v1=60% v2=40% by hand \(api\); resume or abort the rollout/,
  });
  t.equal((await umbra.admin('POST', '/api/rollouts/reviews/resume', {})).status, 200);
  t.match(await rolloutStatus(umbra), { state: 'running', percent: 10 });
  const config = await umbra.admin('GET', '/api/config');
  t.match(config, { json: { routes: [{ primary: { v1: 90, v2: 10 } }] } });
  t.equal((await umbra.admin('POST', '/api/rollouts/reviews/promote', { full: true })).status, 200);
  t.match(await rolloutStatus(umbra), { state: 'watching', percent: 100 });
  t.equal((await umbra.admin('POST', '/api/rollouts/reviews/abort', { reason: 'enough' })).status, 200);
  t.match(await rolloutStatus(umbra), {
    state: 'rolled-back',
    reason: /aborted through the admin API: enough/,
  });
  t.match(await umbra.admin('POST', '/api/rollouts/reviews/abort', {}), { status: 409 });
  t.match(await umbra.admin('POST', '/api/rollouts/other/abort', {}), { status: 404 });
  t.match(await umbra.admin('POST', '/api/rollouts/reviews/dance', {}), { status: 404 });
});
