// Runs over one engine: NATS lies behind the engines.
/** The leader of a fleet is killed at every step of a rollout. */
import { noNats } from '../support/nats.js';
import {
  leaderOf,
  placeOf,
  places,
  releasedWords,
  startAt,
  startFleet,
  untilAll,
  untilLed,
  words,
} from '../support/rollout-fleet.js';
import t from '../support/tap.js';

t.setTimeout(110_000);

t.test('the leader is killed at every step, and another one continues', { skip: noNats }, async (t) => {
  const { a, b } = await startFleet(t);
  const led = await leaderOf(a.umbra);
  await startAt(led === a.name ? b : a, t);
  for (const place of places) {
    const bodies = await untilAll([a, b], `both are at ${place}`, (body) => placeOf(body) === place);
    t.strictSame(words(bodies[0]), words(bodies[1]));
    const leader = (await untilLed(a.umbra)) === a.name ? a : b;
    const other = leader === a ? b : a;
    await leader.kill(t);
    t.strictSame(words(await other.rollout()).slice(0, bodies[0].history.length), words(bodies[0]));
  }
  const bodies = await untilAll([a, b], 'it is released', ({ state }) => state === 'released');
  for (const body of bodies) t.strictSame(words(body), releasedWords);
  await Promise.all([a, b].map((one) => one.end(t)));
});
