import { nowUs } from '../../core/clock.js';
import { atOnce, inSlices, type Steps } from '../../core/steps.js';
import t from '../support/tap.js';

function* counting(count: number, onStep: () => void): Steps<number> {
  for (let step = 0; step < count; step++) {
    yield;
    onStep();
  }
  return count;
}

t.test('at once, all steps are done when it returns', async (t) => {
  let steps = 0;
  t.equal(atOnce(counting(10, () => steps++)), 10);
  t.equal(steps, 10);
});

t.test(
  'in slices, the event loop turns between them, and the last step is one with what its end leads to',
  async (t) => {
    const busyUs = 300;
    const order: string[] = [];
    let turns = 0;
    let over = false;
    const turn = () => {
      turns++;
      order.push('turn');
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    const result = await new Promise<number>((resolve) => {
      inSlices(
        counting(40, () => {
          const endUs = nowUs() + busyUs;
          while (nowUs() < endUs);
          order.push('step');
        }),
        (count) => {
          order.push('done');
          over = true;
          resolve(count);
        },
      );
    });
    t.equal(result, 40);
    // 12 ms of work in slices of 1 ms, each of which runs over by at most one step.
    t.ok(turns >= 5, `${turns} turns`);
    t.equal(order[order.indexOf('done') - 1], 'step');
  },
);
