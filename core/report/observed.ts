/**
 * What reports are made from: handles on the shared memory that threads write. Main sends the blocks to the control
 * thread, which opens them here, and sends them again with every new plan. What has left the configuration stays in the
 * list as long as the process lives, so its counts stay visible.
 */
import { HeldBack } from '../mirror/held-back.js';
import type { Plan } from '../plan.js';
import { MirrorLedger } from '../record/mirror-ledger.js';
import { ThreadLedger } from '../record/thread-ledger.js';
import { VersionLedger } from '../record/version-ledger.js';

export type Role = 'primary' | 'shadow';

/** Shared blocks with their names; plain data that crosses threads. */
export interface ObservedBlocks {
  readonly plan: Plan;
  /** When the process started, on the time line of core/clock. */
  readonly startedUs: number;
  /** The engine that serves: `uws` or `node`. */
  readonly engine: string;
  /** One entry for each version and role that has or had a route or a mirror; one block per thread. */
  readonly versions: readonly {
    readonly name: string;
    readonly role: Role;
    readonly blocks: readonly SharedArrayBuffer[];
  }[];
  /** One entry for each slot that has or had a mirror; one block per proxy and shadow thread. */
  readonly mirrors: readonly {
    readonly route: string;
    readonly to: string;
    readonly slot: number;
    readonly blocks: readonly SharedArrayBuffer[];
  }[];
  /** What the guards hold back (core/mirror/held-back). */
  readonly heldBack: SharedArrayBuffer;
  /** `name` says kind and number: `proxy-0`, `shadow-0`. */
  readonly threads: readonly {
    readonly kind: 'proxy' | 'shadow';
    readonly name: string;
    readonly block: SharedArrayBuffer;
  }[];
  /** `name` is `PROXY/SHADOW`, by the threads' names. */
  readonly rings: readonly { readonly name: string; readonly shared: SharedArrayBuffer }[];
}

/** The same with the blocks opened for reading. */
export interface Observed {
  readonly plan: Plan;
  readonly startedUs: number;
  readonly engine: string;
  readonly versions: readonly ObservedVersion[];
  readonly mirrors: readonly ObservedMirror[];
  readonly heldBack: HeldBack;
  readonly threads: readonly ObservedThread[];
  readonly rings: readonly ObservedRing[];
}

export interface ObservedVersion {
  readonly name: string;
  readonly role: Role;
  readonly ledgers: readonly VersionLedger[];
}

export interface ObservedMirror {
  readonly route: string;
  readonly to: string;
  readonly slot: number;
  readonly ledgers: readonly MirrorLedger[];
}

export interface ObservedThread {
  readonly kind: 'proxy' | 'shadow';
  readonly name: string;
  readonly ledger: ThreadLedger;
}

export interface ObservedRing {
  readonly name: string;
  usedBytes(): number;
}

/** `ringUsedBytes` reads a ring's control block: the layout of rings is core/ring's business. */
export function openObserved(
  blocks: ObservedBlocks,
  ringUsedBytes: (ring: SharedArrayBuffer) => number,
): Observed {
  return {
    plan: blocks.plan,
    startedUs: blocks.startedUs,
    engine: blocks.engine,
    versions: blocks.versions.map(({ name, role, blocks }) => ({
      name,
      role,
      ledgers: blocks.map((block) => new VersionLedger(block)),
    })),
    mirrors: blocks.mirrors.map(({ route, to, slot, blocks }) => ({
      route,
      to,
      slot,
      ledgers: blocks.map((block) => new MirrorLedger(block)),
    })),
    heldBack: new HeldBack(blocks.heldBack),
    threads: blocks.threads.map(({ kind, name, block }) => ({ kind, name, ledger: new ThreadLedger(block) })),
    rings: blocks.rings.map(({ name, shared }) => ({ name, usedBytes: () => ringUsedBytes(shared) })),
  };
}
