/**
 * Readings of several processes as one: counts and HDR counts add up exactly, slot by slot; nothing is
 * averaged. Pure.
 */
import { addMirrors, addVersions } from '../record/snapshot.js';
import { noControlCounts } from '../report/control-counts.js';
import { addDiffs, type DiffsView } from '../report/diffs.js';
import type { MirrorReading, Reading, VersionReading } from '../report/reading.js';
import { summed } from '../report/summed.js';
import { evenBlocks } from '../verdict/block-series.js';
import { addEndpoints } from '../verdict/endpoint-pairs.js';
import type { Member } from './member.js';

/**
 * Merges the readings of members. One member keeps its own reading. Several have the highest generation and
 * time, all engines, threads and rings under `NAME/`, and no endpoints, which are each instance's own
 * business. `members` is not empty.
 */
export function mergeReadings(members: readonly Pick<Member, 'name' | 'reading'>[]): Reading {
  const readings = members.map(({ reading }) => reading);
  if (readings.length === 1) return readings[0];
  const below = <T extends { readonly name: string }>(all: (reading: Reading) => readonly T[]): T[] =>
    members.flatMap(({ name, reading }) =>
      all(reading).map((one) => ({ ...one, name: `${name}/${one.name}` })),
    );
  return {
    generation: Math.max(...readings.map(({ generation }) => generation)),
    uptimeS: Math.max(...readings.map(({ uptimeS }) => uptimeS)),
    engine: [...new Set(readings.map(({ engine }) => engine))].sort().join(' + '),
    versions: summed(
      readings.flatMap(({ versions }) => versions),
      ({ name, role }) => `${name} ${role}`,
      (a, b): VersionReading => ({ ...a, counts: addVersions(a.counts, b.counts) }),
    ),
    mirrors: summed(
      readings.flatMap(({ mirrors }) => mirrors),
      ({ route, to, baselineOf }) => JSON.stringify([route, to, baselineOf]),
      addMirrorReadings,
    ),
    threads: below(({ threads }) => threads),
    rings: below(({ rings }) => rings),
    endpoints: [],
    names: [],
    pulses: [],
    control: noControlCounts,
  };
}

/** Null where none of them compares responses. */
export function mergeDiffs(all: readonly (DiffsView | null)[]): DiffsView | null {
  const views = all.filter((view) => view !== null);
  return views.length === 0 ? null : addDiffs(views);
}

/** Where the shares of instances differ, the largest is shown. */
function addMirrorReadings(a: MirrorReading, b: MirrorReading): MirrorReading {
  const primaries = [...new Set([...a.primaries, ...b.primaries])];
  return {
    ...a,
    primaries,
    primary: primaries.length === 0 ? null : primaries.join(' + '),
    enabled: a.enabled || b.enabled,
    percent: Math.max(a.percent, b.percent),
    heldBackPercent: Math.max(a.heldBackPercent, b.heldBackPercent),
    counts: addMirrors(a.counts, b.counts),
    blocks: evenBlocks([...a.blocks, ...b.blocks]),
    endpoints: addEndpoints([...a.endpoints, ...b.endpoints]),
  };
}
