import { count, fixed, mebibytes, ms, percent, tableText } from '../../../bench/end-to-end/table.js';
import t from '../../support/tap.js';

t.test('names stand to the left, figures to the right, and columns fit their widest cell', async (t) => {
  t.equal(
    tableText(
      ['target', 'rps'],
      [
        ['direct', '58,000'],
        ['a long name', '7'],
      ],
    ),
    ['target          rps', '-----------  ------', 'direct       58,000', 'a long name       7'].join('\n'),
  );
});

t.test('a row that is too short is filled up', async (t) => {
  t.equal(tableText(['a', 'b'], [['x']]), 'a  b\n-  -\nx');
});

t.test('figures carry their units', async (t) => {
  t.equal(count(1234567.8), '1,234,568');
  t.equal(fixed(1.25, 1), '1.3');
  t.equal(ms(1234), '1.23');
  t.equal(mebibytes(150 * 2 ** 20), '150');
  t.equal(percent(0.9987), '99.9 %');
});

t.test('what was not measured is a dash, never a zero', async (t) => {
  for (const text of [count, ms, mebibytes, percent]) t.equal(text(Number.NaN), '-');
  t.equal(fixed(Number.NaN, 1), '-');
});
