import fc from 'fast-check';
import { limits } from '../../../core/limits.js';
import { Breaker } from '../../../core/mirror/breaker.js';
import t from '../../support/tap.js';

const plan = { failureMillionths: 500_000, windowMs: 1000, cooldownMs: 500 };
const second = 1e6;

/** Fails `count` copies at `nowUs`. */
function fail(breaker: Breaker, count: number, nowUs: number): void {
  for (let i = 0; i < count; i++) breaker.failed(breaker.enter(), nowUs);
}

function complete(breaker: Breaker, count: number, nowUs: number): void {
  for (let i = 0; i < count; i++) breaker.completed(breaker.enter(), nowUs);
}

t.test('it opens when the share of failures in the window is at the bound, and not on a few', async (t) => {
  const few = new Breaker(plan);
  fail(few, limits.breakerResults - 1, 0);
  t.notOk(few.open);
  fail(few, 1, 0);
  t.ok(few.open);
  const half = new Breaker(plan);
  complete(half, 20, 0);
  fail(half, 19, 0);
  t.notOk(half.open);
  fail(half, 1, 0);
  t.ok(half.open);
  t.ok(half.refuses(0));
});

t.test('what has left the window counts no more', async (t) => {
  const breaker = new Breaker(plan);
  fail(breaker, limits.breakerResults - 1, 0);
  fail(breaker, 1, 1.01 * second);
  t.notOk(breaker.open, 'the others are older than the window');
  fail(breaker, limits.breakerResults - 1, 1.5 * second);
  t.ok(breaker.open);
});

t.test('after the cooldown one probe goes out, and its result decides', async (t) => {
  const breaker = new Breaker(plan);
  fail(breaker, limits.breakerResults, 0);
  t.ok(breaker.refuses(0.499 * second));
  t.notOk(breaker.refuses(0.5 * second));
  const probe = breaker.enter();
  t.ok(breaker.refuses(10 * second), 'one probe at a time');
  breaker.failed(probe, 10 * second);
  t.ok(breaker.refuses(10.49 * second), 'another cooldown');
  t.notOk(breaker.refuses(10.5 * second));
  breaker.completed(breaker.enter(), 10.6 * second);
  t.notOk(breaker.open);
  fail(breaker, limits.breakerResults - 1, 10.6 * second);
  t.notOk(breaker.open, 'the window begins again');
  t.equal(breaker.opened, 2);
});

t.test('a probe that says nothing about the shadow leaves its place to the next one', async (t) => {
  const breaker = new Breaker(plan);
  fail(breaker, limits.breakerResults, 0);
  breaker.released(breaker.enter());
  t.ok(breaker.open);
  t.notOk(breaker.refuses(second));
});

t.test('results from before the latest change of state do not count', async (t) => {
  const breaker = new Breaker(plan);
  const old = breaker.enter();
  fail(breaker, limits.breakerResults, 0);
  breaker.completed(old, 0);
  t.ok(breaker.open, 'a copy that was sent before does not close it');
  const probe = breaker.enter();
  breaker.failed(old, second);
  breaker.released(old);
  t.ok(breaker.refuses(second), 'nor is it the probe');
  breaker.completed(probe, second);
  t.notOk(breaker.open);
});

t.test('whatever happens, one probe is out at most, and a closed breaker refuses nothing', async () => {
  const event = fc.record({
    what: fc.constantFrom('enter' as const, 'completed' as const, 'failed' as const, 'released' as const),
    afterUs: fc.integer({ min: 0, max: 400_000 }),
    which: fc.nat(20),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200, size: 'max' }), (events) => {
      const breaker = new Breaker(plan);
      const out: { ticket: number; probe: boolean }[] = [];
      let nowUs = 0;
      for (const { what, afterUs, which } of events) {
        nowUs += afterUs;
        if (what === 'enter') {
          if (!breaker.open && breaker.refuses(nowUs)) return false;
          if (breaker.refuses(nowUs)) continue;
          const probe = breaker.open;
          if (probe && out.some((other) => other.probe)) return false;
          out.push({ ticket: breaker.enter(), probe });
        } else if (out.length > 0) {
          const [{ ticket, probe }] = out.splice(which % out.length, 1);
          if (what === 'released') breaker.released(ticket);
          else breaker[what](ticket, nowUs);
          if (probe && what === 'completed' && breaker.open) return false;
          if (probe && what !== 'completed' && !breaker.open) return false;
        }
      }
      // It always comes back: after a cooldown, when nothing is out, a probe is let through.
      for (const { ticket } of out) breaker.released(ticket);
      nowUs += plan.cooldownMs * 1e3;
      if (breaker.refuses(nowUs)) return false;
      breaker.completed(breaker.enter(), nowUs);
      return !breaker.open;
    }),
    { numRuns: 1000 },
  );
});
