/** What instances counted apart is the same as what one would have counted of everything. */
import * as fc from 'fast-check';
import { rolloutPlans } from '../../../bench/simulate/rollout-scenarios.js';
import {
  decodeReport,
  encodeReport,
  type MemberReport,
  type StepReport,
} from '../../../core/rollout/member-report.js';
import { mergeEvidence } from '../../../core/rollout/merged-evidence.js';
import { noSide, type ReleaseCounts, type SideCounts } from '../../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../../core/rollout/release-series.js';
import { judgeStep, type StepEvidence } from '../../../core/rollout/step-judge.js';
import { BlockSeries } from '../../../core/verdict/block-series.js';
import { endedPairs, noPairs, type PairCounts } from '../../../core/verdict/pair-counts.js';
import { SlotCounts } from '../../../core/verdict/slot-counts.js';
import t from '../../support/tap.js';

const lookMs = 250;
const names = { route: 'r', from: 'v1', to: 'v2' };
const plan = rolloutPlans.default;
const [mirrored, half] = [0, plan.steps.findIndex(({ shareMillionths }) => shareMillionths === 500_000)];

/** What one instance counted in one look. */
interface Look {
  readonly at: number;
  readonly instance: number;
  readonly counts: ReleaseCounts;
  readonly pairs: PairCounts;
}

const instances = 3;
const count = fc.nat(50);
const latencies = fc.dictionary(
  fc.integer({ min: 300, max: 420 }).map(String),
  fc.integer({ min: 1, max: 9 }),
  {
    maxKeys: 5,
  },
);

function slots(counts: Readonly<Record<string, number>>): SlotCounts {
  const sorted = Object.entries(counts).sort(([a], [b]) => Number(a) - Number(b));
  return new SlotCounts(
    Uint16Array.from(sorted, ([slot]) => Number(slot)),
    Float64Array.from(sorted, ([, times]) => times),
  );
}

const side = fc
  .record({ ended: count, errors: count, latency: latencies })
  .map(({ ended, errors, latency }): SideCounts => {
    return { ...noSide, ended: ended + errors, errors, latency: slots(latency) };
  });
const look: fc.Arbitrary<Look> = fc
  .record({
    at: fc.nat(400),
    instance: fc.nat(instances - 1),
    old: side,
    fresh: side,
    bothOk: count,
    shadowErrors: fc.nat(3),
    latency: latencies,
  })
  .map(({ at, instance, old, fresh, bothOk, shadowErrors, latency }) => ({
    at,
    instance,
    counts: { old, fresh },
    pairs: { ...noPairs, bothOk, shadowErrors, eligible: bothOk + shadowErrors, primary: slots(latency) },
  }));
const looks = fc.array(look, { minLength: 1, maxLength: 150 });

function evidenceOf(some: readonly Look[]): StepEvidence {
  const releases = new ReleaseSeries();
  const [pairs, baseline] = [new BlockSeries(), new BlockSeries()];
  for (const { at, counts, pairs: some_ } of [...some].sort((a, b) => a.at - b.at)) {
    releases.add((at + 1) * lookMs, counts);
    if (endedPairs(some_) > 0) pairs.add((at + 1) * lookMs, some_);
  }
  return { releases: releases.blocks, pairs: pairs.blocks, baseline: baseline.blocks, diffs: null };
}

const parts = (all: readonly Look[]): StepEvidence[] =>
  Array.from({ length: instances }, (_, i) => evidenceOf(all.filter(({ instance }) => instance === i)));

t.test('evidence of instances, merged in any order, is the evidence of all requests', async (t) => {
  fc.assert(
    fc.property(looks, fc.integer({ min: 0, max: instances - 1 }), (all, turn) => {
      const whole = evidenceOf(all);
      const split = parts(all);
      const merged = mergeEvidence([...split.slice(turn), ...split.slice(0, turn)], 0);
      t.strictSame(merged, whole);
      for (const step of [mirrored, half])
        t.strictSame(judgeStep(names, plan, step, merged), judgeStep(names, plan, step, whole));
    }),
    { numRuns: 100 },
  );
});

t.test('what an instance sends is what another one reads, and fewer blocks lose no request', async (t) => {
  fc.assert(
    fc.property(looks, (all) => {
      const evidence = evidenceOf(all);
      const seconds = { old: { ...noSide, ended: 3, errors: 1 }, fresh: noSide };
      const step: StepReport = {
        ...{
          route: 'r',
          id: 'a',
          revision: 3,
          step: 1,
          state: 'running' as const,
          differs: null,
          key: 'a/1/5',
        },
        seconds,
        evidence,
      };
      const report: MemberReport = {
        ...{ name: 'edge-1', id: 'p', epoch: 'e', sequence: 1, wallMs: 9, left: false },
        rollouts: [step],
      };
      const read = (blocksMax: number): MemberReport =>
        decodeReport(JSON.parse(JSON.stringify(encodeReport(report, blocksMax))));
      t.strictSame(read(60), report);
      const [{ evidence: fewer }] = read(4).rollouts;
      t.ok(fewer.releases.length <= 4 && fewer.pairs.length <= 4);
      const ended = ({ releases }: StepEvidence): number =>
        releases.reduce((sum, { counts }) => sum + counts.old.ended + counts.fresh.ended, 0);
      t.equal(ended(fewer), ended(evidence));
    }),
    { numRuns: 50 },
  );
});

t.test('a text that is not a report of this release is refused', async (t) => {
  for (const text of ['null', '7', '{"format":2}', '{"format":1,"name":"a"}'])
    t.throws(() => decodeReport(JSON.parse(text)), text);
  const report = { format: 1, name: 'a', id: 'p', epoch: 'e', sequence: 1, wallMs: 9, left: false };
  for (const rollouts of [[7], [{ route: 'r' }]]) t.throws(() => decodeReport({ ...report, rollouts }));
});

t.test('a burst that instances meet at a time is one burst, also where their clocks differ', async (t) => {
  const burst: ReleaseCounts = {
    old: { ...noSide, ended: 50 },
    fresh: { ...noSide, ended: 50, errors: 25 },
  };
  const quiet: ReleaseCounts = { old: { ...noSide, ended: 50 }, fresh: { ...noSide, ended: 50 } };
  const of = (behind: number): StepEvidence => {
    const series = new ReleaseSeries();
    for (let at = 0; at < 40; at++) series.add((at + behind + 1) * lookMs, at === 20 ? burst : quiet);
    return { releases: series.blocks, pairs: [], baseline: [], diffs: null };
  };
  const withErrors = ({ releases }: StepEvidence): number =>
    releases.filter(({ counts }) => counts.fresh.errors > 0).length;
  t.equal(withErrors(mergeEvidence([of(0), of(0), of(0)], 0)), 1);
  t.equal(withErrors(mergeEvidence([of(0), of(1)], 0)), 2, 'what would be two');
  t.equal(withErrors(mergeEvidence([of(0), of(1)], lookMs)), 1);
});
