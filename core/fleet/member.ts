/**
 * One process of a fleet, as it reports itself on NATS. What travels is counts, histograms and names from
 * the configuration; nothing of a request or a response does, so differences go without their samples.
 */
import type { DiffsView } from '../report/diffs.js';
import { parseDiffs } from '../report/parse-diffs.js';
import { decodeReading, encodeReading } from '../report/raw-reading.js';
import type { Reading } from '../report/reading.js';
import { fewerBlocks } from '../verdict/block-series.js';

export interface Member {
  readonly name: string;
  /** The id of the process: two may share a name for a while, as in a takeover. */
  readonly id: string;
  readonly intervalMs: number;
  /** It ended as it was asked to; this is its last word. */
  readonly left: boolean;
  /**
   * Equal where two instances route and mirror alike, whatever their generations are; empty for a process
   * that has none, `umbra shadow`.
   */
  readonly configuration: string;
  /** The revision of a plan that comes from a bucket; null for any other. */
  readonly revision: number | null;
  readonly reading: Reading;
  readonly diffs: DiffsView | null;
}

/** Groups that travel; those with the most pairs. */
const groupsMax = 100;
/** Blocks of each mirror that travel: enough for an error. */
const blocksMax = 24;

/** JSON-ready. Control thread: some tenths of a millisecond per histogram that is not empty. */
export function encodeMember({ reading, diffs, ...about }: Member): object {
  return {
    ...about,
    reading: encodeReading(withFewerBlocks(reading)),
    diffs: diffs === null ? null : withoutSamples(diffs),
  };
}

/** Throws an Error of a few words where `json` is not what `encodeMember` made. */
export function decodeMember(json: unknown): Member {
  const { name, id, intervalMs, left, configuration, revision, reading, diffs } = (json ??
    {}) as Partial<Member>;
  if (typeof name !== 'string' || typeof id !== 'string' || typeof intervalMs !== 'number')
    throw new Error('this is no snapshot of an umbra');
  return {
    name,
    id,
    intervalMs,
    left: left === true,
    configuration: String(configuration),
    revision: typeof revision === 'number' ? revision : null,
    reading: decodeReading(reading),
    diffs: diffs == null ? null : parseDiffs(diffs),
  };
}

/** A snapshot has to fit into one message of NATS. */
function withFewerBlocks(reading: Reading): Reading {
  const mirrors = reading.mirrors.map((mirror) => ({
    ...mirror,
    blocks: fewerBlocks(mirror.blocks, blocksMax),
  }));
  return { ...reading, mirrors };
}

function withoutSamples({ groups, mirrors }: DiffsView): DiffsView {
  const first = [...groups].sort((a, b) => b.count - a.count).slice(0, groupsMax);
  return { groups: first.map((group) => ({ ...group, samples: [] })), mirrors };
}
