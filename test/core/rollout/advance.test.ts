import {
  aborted,
  advance,
  inForce,
  paused,
  promoted,
  restarted,
  resumed,
  type Situation,
} from '../../../core/rollout/advance.js';
import { parseRecord, type RolloutRecord } from '../../../core/rollout/rollout-record.js';
import type { StepVerdict } from '../../../core/rollout/step-judge.js';
import { wantedRoute } from '../../../core/rollout/wanted.js';
import t from '../../support/tap.js';
import { begunRollout } from './begun.js';

function situation(nowMs: number, outcome: StepVerdict['outcome'], more: Partial<Situation> = {}): Situation {
  const check = {
    name: 'errors',
    of: 'versions',
    outcome,
    text: 'v2 failed 9 of 10',
    isOptional: false,
  } as const;
  const example = { id: '7', request: 'GET /', place: 'status', primary: '200', shadow: '500' };
  const verdict = { outcome, checks: [check], requests: 200, seconds: 0.4, example };
  return { nowMs, verdict, alarm: null, byHand: null, ...more };
}

const shown = ({ state, step }: RolloutRecord): string => `${state} ${step}`;

t.test('a rollout takes each step that passes, after its least time, and watches the last one', async (t) => {
  let record = begunRollout();
  t.equal(advance(record, situation(500, 'pass')), record, 'the least time is not over');
  t.strictSame(wantedRoute(record), {
    weights: [
      ['v1', 100],
      ['v2', 0],
    ],
    mirror: { to: 'v2', percent: 50, safeOnly: false },
  });
  record = advance(record, situation(1000, 'pass'));
  t.equal(shown(record), 'running 1');
  t.equal(record.inForceMs, null);
  t.equal(advance(record, situation(9000, 'pass')), record, 'nothing is judged before it is in force');
  record = advance(inForce(record, 1100), situation(2100, 'pass'));
  t.equal(shown(record), 'watching 2');
  t.strictSame(wantedRoute(record), {
    weights: [
      ['v1', 0],
      ['v2', 100],
    ],
    mirror: { to: 'v1', percent: 100, safeOnly: true },
  });
  record = inForce(record, 2100);
  t.equal(shown(advance(record, situation(5000, 'undecided'))), 'watching 2');
  record = advance(record, situation(5100, 'undecided'));
  t.equal(shown(record), 'released 2');
  t.equal(record.endedMs, 5100);
  t.strictSame(
    record.history.map(({ state, by }) => `${state} by ${by}`),
    ['running by user', 'running by verdict', 'watching by verdict', 'released by time'],
  );
  t.equal(wantedRoute(record).mirror, null);
});

t.test(
  'a failure rolls back from every state that is judged, and says the check and an example',
  async (t) => {
    const running = begunRollout();
    const held = { ...running, state: 'held' as const };
    const watching = { ...running, state: 'watching' as const, step: 2 };
    for (const record of [running, held, watching]) {
      const back = advance(record, situation(100, 'fail'));
      t.equal(back.state, 'rolling-back');
      t.match(back.history.at(-1), {
        by: 'verdict',
        reason: 'errors: v2 failed 9 of 10',
        example: 'GET / (id 7), status: 200 | 500',
      });
      t.strictSame(wantedRoute(back), { weights: null, mirror: null });
      t.equal(advance(back, situation(200, 'pass')), back, 'it waits until every thread is back');
      const over = inForce(back, 300);
      t.match(over, { state: 'rolled-back', endedMs: 300 });
      t.match(over.history.at(-1), { reason: 'errors: v2 failed 9 of 10' });
    }
  },
);

t.test('an alarm rolls back before the step is in force, and while a person has paused it', async (t) => {
  const alarm = { alarm: 'v2 can not be reached' };
  const fresh = restarted(begunRollout());
  t.match(advance(fresh, situation(1, 'undecided', alarm)), { state: 'rolling-back' });
  const held = paused(begunRollout(), 1, 'lunch') as RolloutRecord;
  t.equal(advance(held, situation(2000, 'fail')), held, 'nothing is judged meanwhile');
  t.match(advance(held, situation(2, 'undecided', alarm)).history.at(-1), {
    by: 'guard',
    reason: 'v2 can not be reached',
  });
});

t.test('a step that is not decided in its longest time does what onUndecided says', async (t) => {
  const late = situation(5000, 'undecided');
  t.equal(advance(begunRollout(), situation(4999, 'undecided')).state, 'running');
  const held = advance(begunRollout(), late);
  t.equal(shown(held), 'held 0');
  t.match(held.history.at(-1)!.reason, /not decided in 5 s: errors: v2 failed 9 of 10/);
  t.equal(advance(held, situation(9000, 'undecided')), held);
  t.equal(
    shown(advance(held, situation(9000, 'pass'))),
    'running 1',
    'it continues by itself once it is sure',
  );
  t.equal(advance(begunRollout({ onUndecided: 'rollback' }), late).state, 'rolling-back');
  t.equal(shown(advance(begunRollout({ onUndecided: 'go-on' }), late)), 'running 1');
});

t.test(
  'while figures of instances are missing a step fails, but neither passes nor is released',
  async (t) => {
    const absent = 'edge-2 has not reported for 8 s';
    const record = begunRollout({ onUndecided: 'go-on' });
    t.equal(advance(record, situation(2000, 'pass', { absent })), record);
    t.equal(advance(record, situation(2000, 'fail', { absent })).state, 'rolling-back');
    const held = advance(record, situation(5000, 'pass', { absent }));
    t.match(held, { state: 'held', step: 0 }, 'instead of the next step');
    t.match(held.history.at(-1)?.reason, `not decided in 5 s: ${absent}`);
    t.equal(advance(held, situation(6000, 'pass')).step, 1, 'when it reports again');
    const watching = { ...record, state: 'watching' as const, step: 2 };
    t.equal(advance(watching, situation(9000, 'pass', { absent })), watching);
  },
);

t.test('a change by hand pauses, and nothing but a person ends that', async (t) => {
  const changed = advance(begunRollout(), situation(10, 'undecided', { byHand: 'weights are v1=50 v2=50' }));
  t.match(changed, { state: 'paused', changedByHand: true });
  t.equal(advance(changed, situation(20, 'fail', { alarm: 'down' })), changed);
  const back = resumed(changed, 30, 'resumed') as RolloutRecord;
  t.match(back, { state: 'running', step: 0, inForceMs: null, changedByHand: false });
  t.match(aborted(changed, 30, 'no'), { state: 'rolling-back', changedByHand: false });
});

t.test('a person promotes a step or all of them, and can not command what is over', async (t) => {
  t.equal(shown(promoted(begunRollout(), 1, 'sure', false) as RolloutRecord), 'running 1');
  const watching = promoted(begunRollout(), 1, 'sure', true) as RolloutRecord;
  t.equal(shown(watching), 'watching 2');
  const released = promoted(watching, 2, 'sure', false) as RolloutRecord;
  t.equal(shown(released), 'released 2');
  for (const command of [paused, resumed, aborted]) t.type(command(released, 3, 'no'), 'string');
  t.type(promoted(released, 3, 'no', false), 'string');
  t.match(
    aborted(watching, 2, 'no'),
    { state: 'rolling-back' },
    'the watched version can still be given back',
  );
});

t.test('a record outlasts its way through JSON, and a damaged one is none', async (t) => {
  const record = advance(begunRollout(), situation(1000, 'pass'));
  t.strictSame(parseRecord(JSON.parse(JSON.stringify(record))), record);
  for (const damage of [
    null,
    7,
    {},
    { ...record, format: 2 },
    { ...record, step: 9 },
    { ...record, state: 'x' },
  ])
    t.equal(parseRecord(damage), null);
});
