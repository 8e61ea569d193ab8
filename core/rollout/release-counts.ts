/**
 * The counts of two versions that answer on one route in the same stretch of time. Stretches and instances
 * can be added. Pure.
 */
import { blameOf, failureReasons } from '../errors.js';
import { CODE_FIRST, CODE_LAST, type Field } from '../record/counter-table.js';
import { type VersionCounters, VersionField } from '../record/version-counters.js';
import { SlotReader } from '../verdict/pair-reader.js';
import { latencyScale, SlotCounts } from '../verdict/slot-counts.js';

/** The counts of one version. */
export interface SideCounts {
  /** Requests that ended, without those that the client gave up. */
  readonly ended: number;
  /** Those of them that failed, or were answered with 500 to 599. */
  readonly errors: number;
  /** Requests that found no connection to any endpoint. */
  readonly unreachable: number;
  /** Latencies of whole answers. */
  readonly latency: SlotCounts;
}

export interface ReleaseCounts {
  readonly old: SideCounts;
  readonly fresh: SideCounts;
}

export const noSide: SideCounts = { ended: 0, errors: 0, unreachable: 0, latency: SlotCounts.none };

function sumSides(sides: readonly SideCounts[]): SideCounts {
  const sum = (of: (side: SideCounts) => number): number => sides.reduce((all, side) => all + of(side), 0);
  return {
    ended: sum(({ ended }) => ended),
    errors: sum(({ errors }) => errors),
    unreachable: sum(({ unreachable }) => unreachable),
    latency: SlotCounts.sum(sides.map(({ latency }) => latency)),
  };
}

export function sumReleases(all: readonly ReleaseCounts[]): ReleaseCounts {
  return { old: sumSides(all.map(({ old }) => old)), fresh: sumSides(all.map(({ fresh }) => fresh)) };
}

/** Reads what one version answered on one route since the last look. */
export class SideReader {
  readonly #latency = new SlotReader(latencyScale);
  #before = { ended: 0, errors: 0, unreachable: 0 };

  /** The first call returns everything. */
  read(counters: readonly VersionCounters[]): SideCounts {
    const now = { ended: 0, errors: 0, unreachable: 0 };
    for (const one of counters) addTotals(one, now);
    const before = this.#before;
    this.#before = now;
    return {
      ended: now.ended - before.ended,
      errors: now.errors - before.errors,
      unreachable: now.unreachable - before.unreachable,
      latency: this.#latency.read(counters.map(({ latency }) => latency)),
    };
  }
}

const SERVER_ERROR = 500;
const unreachableReasons: readonly string[] = ['connect', 'tls', 'no-endpoint'];

function addTotals(
  counters: VersionCounters,
  totals: { ended: number; errors: number; unreachable: number },
): void {
  const get = (field: number): number => counters.get(field as Field<'counter'>);
  totals.ended += get(VersionField.responsesOther);
  for (let code = CODE_FIRST; code <= CODE_LAST; code++) {
    const count = get(VersionField.responses + code - CODE_FIRST);
    totals.ended += count;
    if (code >= SERVER_ERROR) totals.errors += count;
  }
  failureReasons.forEach((reason, i) => {
    if (blameOf(reason) === 'client') return;
    const count = get(VersionField.failures + i);
    totals.ended += count;
    totals.errors += count;
    if (unreachableReasons.includes(reason)) totals.unreachable += count;
  });
}
