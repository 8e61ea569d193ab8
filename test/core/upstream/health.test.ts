import fc from 'fast-check';
import { HealthState, statusPasses } from '../../../core/upstream/health.js';
import { Health, HealthBlock } from '../../../core/upstream/health-block.js';
import t from '../../support/tap.js';

function stateOf(healthyThreshold: number, unhealthyThreshold: number) {
  const block = new HealthBlock(HealthBlock.create());
  return { block, state: new HealthState({ healthyThreshold, unhealthyThreshold }, block) };
}

t.test('the first check alone decides, either way', async (t) => {
  for (const passed of [true, false]) {
    const { block, state } = stateOf(5, 5);
    t.equal(block.state, Health.UNKNOWN);
    t.ok(state.checked(passed, 7));
    t.equal(block.state, passed ? Health.HEALTHY : Health.UNHEALTHY);
    t.equal(block.sinceUs, 7);
  }
});

t.test('then as many in a row as the threshold of the other state says', async (t) => {
  const { block, state } = stateOf(2, 3);
  state.checked(true, 0);
  const results = [false, false, true, false, false, false, true, false, true, true];
  const told = results.map((passed, i) => (state.checked(passed, i) ? block.state : 0));
  t.same(told, [0, 0, 0, 0, 0, Health.UNHEALTHY, 0, 0, 0, Health.HEALTHY]);
  t.equal(block.passed, 5);
  t.equal(block.failed, 6);
});

t.test('a prober that is replaced continues from the state that stands', async (t) => {
  const { block, state } = stateOf(2, 2);
  state.checked(true, 0);
  const next = new HealthState({ healthyThreshold: 2, unhealthyThreshold: 2 }, block);
  t.notOk(next.checked(false, 1));
  t.equal(block.state, Health.HEALTHY);
  t.ok(next.checked(false, 2));
});

t.test('for any results the state is that of the last run which was long enough', async () => {
  const threshold = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1 }), threshold, threshold, (results, rise, fall) => {
      const { block, state } = stateOf(rise, fall);
      // The oracle looks back over all results each time instead of keeping a count.
      let expected = results[0]!;
      results.forEach((passed, i) => {
        const before = expected;
        const needed = passed ? rise : fall;
        const run = results.slice(Math.max(0, i + 1 - needed), i + 1);
        if (i > 0 && run.length === needed && run.every((one) => one === passed)) expected = passed;
        const changed = state.checked(passed, i);
        if ((block.state === Health.HEALTHY) !== expected) throw new Error(`wrong after ${i + 1}`);
        if (changed !== (i === 0 || before !== expected)) throw new Error(`reported wrongly after ${i + 1}`);
        if (changed && block.sinceUs !== i) throw new Error('since when');
      });
      return block.passed + block.failed === results.length;
    }),
  );
});

t.test('a status passes if one of the ranges holds it', async (t) => {
  const plan = {
    statuses: [
      [200, 299],
      [304, 304],
    ] as const,
  };
  for (const status of [200, 204, 299, 304]) t.ok(statusPasses(plan, status), `${status}`);
  for (const status of [199, 300, 303, 305, 503]) t.notOk(statusPasses(plan, status), `${status}`);
});
