import { type Cell, isolationAims } from '../../../bench/end-to-end/isolation-table.js';
import t from '../../support/tap.js';

const result = {
  due: 100,
  answers: 100,
  errors: 0,
  unsent: 0,
  p50Us: 100,
  p99Us: 1000,
  p999Us: 1000,
  maxUs: 1000,
  lateUs: 0,
};

/** A round for each p99 with the mirror on, against 1000 us. */
function found(...p99sUs: number[]): [boolean | null, string] {
  const cells = p99sUs.map((p99Us): Cell => {
    const about = { side: 'umbra', shape: 'GET', state: 'slow', copies: 100 };
    return { ...about, off: result, on: { ...result, p99Us } };
  });
  const aim = isolationAims(cells).find(({ name }) => name.includes('p99'))!;
  return [aim.isMet, aim.found];
}

t.test('a p99 is judged by where its median may lie, and what is not judged says why', async (t) => {
  t.strictSame(found(1000, 1000, 1000, 1000, 1000, 1000), [true, '1 of 1 are']);
  t.strictSame(found(1100, 1100, 1100, 1100, 1100, 1100), [
    false,
    '0 of 1 are; umbra, GET, slow 1.10 is not',
  ]);
  t.strictSame(found(900, 900, 900, 1200, 1200, 1200), [
    null,
    '0 of 1 are; rounds differ too much to tell of 1',
  ]);
  t.strictSame(found(1000, 1000, 1000), [
    null,
    '0 of 1 are; there are too few rounds (--rounds 6 at least) to tell of 1',
  ]);
});
