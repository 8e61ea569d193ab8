import * as fc from 'fast-check';
import { inForce, moved, undone } from '../../../core/rollout/advance.js';
import { FleetBook, type HeardReport } from '../../../core/rollout/fleet-book.js';
import type { MemberReport, StepReport } from '../../../core/rollout/member-report.js';
import { noSide } from '../../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../../core/rollout/release-series.js';
import { evidenceKey, type RolloutRecord } from '../../../core/rollout/rollout-record.js';
import { basisOf, settled } from '../../../core/rollout/settled.js';
import { wantedRoute } from '../../../core/rollout/wanted.js';
import t from '../../support/tap.js';
import { begunRollout } from './begun.js';

const times = { silentMs: 5000, lostMs: 60_000 };
const none = { releases: [], pairs: [], baseline: [], diffs: null };
const record: RolloutRecord = { ...begunRollout(), revision: 4, step: 1 };
const key = evidenceKey(record);

function evidence(requests: number) {
  const series = new ReleaseSeries();
  const side = { ...noSide, ended: requests };
  series.add(250, { old: side, fresh: side });
  return { ...none, releases: series.blocks };
}

function step(changes: Partial<StepReport> = {}): StepReport {
  const { route, id } = record;
  const about = { route, id, revision: 4, step: 1, state: 'running', differs: null, key } as const;
  return { ...about, seconds: { old: noSide, fresh: noSide }, evidence: none, ...changes };
}

let entries = 0;
let clockMs = 0;

/** An instance, and the report that the bucket has of it. */
class Instance {
  heard: HeardReport;
  #sequence = 0;

  constructor(
    readonly name: string,
    readonly id = name,
    readonly epoch = 'e',
  ) {
    this.heard = this.report();
  }

  report(rollouts: readonly StepReport[] = [step()], changes: Partial<MemberReport> = {}): HeardReport {
    const { name, id, epoch } = this;
    const sequence = ++this.#sequence;
    const report = { name, id, epoch, sequence, wallMs: clockMs, left: false, rollouts, ...changes };
    this.heard = { id, entry: ++entries, storedMs: clockMs, report };
    return this.heard;
  }
}

/** The book of `a`, which leads. */
function bookOf(...all: readonly Instance[]) {
  const book = new FleetBook('a', times);
  const look = (passedMs: number): string => {
    clockMs += passedMs;
    book.read(
      all.map(({ heard }) => heard),
      0,
      clockMs,
    );
    return book
      .members(record)
      .map(({ name, presence }) => `${name} ${presence}`)
      .join();
  };
  return { book, look };
}

t.test('a member that says nothing is silent, then lost; while the bucket is gone nobody is', async (t) => {
  const [a, b] = [new Instance('a'), new Instance('b')];
  const { book, look } = bookOf(a, b);
  t.equal(look(0), 'b live');
  t.equal(look(1000), 'b live');
  t.equal(look(600_000), 'b live', 'the leader could not read either');
  for (let i = 0; i < 4; i++) look(1000);
  t.match(book.standing(record), { behind: [], absent: /^b has not reported for \d/ });
  for (let i = 0; i < 56; i++) look(1000);
  t.equal(look(0), 'b lost');
  t.match(book.standing(record), { behind: [], absent: null }, 'the rollout continues without it');
  b.report();
  t.equal(look(1000), 'b live');
  b.report([step()], { left: true });
  t.equal(look(1000), 'b left');
});

t.test('a process that is gone is replaced by one of its name', async (t) => {
  const [b, again] = [new Instance('b', 'b1'), new Instance('b', 'b2')];
  const { look } = bookOf(b, again);
  t.equal(look(0), 'b live,b live', 'as in a takeover');
  for (let i = 0; i < 6; i++) {
    again.report();
    look(1000);
  }
  t.equal(look(0), 'b lost,b live');
});

t.test(
  'who begins to lead counts nobody as gone, and nobody as there who is behind the others',
  async (t) => {
    const [a, b] = [new Instance('a'), new Instance('b')];
    clockMs += 600_000;
    a.report();
    const { look, book } = bookOf(a, b);
    t.equal(look(0), 'b silent');
    t.match(book.standing(record).absent, /^b has not reported/);
    b.report();
    t.equal(look(0), 'b live');
  },
);

t.test('a step is taken when every live member says so, of this record or a newer one', async (t) => {
  const b = new Instance('b');
  const { book, look } = bookOf(b);
  const standing = (rollouts: readonly StepReport[]) => {
    b.report(rollouts);
    look(0);
    const { behind, absent } = book.standing(record);
    return [behind.join(), absent];
  };
  t.strictSame(standing([]), ['b has not taken it', 'b has not taken it']);
  t.match(standing([step({ revision: 3, step: 0 })])[0], 'b is still at step 1');
  t.match(standing([step({ differs: 'no version v2' })])[0], 'b can not take it: no version v2');
  t.strictSame(standing([step()]), ['', null]);
  t.strictSame(standing([step({ revision: 5 })]), ['', null]);
  t.strictSame(standing([step({ key: 'of before' })]), ['', 'b begins to count']);
  t.match(standing([step({ id: 'another rollout' })])[0], 'b has not taken it');
  b.heard = { ...b.heard, entry: ++entries, report: null };
  look(0);
  t.match(book.standing(record).behind, ['b sends a report that this release can not read']);
  book.read([], 3, clockMs);
  t.match(book.standing(record).absent, /3 instances are too many to be read/);
});

t.test('each report counts once, in whatever order reports come', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.nat(99)), { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(29)),
      (told, order) => {
        const all = [0, 1, 2, 3].map((i) => new Instance(`m${i}`));
        const said = told.map(([i, requests]) => all[i].report([step({ evidence: evidence(requests) })]));
        const count = (reports: readonly HeardReport[]): number => {
          const book = new FleetBook('a', times);
          for (const [at, heard] of reports.entries()) {
            // The bucket has one entry of each, and those of others stay.
            const last = new Map(reports.slice(0, at + 1).map((one) => [one.id, one]));
            last.set(heard.id, heard);
            book.read([...last.values()], 0, at);
          }
          const { releases } = book.evidence(record, none);
          return releases.reduce((sum, { counts }) => sum + counts.fresh.ended, 0);
        };
        const shuffled = order.filter((at) => at < said.length).map((at) => said[at]);
        const lastOf = new Map(told.map(([i, requests]) => [i, requests]));
        const expected = [...lastOf.values()].reduce((sum, requests) => sum + requests, 0);
        t.equal(count([...said, ...said]), expected, 'repeated');
        t.equal(count([...shuffled, ...said, ...shuffled]), expected, 'late');
      },
    ),
  );
});

t.test('what a member counted that is gone counts, and that of another step does not', async (t) => {
  const [b, c] = [new Instance('b'), new Instance('c')];
  b.report([step({ evidence: evidence(7) })], { left: true });
  c.report([step({ evidence: evidence(100), key: 'of before' })]);
  const { book, look } = bookOf(b, c);
  look(0);
  t.equal(book.evidence(record, evidence(2)).releases[0].counts.fresh.ended, 9);
  t.strictSame(book.done(new Set([key])), [], 'it is still needed');
  t.strictSame(book.done(new Set()), ['b']);
});

t.test(
  'of two changes of one record the first holds, and a rollback holds over every newer step',
  async (t) => {
    const next = (from: RolloutRecord): RolloutRecord => ({
      ...moved(from, 'running', from.step + 1, 9, 'verdict', 'passed'),
      revision: 5,
    });
    const back: RolloutRecord = {
      ...moved(record, 'rolling-back', record.step, 9, 'guard', 'v2 can not be reached'),
      revision: 5,
    };
    const basis = basisOf(record);
    t.strictSame(settled(record, next(record), basis), next(record));
    const taken = next(record);
    t.match(settled(taken, next(record), basis), /another instance has changed the rollout of reviews/);
    const won = settled(taken, back, basis) as RolloutRecord;
    t.match(won, { state: 'rolling-back', step: 2, revision: 6 });
    t.strictSame(
      won.history.map(({ state, step }) => `${state} ${step}`),
      ['running 0', 'running 2', 'rolling-back 2'],
      'the newer step stays in the history',
    );
    t.match(settled(won, next(record), basis), /it is rolling-back/, 'and the step does not come back');
    t.match(settled(won, back, basis), /it is rolling-back/, 'once');
    t.match(settled({ ...taken, state: 'released' }, back, basis), /it is released/);
    t.match(settled({ ...taken, id: 'b' }, back, basis), /another rollout, which is running/);
    t.match(settled(null, back, basis), /not there any more/);
    t.strictSame(settled(null, record, null), record);
  },
);

t.test('a step that a member does not take is undone, and a person decides', async (t) => {
  const at0 = { ...begunRollout(), revision: 2 };
  const at1 = moved(at0, 'running', 1, 5, 'verdict', 'passed');
  const back = undone(at1, 9, 'b has not taken it in 10 s');
  t.match(back, {
    state: 'paused',
    step: 0,
    inForceMs: null,
    history: {
      2: { by: 'fleet', reason: /^step 2 was undone: b has not taken it in 10 s; resume or abort/ },
    },
  });
  t.strictSame(wantedRoute(back), wantedRoute(at0));
  t.match(undone(inForce(at1, 6), 9, 'b can not keep it'), { state: 'paused', step: 1, inForceMs: 6 });
  const first = { ...at0, history: at0.history.slice(0, 1), inForceMs: null };
  t.match(undone(first, 9, 'b'), { state: 'rolling-back', step: 0 });
});
