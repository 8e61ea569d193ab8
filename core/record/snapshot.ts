/**
 * The sums of the blocks of all threads at one moment, as plain objects that follow the table of their
 * counters. Counters and HDR counts only grow, so the difference of two snapshots is what happened between
 * them.
 */
import type { CounterBlock } from './counter-block.js';
import {
  CODE_FIRST,
  CODE_LAST,
  type CounterTable,
  type Fields,
  type Kind,
  type KindValue,
  type Row,
  type SnapshotOf,
} from './counter-table.js';
import { addGrpcMethods, GrpcMethods, subtractGrpcMethods } from './grpc-methods.js';
import { Histogram } from './histogram.js';
import { type MirrorCounters, type MirrorField, mirrorTable } from './mirror-counters.js';
import { type ThreadCounters, type ThreadField, threadTable } from './thread-counters.js';
import { type VersionCounters, type VersionField, versionTable } from './version-counters.js';

/** One version in one role, over all threads. */
export type VersionSnapshot = SnapshotOf<typeof VersionField>;

/** One mirror, over all proxy and shadow threads. */
export type MirrorSnapshot = SnapshotOf<typeof MirrorField>;

/** One thread; indexed by `ThreadField`. */
export type ThreadSnapshot = readonly number[];

export function readVersion(counters: readonly VersionCounters[]): VersionSnapshot {
  return readTable(versionTable, counters);
}

export function readMirror(counters: readonly MirrorCounters[]): MirrorSnapshot {
  return readTable(mirrorTable, counters);
}

export function readThread(counters: ThreadCounters): ThreadSnapshot {
  return threadTable.rows.map(({ index }) => counters.get(index as ThreadField));
}

/** `subtractVersion` returns what a version did between two of its snapshots. */
export function subtractVersion(later: VersionSnapshot, earlier: VersionSnapshot): VersionSnapshot {
  return combine(versionTable, later, earlier, 'subtract');
}

/** `addVersions` returns the sum of two versions. */
export function addVersions(a: VersionSnapshot, b: VersionSnapshot): VersionSnapshot {
  return combine(versionTable, a, b, 'add');
}

/** `subtractMirror` returns what a mirror did between two of its snapshots. */
export function subtractMirror(later: MirrorSnapshot, earlier: MirrorSnapshot): MirrorSnapshot {
  return combine(mirrorTable, later, earlier, 'subtract');
}

/** `addMirrors` returns the sum of one mirror in two processes. */
export function addMirrors(a: MirrorSnapshot, b: MirrorSnapshot): MirrorSnapshot {
  return combine(mirrorTable, a, b, 'add');
}

/** `total` returns the sum of counts that are indexed by reason. */
export function total(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

/** How values of one kind are read from blocks, subtracted and added. */
interface KindRules<Value> {
  read(blocks: readonly CounterBlock[], row: Row): Value;
  /** Returns what happened between two values of the same blocks. */
  subtract(later: Value, earlier: Value): Value;
  /** Returns the sum of the values of two processes. */
  add(a: Value, b: Value): Value;
}

const kindRules: { readonly [K in Kind]: KindRules<KindValue[K]> } = {
  counter: {
    read: (blocks, { index }) => sumOf(blocks, index),
    subtract: (later, earlier) => later - earlier,
    add: (a, b) => a + b,
  },
  gauge: {
    read: (blocks, { index }) => sumOf(blocks, index),
    subtract: (later) => later,
    add: (a, b) => a + b,
  },
  highest: {
    read: (blocks, { index }) => Math.max(0, ...blocks.map((block) => block.wordAt(index))) - 1,
    subtract: (later) => later,
    add: (a, b) => Math.max(a, b),
  },
  reasons: {
    read: (blocks, { index, reasons }) => reasons.map((_, reason) => sumOf(blocks, index + reason)),
    subtract: (later, earlier) => later.map((count, i) => count - earlier[i]),
    // A process of another release may have more reasons.
    add: (a, b) => Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0)),
  },
  codes: {
    read: (blocks, { index }) => {
      const seen = new Map<number, number>();
      for (let code = CODE_FIRST; code <= CODE_LAST; code++) {
        const count = sumOf(blocks, index + code - CODE_FIRST);
        if (count > 0) seen.set(code, count);
      }
      return seen;
    },
    subtract: (later, earlier) => {
      const between = new Map<number, number>();
      for (const [code, count] of later) {
        const since = count - (earlier.get(code) ?? 0);
        if (since > 0) between.set(code, since);
      }
      return between;
    },
    add: (a, b) => {
      const both = new Map(a);
      for (const [code, count] of b) both.set(code, count + (both.get(code) ?? 0));
      return both;
    },
  },
  hdr: {
    read: (blocks, { index }) => Histogram.read(blocks.map((block) => block.hdrAt(index))),
    subtract: (later, earlier) => later.subtract(earlier),
    add: (a, b) => a.add(b),
  },
  methods: {
    read: (blocks, { index }) => GrpcMethods.read(blocks, index),
    subtract: subtractGrpcMethods,
    add: addGrpcMethods,
  },
};

/** `readTable` returns the sum of `blocks`, which all have the rows of the table. */
export function readTable<F extends Fields>(
  { rows }: CounterTable<F>,
  blocks: readonly CounterBlock[],
): SnapshotOf<F> {
  return Object.fromEntries(
    rows.map((row) => [row.name, kindRules[row.kind].read(blocks, row)]),
  ) as SnapshotOf<F>;
}

/**
 * `combine` returns what happened between `b` and the later `a` of the same blocks (`subtract`), or the sum
 * of both (`add`).
 */
export function combine<F extends Fields>(
  { rows }: CounterTable<F>,
  a: SnapshotOf<F>,
  b: SnapshotOf<F>,
  how: 'subtract' | 'add',
): SnapshotOf<F> {
  return Object.fromEntries(
    rows.map(({ name, kind }) => {
      // The kind of a row is the kind of its value. The compiler can't follow that through the name.
      const { [how]: combined } = kindRules[kind] as KindRules<unknown>;
      return [name, combined(a[name], b[name])];
    }),
  ) as SnapshotOf<F>;
}

function sumOf(blocks: readonly CounterBlock[], word: number): number {
  let sum = 0;
  for (const block of blocks) sum += block.wordAt(word);
  return sum;
}
