/**
 * Merges readings of several processes. Counts and HDR counts are added exactly, slot by slot, and nothing is
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
 * `mergeReadings` merges the readings of members. A single member keeps its own reading. The result of
 * several has the highest generation and uptime, all engines, and threads and rings under `NAME/`. It has no
 * endpoints, because each instance judges its own. `members` must not be empty.
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
    routes: [],
    names: [],
    pulses: [],
    control: noControlCounts,
  };
}

/** `mergeDiffs` returns null when no member compares responses. */
export function mergeDiffs(all: readonly (DiffsView | null)[]): DiffsView | null {
  const views = all.filter((view) => view !== null);
  return views.length === 0 ? null : addDiffs(views);
}

/** `addMirrorReadings` adds two readings. When the shares of instances differ, it keeps the largest one. */
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
