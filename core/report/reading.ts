/**
 * Everything that umbra measures, read once: what each report is rendered from, so that all numbers on one page are
 * of one moment.
 */
import {
  type MirrorSnapshot,
  readMirror,
  readThread,
  readVersion,
  type ThreadSnapshot,
  type VersionSnapshot,
} from '../record/snapshot.js';
import { ThreadField } from '../record/thread-ledger.js';
import { type ControlCounts, noControlCounts } from './control-counts.js';
import type { Observed, Role } from './observed.js';

export interface Reading {
  readonly generation: number;
  readonly uptimeS: number;
  readonly engine: string;
  readonly versions: readonly VersionReading[];
  readonly mirrors: readonly MirrorReading[];
  readonly threads: readonly ThreadReading[];
  readonly rings: readonly { readonly name: string; readonly usedBytes: number }[];
  readonly control: ControlCounts;
}

export interface VersionReading {
  readonly name: string;
  readonly role: Role;
  readonly counts: VersionSnapshot;
}

export interface MirrorReading {
  readonly route: string;
  readonly to: string;
  /** False for a mirror that has left the configuration. */
  readonly enabled: boolean;
  readonly percent: number;
  /** Of this share, what the guard holds back now, in percent. */
  readonly heldBackPercent: number;
  readonly counts: MirrorSnapshot;
}

export interface ThreadReading {
  readonly kind: 'proxy' | 'shadow';
  readonly name: string;
  readonly counts: ThreadSnapshot;
}

const MILLIONTHS_PER_PERCENT = 10_000;

/** `atUs`: now, on the time line of core/clock. Reads shared memory only; takes well under a millisecond per version. */
export function read(observed: Observed, atUs: number, control: ControlCounts = noControlCounts): Reading {
  const configured = new Map(
    observed.plan.routes.flatMap((route) => route.mirrors.map((mirror) => [mirror.slot, mirror] as const)),
  );
  return {
    generation: observed.plan.generation,
    uptimeS: (atUs - observed.startedUs) / 1e6,
    engine: observed.engine,
    versions: observed.versions.map(({ name, role, ledgers }) => ({
      name,
      role,
      counts: readVersion(ledgers),
    })),
    mirrors: observed.mirrors.map(({ route, to, slot, ledgers }) => {
      const mirror = configured.get(slot);
      return {
        route,
        to,
        enabled: mirror?.enabled ?? false,
        percent: (mirror?.shareMillionths ?? 0) / MILLIONTHS_PER_PERCENT,
        heldBackPercent: observed.heldBack.of(slot) / MILLIONTHS_PER_PERCENT,
        counts: readMirror(ledgers),
      };
    }),
    threads: observed.threads.map(({ kind, name, ledger }) => ({ kind, name, counts: readThread(ledger) })),
    rings: observed.rings.map((ring) => ({ name: ring.name, usedBytes: ring.usedBytes() })),
    control,
  };
}

/** Times that any thread was started again. */
export function restarts(reading: Reading): number {
  return reading.threads.reduce((sum, thread) => sum + thread.counts[ThreadField.RESTARTS], 0);
}
