import { subtractMirror, subtractVersion } from '../record/snapshot.js';
import { subtractEndpoints } from '../verdict/endpoint-pairs.js';
import type { Reading } from './reading.js';

/**
 * `between` returns what happened between two readings of one process, without blocks of time. It throws when
 * the second reading is of another process.
 */
export function between(earlier: Reading, later: Reading): Reading {
  if (later.uptimeS < earlier.uptimeS) throw new Error('umbra was restarted meanwhile');
  return {
    ...later,
    uptimeS: later.uptimeS - earlier.uptimeS,
    versions: later.versions.map((version) => {
      const before = earlier.versions.find(
        ({ name, role }) => name === version.name && role === version.role,
      );
      return before === undefined
        ? version
        : { ...version, counts: subtractVersion(version.counts, before.counts) };
    }),
    // Mirrors keep their positions in the list for the life of the process.
    mirrors: later.mirrors.map((mirror, i) => {
      const before = earlier.mirrors[i];
      return before === undefined
        ? mirror
        : {
            ...mirror,
            counts: subtractMirror(mirror.counts, before.counts),
            blocks: [],
            endpoints: subtractEndpoints(mirror.endpoints, before.endpoints),
          };
    }),
  };
}
