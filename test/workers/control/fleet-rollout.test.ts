/** Rollouts of a fleet in one thread, where each moment of an instance can be chosen. */
import * as fc from 'fast-check';
import t from '../../support/tap.js';
import { Room, type RoomMember, roomPlan } from './fleet-room.js';

const released = ['running 1 user', 'running 2 verdict', 'watching 3 verdict', 'released 3 time'];
const words = ({ record }: RoomMember): string[] =>
  record.history.map(({ state, step, by }) => `${state} ${step + 1} ${by}`);

async function begun(
  names: readonly string[],
  plan = roomPlan,
): Promise<{ room: Room; members: RoomMember[] }> {
  const room = new Room();
  const members = names.map((name) => room.add(name));
  members[0].leads = true;
  await room.look();
  const answer = await members[members.length - 1].rollouts.start('reviews', plan);
  if ('status' in answer) throw new Error(answer.message);
  await room.look();
  return { room, members };
}

t.test('every instance takes each step, and the leader judges the requests of all', async (t) => {
  const { room, members } = await begun(['a', 'b', 'c']);
  const seen = new Set<string>();
  await room.until(() => {
    const [first] = members;
    if (first.record.inForceMs !== null) {
      seen.add(members.map(({ share }) => share).join());
      for (const member of members) t.equal(member.share, first.share, 'a step is in force everywhere');
    }
    return members.every(({ place }) => place === 'released 3');
  });
  t.strictSame([...seen], ['0.1,0.1,0.1', '0.5,0.5,0.5', '1,1,1']);
  for (const member of members) t.strictSame(words(member), released);
  t.strictSame(room.hooked, ['running 1', 'running 2', 'watching 3'], 'each step is reported once');
  // One look has 40 requests, so the 4 of v2 at one instance would need 13 looks for the 50 of a step.
  const [, second] = members[0].record.history;
  t.match(second.reason, /all checks passed with/);
});

t.test('whoever leads, stops or is cut off, no step is taken twice or goes back', async (t) => {
  const moment = fc.record({
    leads: fc.subarray([0, 1, 2]),
    cut: fc.subarray([0, 1, 2], { maxLength: 2 }),
    killed: fc.option(fc.nat(2), { nil: null, freq: 8 }),
    looks: fc.integer({ min: 1, max: 12 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { maxLength: 12 }), async (moments) => {
      const { room, members } = await begun(['a', 'b', 'c']);
      for (const { leads, cut, killed, looks } of moments) {
        // Two that lead at a time are more than a lease allows.
        members.forEach((member, i) => {
          member.leads = leads.includes(i);
          member.isCut = cut.includes(i);
        });
        if (killed !== null) {
          room.members.splice(room.members.indexOf(members[killed]), 1);
          members[killed] = room.add(members[killed].name);
        }
        await room.look(looks);
      }
      members.forEach((member, i) => {
        member.leads = i === 0;
        member.isCut = false;
      });
      await room.until(() => members.every(({ place }) => place === 'released 3'));
      for (const member of members) {
        t.strictSame(words(member), released);
        t.equal(member.share, 1);
      }
      t.equal(new Set(room.hooked).size, room.hooked.length, 'no step is reported twice');
    }),
    { numRuns: 15 },
  );
});

t.test('while an instance is cut off a step waits, and its place is kept', async (t) => {
  const { room, members } = await begun(['a', 'b']);
  await room.until(() => members.every(({ place }) => place === 'running 2'));
  members[1].isCut = true;
  await room.look(4 * 50);
  t.equal(members[0].place, 'running 2', 'it is silent, and not lost yet');
  t.match(members[0].rollouts.of('reviews')!.shown?.waits, /^b has not reported for \d/);
  members[1].isCut = false;
  await room.until(() => members.every(({ place }) => place === 'released 3'));
  t.strictSame(words(members[1]), released);
});

t.test('while nobody leads every instance says so, whatever the last leader waited for', async (t) => {
  const { room, members } = await begun(['a', 'b']);
  const waits = () => members.map((member) => member.rollouts.of('reviews')!.fleet!.waits);
  await room.until(() => members.every(({ place }) => place === 'running 2'));
  t.match(waits()[0], /^b is still at step 1/);
  members[0].leads = false;
  for (const word of waits()) t.match(word, /^nobody leads/);
  members[0].leads = true;
  members[1].isCut = true;
  await room.look(4 * 10);
  t.match(waits()[0], /^b has not reported for \d/);
  t.match(waits()[1], /^nobody leads/, 'and to one that is cut off nobody does');
});

t.test(
  'an instance that is gone for a minute is left behind, and takes the state when it is back',
  async (t) => {
    const { room, members } = await begun(['a', 'b']);
    await room.until(() => members.every(({ place }) => place === 'running 2'));
    members[1].isCut = true;
    await room.look(4 * 90);
    t.equal(members[0].place, 'released 3');
    t.equal(members[1].share, 0.5);
    members[1].isCut = false;
    await room.look(1);
    t.equal(members[1].share, 1);
  },
);

t.test('a first step that a live instance refuses or does not take is rolled back by name', async (t) => {
  for (const [lacksV2, reason] of [
    [false, /^the first step was undone: c has not taken it after 10 s/],
    [true, /undone: c can not take it: the configuration has no version v2 any more after 10 s/],
  ] as const) {
    const room = new Room();
    const members = [room.add('a'), room.add('b'), room.add('c', { lacksV2 })];
    members[0].leads = true;
    members[2].isStuck = !lacksV2;
    await room.look();
    t.notOk('status' in (await members[0].rollouts.start('reviews', roomPlan)));
    await room.look(2);
    t.equal(members[1].share, 0.1);
    await room.until(() => members[0].place === 'rolling-back 1');
    await room.look(2);
    t.match(members[0].record.history.at(-1)?.reason, reason);
    t.strictSame(
      members.map(({ share }) => share),
      [0, 0, 0],
    );
  }
});

t.test('a later step that a live instance does not take is undone, and waits for a person', async (t) => {
  const { room, members } = await begun(['a', 'b', 'c']);
  await room.until(() => members.every(({ record }) => record.step === 1 && record.inForceMs !== null));
  members[2].isStuck = true;
  await room.until(() => members[1].share === 1);
  await room.until(() => members[1].place === 'paused 2');
  t.match(members[0].record.history.at(-1), {
    by: 'fleet',
    reason: 'step 3 was undone: c is still at step 2 after 10 s; resume or abort the rollout',
  });
  await room.look(100);
  t.strictSame(
    members.slice(0, 2).map(({ place, share }) => `${place} ${share}`),
    ['paused 2 0.5', 'paused 2 0.5'],
    'nothing but a person ends that',
  );
  members[2].isStuck = false;
  await room.look();
  t.notOk('status' in (await members[2].rollouts.command('reviews', 'resume', 'by hand', false)));
  await room.until(() => members.every(({ place }) => place === 'released 3'));
});

t.test('a guard rail of any instance rolls all of them back', async (t) => {
  const { room, members } = await begun(['a', 'b', 'c']);
  await room.until(() => members.every(({ place }) => place === 'running 2'));
  members[2].isBroken = true;
  await room.until(() => members.every(({ place }) => place === 'rolled-back 2'));
  t.strictSame(
    members.map(({ share }) => share),
    [0, 0, 0],
  );
  t.match(members[0].record.history.at(-1), { by: 'guard', reason: /v2 can not be reached/ });
});

t.test(
  'a guard rail without the bucket acts here, and holds over what the others did meanwhile',
  async (t) => {
    const steps = roomPlan.steps.map((step) => ({ ...step, atLeastMs: 10_000 }));
    const { room, members } = await begun(['a', 'b'], { ...roomPlan, steps });
    await room.until(() => members.every(({ place }) => place === 'running 1'));
    await room.look(8);
    const [a, b] = members;
    b.isCut = true;
    b.isBroken = true;
    await room.look(3);
    t.equal(b.place, 'rolling-back 1');
    t.equal(b.share, 0, 'at once');
    t.match(b.rollouts.of('reviews')!.fleet, { alone: true });
    t.match(b.logged.join('\n'), /rolling-back on this instance alone, because NATS can not be reached/);
    const promoted = await a.rollouts.command('reviews', 'promote', 'by a person', false);
    t.notOk('status' in promoted, JSON.stringify(promoted));
    await room.look(4);
    t.equal(a.share, 0.5);
    b.isCut = false;
    b.isBroken = false;
    await room.until(() => members.every(({ place }) => place === 'rolled-back 2'));
    t.strictSame(
      members.map(({ share }) => share),
      [0, 0],
    );
    t.strictSame(words(a), words(b));
    t.match(words(a).join(), /running 2 user,rolling-back 2 guard,rolled-back 2 guard$/);
    t.match(b.rollouts.of('reviews')!.fleet, { alone: false });
  },
);

t.test('of two commands at a time on two instances one is refused', async (t) => {
  const { room, members } = await begun(['a', 'b']);
  await room.until(() => members.every(({ record }) => record.inForceMs !== null));
  const answers = await Promise.all(
    members.map(({ rollouts }) => rollouts.command('reviews', 'promote', 'by hand', false)),
  );
  const refused = answers.flatMap((answer) => ('status' in answer ? [answer] : []));
  t.match(refused, [{ status: 409, message: /another instance has changed the rollout of reviews/ }]);
  await room.look(2);
  t.strictSame(
    members.map(({ place }) => place),
    ['running 2', 'running 2'],
  );
});
