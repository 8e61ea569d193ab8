/**
 * One process of a fleet, as it reports itself on NATS. A snapshot contains counts, histograms and names from
 * the configuration, but nothing of a request or response, so differences have no samples.
 */
import { type DiffsView, withoutSamples } from '../report/diffs.js';
import { parseDiffs } from '../report/parse-diffs.js';
import { decodeReading, encodeReading, expect } from '../report/raw-reading.js';
import type { Reading } from '../report/reading.js';
import type { RolloutNote } from '../report/rollout-note.js';
import { fewerBlocks } from '../verdict/block-series.js';

export interface Member {
  readonly name: string;
  /** The id of the process: two processes may share a name for a while, as during a takeover. */
  readonly id: string;
  readonly intervalMs: number;
  /** The process has ended in order, and this is its last snapshot. */
  readonly left: boolean;
  /**
   * Equal for instances that route and mirror alike, whatever their generations. Empty for a process without
   * a configuration (`umbra shadow`).
   */
  readonly configuration: string;
  /** The revision of a plan from a bucket; null for other plans. */
  readonly revision: number | null;
  readonly reading: Reading;
  readonly diffs: DiffsView | null;
  /** The last rollout of each route. */
  readonly rollouts: readonly RolloutNote[];
}

/** Blocks of each mirror in a snapshot, which are enough to estimate an error. */
const blocksMax = 24;

/**
 * `encodeMember` returns an object for JSON. Control thread: some tenths of a millisecond per histogram that
 * is not empty.
 */
export function encodeMember({ reading, diffs, ...about }: Member): object {
  return {
    ...about,
    reading: encodeReading(withFewerBlocks(reading)),
    diffs: diffs === null ? null : withoutSamples(diffs),
  };
}

/** `decodeMember` throws an Error with a short message when `encodeMember` did not make `json`. */
export function decodeMember(json: unknown): Member {
  const { name, id, intervalMs, left, configuration, revision, reading, diffs, rollouts } = (json ??
    {}) as Partial<Member>;
  if (typeof name !== 'string' || typeof id !== 'string' || typeof intervalMs !== 'number')
    throw new Error('this is not a snapshot of umbra');
  return {
    name,
    id,
    intervalMs,
    left: left === true,
    configuration: String(configuration),
    revision: typeof revision === 'number' ? revision : null,
    reading: decodeReading(reading),
    diffs: diffs == null ? null : parseDiffs(diffs),
    rollouts: notesOf(rollouts),
  };
}

/** Empty where a member is older than rollouts. */
function notesOf(given: unknown): RolloutNote[] {
  if (!Array.isArray(given)) return [];
  const template = {
    route: '',
    from: '',
    to: '',
    state: '',
    step: 0,
    steps: 0,
    percent: 0,
    reason: '',
    over: true,
  };
  for (const note of given) expect(note, template);
  return given as RolloutNote[];
}

/** `withFewerBlocks` shortens a snapshot, which must fit into one message of NATS. */
function withFewerBlocks(reading: Reading): Reading {
  const mirrors = reading.mirrors.map((mirror) => ({
    ...mirror,
    blocks: fewerBlocks(mirror.blocks, blocksMax),
  }));
  return { ...reading, mirrors };
}
