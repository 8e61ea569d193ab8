/**
 * What an instance of a fleet reports of its rollouts: which records it has taken, and what it counted since
 * each step was in force. A report says everything, so one that is lost costs nothing, one that comes twice
 * counts once, and the next one replaces it. It has counts and names, and nothing of a request or response.
 */
import { withoutSamples } from '../report/diffs.js';
import { parseDiffs } from '../report/parse-diffs.js';
import { decode, encode, expect } from '../report/raw-reading.js';
import { type Block, fewerBlocks } from '../verdict/block-series.js';
import { noPairs } from '../verdict/pair-counts.js';
import { noSide, type ReleaseCounts, type SideCounts } from './release-counts.js';
import { evenReleases, type ReleaseBlock } from './release-series.js';
import type { RolloutState } from './rollout-record.js';
import type { StepEvidence } from './step-judge.js';

/** One rollout at one instance. */
export interface StepReport {
  readonly route: string;
  /** The record that the instance has taken. */
  readonly id: string;
  readonly revision: number;
  readonly step: number;
  readonly state: RolloutState;
  /** What of the route is not as the record wants it; null: nothing. */
  readonly differs: string | null;
  /** The time in force that the evidence belongs to (`evidenceKey`). */
  readonly key: string;
  /** What both versions answered in the last few seconds. */
  readonly seconds: ReleaseCounts;
  readonly evidence: StepEvidence;
}

export interface MemberReport {
  readonly name: string;
  /** The id of the process. */
  readonly id: string;
  /** Names the thread that counts. A thread that replaces it counts from zero. */
  readonly epoch: string;
  /** Rises within an epoch. */
  readonly sequence: number;
  readonly wallMs: number;
  /** The process has ended in order, and this is its last report. */
  readonly left: boolean;
  /** Rollouts that are not over. */
  readonly rollouts: readonly StepReport[];
}

const format = 1;

/** `encodeReport` returns an object for JSON, with at most `blocksMax` blocks of each kind. */
export function encodeReport(report: MemberReport, blocksMax: number): object {
  return { format, ...report, rollouts: report.rollouts.map((one) => encodeStep(one, blocksMax)) };
}

function encodeStep(report: StepReport, blocksMax: number): object {
  const { releases, pairs, baseline, diffs } = report.evidence;
  const { old, fresh } = report.seconds;
  return {
    ...report,
    seconds: { old: withoutLatency(old), fresh: withoutLatency(fresh) },
    evidence: {
      releases: encode(fewerReleases(releases, blocksMax)),
      pairs: encode(fewerBlocks(pairs, blocksMax)),
      baseline: encode(fewerBlocks(baseline, blocksMax)),
      diffs: diffs === null ? null : withoutSamples(diffs),
    },
  };
}

/** `decodeReport` throws an Error of a few words where this release does not know what `json` says. */
export function decodeReport(json: unknown): MemberReport {
  const given = (json ?? {}) as Record<string, unknown>;
  if (given.format !== format) throw new Error('this is not a report of this release');
  expect(given, { name: '', id: '', epoch: '', sequence: 0, wallMs: 0, left: true, rollouts: [] });
  const { name, id, epoch, sequence, wallMs, left, rollouts } = given as unknown as MemberReport;
  return { name, id, epoch, sequence, wallMs, left, rollouts: rollouts.map(decodeStep) };
}

function decodeStep(given: unknown): StepReport {
  expect(given, {
    route: '',
    id: '',
    revision: 0,
    step: 0,
    state: '',
    key: '',
    seconds: {},
    evidence: { releases: [], pairs: [], baseline: [] },
  });
  const { differs, seconds, evidence, ...rest } = given as StepReport;
  const { diffs } = evidence;
  return {
    ...rest,
    differs: typeof differs === 'string' ? differs : null,
    seconds: { old: sideOf(seconds.old), fresh: sideOf(seconds.fresh) },
    evidence: {
      releases: blocksOf<ReleaseBlock>(
        evidence.releases,
        { startMs: 0, lengthMs: 0, counts: {} },
        (block) => {
          expect(block.counts.old, noSide);
          expect(block.counts.fresh, noSide);
        },
      ),
      pairs: pairBlocksOf(evidence.pairs),
      baseline: pairBlocksOf(evidence.baseline),
      diffs: diffs === null ? null : parseDiffs(diffs),
    },
  };
}

function pairBlocksOf(given: unknown): Block[] {
  return blocksOf<Block>(given, { startMs: 0, lengthMs: 0, pairs: {} }, ({ pairs }) =>
    expect(pairs, noPairs),
  );
}

function blocksOf<B>(given: unknown, template: object, check: (block: B) => void): B[] {
  const blocks = decode(given) as B[];
  for (const block of blocks) {
    expect(block, template);
    check(block);
  }
  return blocks;
}

function sideOf(given: SideCounts): SideCounts {
  expect(given, { ended: 0, errors: 0, unreachable: 0 });
  return { ...given, latency: noSide.latency };
}

function withoutLatency({ ended, errors, unreachable }: SideCounts): object {
  return { ended, errors, unreachable };
}

function fewerReleases(blocks: readonly ReleaseBlock[], max: number): readonly ReleaseBlock[] {
  let fewer = blocks;
  while (fewer.length > max) fewer = evenReleases(fewer, 2 * fewer[0].lengthMs);
  return fewer;
}
