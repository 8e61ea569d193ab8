import t from 'tap';
import { median, spread } from '../../../bench/end-to-end/numbers.js';

t.test('the median of an odd count is the middle value by size, not by text', async (t) => {
  t.equal(median([100, 9, 20]), 20);
});

t.test('the median of an even count lies between the two in the middle', async (t) => {
  t.equal(median([1, 100, 3, 5]), 4);
});

t.test('the values that were handed in stay as they were', async (t) => {
  const values = [3, 1, 2];
  median(values);
  t.same(values, [3, 1, 2]);
});

t.test('nothing measured is not zero', async (t) => {
  t.ok(Number.isNaN(median([])));
  const { min, median: middle, max } = spread([]);
  t.ok([min, middle, max].every(Number.isNaN));
});

t.test('a spread is the median between the extremes', async (t) => {
  t.same(spread([7, 5, 9]), { median: 7, min: 5, max: 9 });
});
