// Runs over one engine: NATS lies behind the engines.
/** NATS is gone at every step of a rollout of a fleet, also when a version dies. */

import { runHere } from '../support/here.js';
import { lawHolds } from '../support/law.js';
import { type NatsServer, noNats } from '../support/nats.js';
import {
  type Instance,
  placeOf,
  places,
  primaryOf,
  releasedWords,
  startAt,
  startFleet,
  untilAll,
  words,
} from '../support/rollout-fleet.js';
import t, { type Test } from '../support/tap.js';
import { runToEnd, until } from '../support/umbra.js';

t.setTimeout(110_000);
// Each waits most of its time for leaders and steps.
t.jobs = 2;

const options = { skip: noNats, buffered: true };

/** Every command shows the rollout with the step of each instance. */
async function seesTheFleet(t: Test, nats: NatsServer, { umbra }: Instance): Promise<void> {
  const fleet = ['--fleet', nats.fleet('umbra')];
  const at = ['--admin', umbra.adminUrl];
  // Each instance publishes what it has taken once a second.
  await until(
    async () => /step 1: edge-a, edge-b$/m.test((await runHere('status', ...fleet)).out),
    'both have published the step',
  );
  const outs = await Promise.all([
    runHere('status', ...fleet),
    runHere('status', ...at),
    runToEnd('top', '--once', ...fleet),
    runHere('report', '-o', '-', ...fleet),
    runHere('rollout', 'status', 'reviews', ...at),
  ]);
  for (const { out } of outs) t.match(out, /step 1: edge-a, edge-b$/m);
  for (const { out } of outs.slice(0, 4))
    t.match(out, /^ *rollout of reviews: v1 -> v2, step 1 of 2, v2 answers 50 %, running$/m);
  t.match(outs[4].out, /^ {2}fleet {6}led by edge-[ab]; step 1: /m);
}

t.test('NATS is gone at every step, and the rollout continues where it was', options, async (t) => {
  const { nats, a, b } = await startFleet(t);
  await startAt(a, t);
  for (const place of places) {
    const [before] = await untilAll([a, b], `both are at ${place}`, (body) => placeOf(body) === place);
    await nats.kill();
    await untilAll([a, b], 'nobody leads', ({ fleet }) => fleet!.leader === null);
    for (const { umbra } of [a, b]) {
      const { json } = await umbra.admin('POST', '/api/rollouts/reviews/promote', {});
      t.match(json, { error: /not shared with other instances/ });
    }
    const after = await Promise.all([a, b].map((one) => one.rollout()));
    t.strictSame(after.map(words), [words(before), words(before)], `nothing moved at ${place}`);
    t.match(after[0].fleet, { waits: /^nobody leads/ });
    t.strictSame(await primaryOf(a.umbra), await primaryOf(b.umbra));
    await nats.startAgain();
  }
  const bodies = await untilAll([a, b], 'it is released', ({ state }) => state === 'released');
  for (const body of bodies) t.strictSame(words(body), releasedWords);
  await Promise.all([a, b].map((one) => one.end(t)));
});

t.test('a version that dies while NATS is gone is rolled back by each instance', options, async (t) => {
  const { nats, both, a, b } = await startFleet(t);
  await startAt(b, t, { steps: '50%:60s-120s,100%' });
  await untilAll([a, b], 'v2 answers half of it', ({ inForceAt }) => inForceAt !== null);
  await seesTheFleet(t, nats, a);
  await nats.kill();
  await both[1].close();
  const alone = await untilAll([a, b], 'both have rolled back', ({ state }) => state === 'rolling-back');
  for (const { fleet, reason } of alone) {
    t.match(fleet, { alone: true });
    t.match(reason, /v2 (can not be reached|failed)/);
  }
  t.strictSame([await primaryOf(a.umbra), await primaryOf(b.umbra)], ['v1', 'v1']);
  await a.umbra.logged(/rolling-back on this instance alone, because NATS can not be reached/);
  await nats.startAgain();
  const bodies = await untilAll([a, b], 'it is over', ({ state }) => state === 'rolled-back');
  t.strictSame(words(bodies[0]), ['running 1 user', 'rolling-back 1 guard', 'rolled-back 1 guard']);
  t.strictSame(words(bodies[1]), words(bodies[0]));
  t.strictSame([await primaryOf(a.umbra), await primaryOf(b.umbra)], ['v1', 'v1']);
  for (const one of [a, b]) {
    await one.users.end();
    t.strictSame(one.users.failures, [], `clients of ${one.name}`);
    await lawHolds(t, one.umbra);
  }
});
