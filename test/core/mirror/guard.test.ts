import fc from 'fast-check';
import { limits } from '../../../core/limits.js';
import { Guard, type GuardWindow, guardSteps } from '../../../core/mirror/guard.js';
import { seededRandom } from '../../../core/route/random.js';
import t from '../../support/tap.js';

const plan = { p99Millionths: 250_000, errorMillionths: 10_000, windowMs: 1000, recoverMs: 3000 };

function window(changes: Partial<GuardWindow> = {}): GuardWindow {
  return { requests: 1000, errors: 0, p99Us: 10_000, ...changes };
}

/** A guard with a base line of ten good windows. */
function settled(): Guard {
  const guard = new Guard(plan);
  for (let i = 0; i < 10; i++) guard.take(window({ p99Us: 10_000 + i * 10 }));
  return guard;
}

t.test('a p99 above the bound in two windows in a row is a step down, and one alone is noise', async (t) => {
  const guard = settled();
  const slow = window({ p99Us: 13_000 });
  t.equal(guard.take(slow), null);
  t.equal(guard.take(window()), null);
  t.equal(guard.take(slow), null);
  t.match(guard.take(slow), { kind: 'backed-off', because: 'p99' });
  t.equal(guard.keptMillionths, 500_000);
});

t.test('a p99 within the bound, or a small rise of a small one, is good', async (t) => {
  const guard = settled();
  for (let i = 0; i < 4; i++) t.equal(guard.take(window({ p99Us: 12_000 })), null);
  const fast = new Guard(plan);
  for (let i = 0; i < 10; i++) fast.take(window({ p99Us: 300 }));
  for (let i = 0; i < 4; i++) t.equal(fast.take(window({ p99Us: 300 + limits.guardFloorUs })), null);
  t.equal(fast.keptMillionths, 1_000_000);
});

t.test('a primary whose windows differ that much anyway is not judged by them', async (t) => {
  const guard = new Guard(plan);
  for (let i = 0; i < 20; i++) guard.take(window({ p99Us: i % 5 === 0 ? 20_000 : 10_000 }));
  for (let i = 0; i < 4; i++) t.equal(guard.take(window({ p99Us: 20_000 })), null);
});

t.test('a share of errors above the bound is a step down, unless it was there before', async (t) => {
  const guard = settled();
  const failing = window({ errors: 20 });
  guard.take(failing);
  t.match(guard.take(failing), { kind: 'backed-off', because: 'errors' });
  const used = new Guard(plan);
  for (let i = 0; i < 10; i++) used.take(window({ errors: 20 }));
  for (let i = 0; i < 4; i++) t.equal(used.take(window({ errors: 25 })), null);
});

t.test('nothing is judged without a base line, or with few requests', async (t) => {
  const guard = new Guard(plan);
  guard.take(window());
  for (const p99Us of [90_000, 90_000]) t.equal(guard.take(window({ p99Us })), null);
  const quiet = settled();
  for (let i = 0; i < 4; i++)
    t.equal(quiet.take(window({ requests: limits.guardRequests - 1, p99Us: 90_000 })), null);
});

t.test(
  'while copies are the cause it goes down, and comes back step by step, each taking twice as long',
  async (t) => {
    const guard = settled();
    const slowWhenMirrored = () => window({ p99Us: guard.keptMillionths > 100_000 ? 50_000 : 10_000 });
    while (guard.keptMillionths > 100_000) guard.take(slowWhenMirrored());
    t.equal(guard.keptMillionths, 100_000);
    const waits: number[] = [];
    for (let since = 1; guard.keptMillionths < 1_000_000; since++) {
      if (guard.take(window()) === null) continue;
      waits.push(since);
      since = 0;
    }
    t.same(waits, [3, 6, 12]);
  },
);

t.test(
  'when it is not better without any copies, they are released, and the new level is the base line',
  async (t) => {
    const guard = settled();
    const slow = window({ p99Us: 50_000 });
    const kinds = Array.from({ length: 40 }, () => guard.take(slow)?.kind).filter(
      (kind) => kind !== undefined,
    );
    t.same(kinds, [
      ...guardSteps.slice(1).map(() => 'backed-off'),
      'unrelated',
      'recovering',
      'recovering',
      'recovering',
    ]);
    t.equal(guard.base!.p99Us, 50_000);
  },
);

t.test('a successor begins where another one ended', async (t) => {
  t.equal(new Guard(plan, 100_000).keptMillionths, 100_000);
  t.equal(new Guard(plan, 0).keptMillionths, 0);
  t.equal(new Guard(plan).keptMillionths, 1_000_000);
});

t.test('noise of a tenth around one level never makes a step', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), (seed) => {
      const random = seededRandom(Uint32Array.of(seed, 2, 3, 4));
      const guard = new Guard(plan);
      for (let i = 0; i < 300; i++) {
        const share = random() / 2 ** 32;
        if (
          guard.take(window({ p99Us: 50_000 * (0.95 + share / 10), errors: Math.floor(share * 8) })) !== null
        )
          return false;
      }
      return guard.keptMillionths === 1_000_000;
    }),
    { numRuns: 50 },
  );
});

t.test('whatever comes, a step is one step, and good times bring all copies back', async () => {
  const any = fc.record({
    requests: fc.constantFrom(0, 50, 1000),
    errors: fc.constantFrom(0, 4, 500),
    p99Us: fc.constantFrom(100, 10_000, 12_000, 80_000),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 150, size: 'max' }), (windows) => {
      const guard = new Guard(plan);
      for (const one of windows) {
        const before = guardSteps.indexOf(guard.keptMillionths);
        const event = guard.take({ ...one, errors: Math.min(one.errors, one.requests) });
        const moved = guardSteps.indexOf(guard.keptMillionths) - before;
        const expected = event?.kind === 'backed-off' ? 1 : event?.kind === 'recovering' ? -1 : 0;
        if (moved !== expected) return false;
      }
      for (let i = 0; i < 400; i++) guard.take(window({ p99Us: 1 }));
      return guard.keptMillionths === 1_000_000;
    }),
  );
});
