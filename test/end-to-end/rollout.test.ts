// Runs over one engine: weights are chosen behind the engines.
/** Rollouts over a whole umbra with real servers and clients that never stop asking. */
import { ask } from '../support/client.js';
import { lawHolds } from '../support/law.js';
import {
  isRolloutOver,
  keyedClients,
  rolloutConfig,
  startRollout,
  twoVersions,
  untilRollout,
  versionAnswer,
} from '../support/rollout.js';
import t from '../support/tap.js';
import { UmbraProcess } from '../support/umbra.js';

// A rollout needs requests, and a busy machine answers fewer of them.
t.setTimeout(110_000);

t.test('an equal version is released step by step: no request fails, and no key goes back', async (t) => {
  const both = await twoVersions(t);
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  await startRollout(t, umbra);
  t.match(await umbra.admin('POST', '/api/rollouts', { route: 'reviews', to: 'v2' }), { status: 409 });
  const body = await untilRollout(umbra, isRolloutOver);
  await users.end();
  t.match(body, { state: 'released', percent: 100 }, JSON.stringify(body.history));
  t.strictSame(
    body.history.map(({ state }) => state),
    ['running', 'running', 'running', 'watching', 'released'],
  );
  t.strictSame(users.failures, []);
  t.equal(users.wentBack.size, 0);
  const before = both[1].received.length;
  t.equal((await ask(umbra.port, { target: '/reviews' })).status, 200);
  t.equal(both[1].received.length, before + 1, 'v2 answers everything');
  t.match(await umbra.admin('GET', '/api/config'), {
    json: { routes: [{ primary: { v2: 100 }, mirrors: [{ to: 'v2', enabled: false }] }] },
  });
  t.match(
    await umbra.metrics(),
    /umbra_rollout_state\{route="reviews",version="v2",state="released"\} 1\n(.*\n)+umbra_rollout_released_ratio\{.*\} 1\n/,
  );
  await lawHolds(t, umbra);
});

t.test('a version that fails is rolled back with a reason, and the old one answers everything', async (t) => {
  const both = await twoVersions(t, versionAnswer('v2', 4));
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  await startRollout(t, umbra, { steps: '10%:500ms-60s,50%:500ms-60s,100%', maxErrors: '50%' });
  const body = await untilRollout(umbra, isRolloutOver);
  await users.end();
  t.match(body, { state: 'rolled-back', percent: 0, reason: /errors: v2 failed \d+ of/ });
  // A quarter of the tenth that v2 answers; in the next step it would be an eighth of all.
  t.ok(users.failures.length < users.asked * 0.05, `${users.failures.length} of ${users.asked} failed`);
  const before = both[1].received.length;
  for (let i = 0; i < 20; i++) await ask(umbra.port, { target: '/reviews', headers: { cookie: `id=${i}` } });
  t.equal(both[1].received.length, before);
  t.match(await umbra.admin('GET', '/api/config'), { json: { routes: [{ primary: 'v1' }] } });
});

t.test('a version that fails while it is mirrored reaches no client', async (t) => {
  const both = await twoVersions(t, versionAnswer('v2', 5));
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  const users = keyedClients(() => umbra.port);
  await startRollout(t, umbra);
  const body = await untilRollout(umbra, isRolloutOver);
  await users.end();
  t.match(body, { state: 'rolled-back', step: 1, reason: /errors: v2 failed/ });
  t.strictSame(users.failures, []);
  t.match((await umbra.admin('GET', '/api/status')).json, { live: [] }, 'nothing of it is left');
});

t.test('what can not be rolled out is refused with a reason', async (t) => {
  const both = await twoVersions(t);
  const umbra = await UmbraProcess.start(rolloutConfig(both));
  t.teardown(() => umbra.stop());
  const refused = async (body: object) => {
    const { status, json } = await umbra.admin('POST', '/api/rollouts', body);
    return { status, ...(json as { error: string; problems?: string[] }) };
  };
  t.match(await refused({ route: 'other', to: 'v2' }), { status: 404, error: /unknown route other/ });
  t.match(await refused({ route: 'reviews', to: 'v9' }), { status: 404, error: /unknown version v9/ });
  t.match(await refused({ route: 'reviews', to: 'v1' }), { status: 409, error: /v1 answers all requests/ });
  t.match(await refused({ route: 'reviews' }), { status: 422, problems: [/to: is missing/] });
  t.match(await refused({ route: 'reviews', to: 'v2', stpes: 1 }), { status: 422 });
  t.match(await refused({ route: 'reviews', to: 'v2', steps: '5%:1s' }), {
    status: 422,
    problems: [/steps: must end with 100%/],
  });
  t.match(await refused({}), { status: 400 });
  await umbra.admin('PATCH', '/api/routes/reviews', { primary: { v1: 60, v2: 40 } });
  t.match(await refused({ route: 'reviews', to: 'v2' }), { status: 409, error: /several versions answer/ });
});
