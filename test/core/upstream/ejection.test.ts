import fc from 'fast-check';
import { Ejection } from '../../../core/upstream/ejection.js';
import t from '../../support/tap.js';

const plan = { failures: 3, errors: 0, baseTimeMs: 100, maxTimeMs: 250, maxShareMillionths: 500_000 };
const s = 1e6;

t.test('a refusal ejects at once, and any answer brings the endpoint back', async (t) => {
  const ejection = new Ejection(plan);
  t.equal(ejection.refused(0), 100);
  t.ok(ejection.out);
  t.ok(ejection.answered(10));
  t.notOk(ejection.out);
  t.notOk(ejection.answered(20), 'there is nothing to end');
});

t.test('failed answers eject when there are as many in a row as configured', async (t) => {
  const ejection = new Ejection(plan);
  t.equal(ejection.failed(0, true), 0);
  t.equal(ejection.failed(0, true), 0);
  ejection.succeeded();
  t.equal(ejection.failed(0, true), 0);
  t.equal(ejection.failed(0, true), 0);
  t.equal(ejection.failed(0, true), 100);
  t.notOk(ejection.answered(1), 'an answer that was under way does not bring it back');
  t.ok(ejection.out);
});

t.test('errors in a row eject where they are asked for, and failures are errors too', async (t) => {
  const ejection = new Ejection({ ...plan, failures: 2, errors: 3 });
  t.equal(ejection.erred(0, true), 0);
  t.equal(ejection.failed(0, true), 0);
  t.equal(ejection.erred(0, true), 100, 'the third error');
  ejection.back(0);
  t.equal(ejection.failed(s, true), 0);
  t.equal(ejection.erred(s, true), 0, 'an error ends a row of failures');
  ejection.succeeded();
  t.equal(ejection.erred(s, true), 0, 'a success ends a row of errors');
  const failuresAlone = new Ejection(plan);
  for (let i = 0; i < 10; i++) t.equal(failuresAlone.erred(0, true), 0);
});

t.test('failed answers do not eject where too few others are left, until there is room', async (t) => {
  const ejection = new Ejection(plan);
  for (let i = 0; i < 10; i++) t.equal(ejection.failed(0, false), 0);
  t.equal(ejection.failed(0, true), 100);
});

t.test('ejections in a row grow to the longest one; being in for as long ends the row', async (t) => {
  const ejection = new Ejection(plan);
  let nowUs = s;
  for (const expected of [100, 200, 250, 250]) {
    t.equal(ejection.refused(nowUs), expected);
    nowUs += expected * 1e3;
    ejection.back(nowUs);
    nowUs += 1;
  }
  nowUs += 250_000;
  t.equal(ejection.refused(nowUs), 100);
});

t.test('without ejection for answers, none ejects however many', async (t) => {
  const ejection = new Ejection({ ...plan, failures: 0 });
  for (let i = 0; i < 100; i++) t.equal(ejection.failed(i, true), 0);
  t.equal(ejection.refused(0), 100);
});

const event = fc.record({
  kind: fc.constantFrom('refused', 'failed', 'crowded', 'succeeded', 'answered', 'back'),
  afterUs: fc.integer({ min: 0, max: 400_000 }),
});

t.test('whatever happens in whatever order, the invariants hold', async () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (events, failures) => {
      const ejection = new Ejection({ ...plan, failures });
      let nowUs = 0;
      let inARow = 0;
      for (const { kind, afterUs } of events) {
        nowUs += afterUs;
        const wasOut = ejection.out;
        let forMs = 0;
        if (kind === 'refused') forMs = ejection.refused(nowUs);
        else if (kind === 'failed') forMs = ejection.failed(nowUs, true);
        else if (kind === 'crowded') forMs = ejection.failed(nowUs, false);
        else if (kind === 'succeeded') ejection.succeeded();
        else if (kind === 'answered') ejection.answered(nowUs);
        else if (wasOut) ejection.back(nowUs);

        if (kind === 'succeeded' || (wasOut && !ejection.out)) inARow = 0;
        else if ((kind === 'failed' || kind === 'crowded') && !wasOut) inARow++;
        const due = (kind === 'failed' && inARow >= failures) || kind === 'refused';
        if (wasOut && forMs !== 0) throw new Error('ejected twice');
        if (!wasOut && forMs > 0 !== due) throw new Error(`${kind} after ${inARow} gave ${forMs}`);
        if (forMs > 0 && (!ejection.out || forMs < plan.baseTimeMs || forMs > plan.maxTimeMs)) {
          throw new Error(`out for ${forMs}`);
        }
        if (wasOut && kind !== 'back' && kind !== 'answered' && !ejection.out) throw new Error('came back');
      }
    }),
  );
});
