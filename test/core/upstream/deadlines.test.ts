import fc from 'fast-check';
import { Deadline, Deadlines } from '../../../core/upstream/deadlines.js';
import t from '../../support/tap.js';

t.test('a deadline is never early and late by at most a tick, over any number of turns', async () => {
  const timeouts = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 30 });
  const steps = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(timeouts, steps, fc.integer({ min: 0, max: 1e9 }), (timeoutsMs, stepsMs, startMs) => {
      let nowMs = startMs;
      const deadlines = new Deadlines(() => nowMs * 1e3);
      const calls = timeoutsMs.map(() => 0);
      const all = timeoutsMs.map((_, i) => new Deadline(() => calls[i]!++));
      all.forEach((deadline, i) => {
        deadlines.set(deadline, timeoutsMs[i]!, nowMs * 1e3);
      });
      for (const stepMs of stepsMs) {
        nowMs += stepMs;
        deadlines.advance();
        timeoutsMs.forEach((timeoutMs, i) => {
          const waitedMs = nowMs - startMs;
          if (calls[i]! > 1) throw new Error('called twice');
          if (calls[i] === 1 && waitedMs < timeoutMs) throw new Error('early');
          if (calls[i] === 0 && waitedMs > timeoutMs + 64) throw new Error('late');
        });
      }
      for (const deadline of all) deadlines.clear(deadline);
      if (deadlines.count !== 0) throw new Error('leaked');
    }),
  );
});

t.test('a cleared deadline is not called, and clearing twice is no fault', async (t) => {
  let nowUs = 0;
  const deadlines = new Deadlines(() => nowUs);
  let calls = 0;
  const deadline = new Deadline(() => calls++);
  deadlines.set(deadline, 10, nowUs);
  deadlines.clear(deadline);
  deadlines.clear(deadline);
  nowUs = 1e6;
  deadlines.advance();
  t.equal(calls, 0);
  t.equal(deadlines.count, 0);
});

t.test('setting again replaces what was set', async (t) => {
  let nowUs = 0;
  const deadlines = new Deadlines(() => nowUs);
  let calls = 0;
  const deadline = new Deadline(() => calls++);
  deadlines.set(deadline, 10, nowUs);
  deadlines.set(deadline, 1000, nowUs);
  t.equal(deadlines.count, 1);
  nowUs = 500e3;
  deadlines.advance();
  t.equal(calls, 0);
  nowUs = 1100e3;
  deadlines.advance();
  t.equal(calls, 1);
});

t.test('a deadline may clear its neighbours and set itself again while they are called', async (t) => {
  let nowUs = 0;
  const deadlines = new Deadlines(() => nowUs);
  const called: string[] = [];
  const names = ['a', 'b', 'c'];
  const all = names.map(
    (name, i) =>
      new Deadline(() => {
        called.push(name);
        for (const other of all) deadlines.clear(other);
        deadlines.set(all[i]!, 0, nowUs);
      }),
  );
  for (const deadline of all) deadlines.set(deadline, 10, 0);
  nowUs = 100e3;
  deadlines.advance();
  t.equal(called.length, 1);
  t.equal(deadlines.count, 1);
  nowUs = 200e3;
  deadlines.advance();
  t.equal(called.length, 2, 'not again within the same call');
  for (const deadline of all) deadlines.clear(deadline);
});

t.test('the timer runs by itself while something is set', async (t) => {
  const { nowUs } = await import('../../../core/clock.js');
  const deadlines = new Deadlines(nowUs);
  // The timer does not hold the loop, so the test does.
  const hold = setInterval(() => undefined, 1000);
  await new Promise<void>((resolve) => deadlines.set(new Deadline(resolve), 1, nowUs()));
  clearInterval(hold);
  t.equal(deadlines.count, 0);
});
