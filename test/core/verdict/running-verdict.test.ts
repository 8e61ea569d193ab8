import { laws } from '../../../bench/simulate/laws.js';
import { Traffic } from '../../../bench/simulate/run.js';
import { scenarios } from '../../../bench/simulate/scenarios.js';
import type { Block } from '../../../core/verdict/block-series.js';
import type { MirrorEvidence } from '../../../core/verdict/judge.js';
import { RunningVerdict } from '../../../core/verdict/running-verdict.js';
import t from '../../support/tap.js';

const blocksOf = (name: string): readonly Block[] =>
  new Traffic(1).run(laws[0], scenarios.find((one) => one.name === name)!, 10_000);
const evidence = (blocks: readonly Block[]): MirrorEvidence => {
  return { route: 'r', primary: 'v1', shadow: 'v2', blocks, baseline: noBlocks, endpoints: [] };
};
const noBlocks: readonly Block[] = [];

t.test('a mirror is judged again when pairs came, and not before its blocks say something new', async (t) => {
  const running = new RunningVerdict();
  const [good, bad] = [blocksOf('equal'), blocksOf('0.5 % of answers differ')];
  const first = running.of([evidence(good)], null, 0).mirrors[0];
  t.not(first.outcome, 'fail');
  t.equal(running.of([evidence(good)], null, 60_000).mirrors[0], first, 'nothing came');
  t.equal(running.of([evidence(bad)], null, 100).mirrors[0], first, 'it is too early');
  const later = running.of([evidence(bad)], null, 61_000);
  t.equal(later.mirrors[0].outcome, 'fail');
  t.equal(later.outcome, 'fail');
  t.equal(later.looks, 'repeated');
});

t.test('long blocks are judged less often', async (t) => {
  const running = new RunningVerdict();
  const long = (name: string) => blocksOf(name).map((block) => ({ ...block, lengthMs: 64_000 }));
  const [good, bad] = [long('equal'), long('0.5 % of answers differ')];
  const first = running.of([evidence(good)], null, 0).mirrors[0];
  t.equal(running.of([evidence(bad)], null, 7000).mirrors[0], first);
  t.not(running.of([evidence(bad)], null, 9000).mirrors[0], first);
});
