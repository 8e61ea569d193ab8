import fc from 'fast-check';
import { RateBound } from '../../../core/mirror/rate.js';
import t from '../../support/tap.js';

const secondUs = 1e6;

t.test('a rate lets at most one second of burst and then its rate through, at any timing', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.integer({ min: 0, max: 50_000 }), { minLength: 1, maxLength: 500 }),
      (perSecond, gapsUs) => {
        const bound = new RateBound(perSecond);
        let nowUs = 0;
        let taken = 0;
        for (const gapUs of gapsUs) {
          nowUs += gapUs;
          if (bound.take(nowUs)) taken++;
        }
        return taken <= perSecond + (nowUs / secondUs) * perSecond + 1e-6;
      },
    ),
  );
});

t.test('a steady stream below the rate is never refused', async (t) => {
  const bound = new RateBound(10);
  for (let i = 0; i < 1000; i++) if (!bound.take((i * secondUs) / 10)) t.fail(`request ${i} was refused`);
  t.pass();
});

t.test('a rate below one a second still lets single requests through', async (t) => {
  const bound = new RateBound(0.5);
  t.ok(bound.take(0));
  t.notOk(bound.take(secondUs));
  t.ok(bound.take(2 * secondUs));
});
