/**
 * The input of reports: handles on the shared memory that threads write. Main sends the blocks to the control
 * thread, which opens them here, and sends them again with every new plan. Entries that have left the
 * configuration stay in the list for the life of the process, so that their counts stay visible.
 */
import { HeldBack } from '../mirror/held-back.js';
import type { Address, Plan } from '../plan.js';
import { MirrorCounters } from '../record/mirror-counters.js';
import { RouteCounts } from '../record/route-counts.js';
import { ThreadCounters } from '../record/thread-counters.js';
import { VersionCounters } from '../record/version-counters.js';
import { HealthBlock } from '../upstream/health-block.js';
import { NameBlock } from '../upstream/resolved-name.js';
import type { Targets } from '../upstream/target.js';

export type DataThreadKind = 'proxy' | 'shadow' | 'sink';
export type ThreadKind = DataThreadKind | 'control';
export type Role = 'primary' | 'shadow';

/** Shared blocks with their names; plain data that crosses threads. */
export interface ObservedBlocks {
  readonly plan: Plan;
  /** When the process started, on the time line of core/clock. */
  readonly startedUs: number;
  /** The engine in use: `uws` or `node`. */
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
    readonly baselineOf: string | null;
    /** Copies are kept by a sink, not sent to a shadow. */
    readonly isSink: boolean;
    readonly slot: number;
    readonly blocks: readonly SharedArrayBuffer[];
  }[];
  /** One entry for each primary that is or was counted by route; one block per proxy thread. */
  readonly releases: readonly {
    readonly route: string;
    readonly version: string;
    readonly blocks: readonly SharedArrayBuffer[];
  }[];
  /** One for each proxy thread (core/record/route-counts). */
  readonly routeCounts: readonly SharedArrayBuffer[];
  /** The shares that the guards hold back (core/mirror/held-back). */
  readonly heldBack: SharedArrayBuffer;
  /** `name` is the kind and the number: `proxy-0`, `shadow-0`. The control thread has no number. */
  readonly threads: readonly {
    readonly kind: ThreadKind;
    readonly name: string;
    readonly block: SharedArrayBuffer;
  }[];
  /** The addresses of the plan's endpoints, with the results of their checks. */
  readonly targets: Targets;
  /** The names that are resolved, each with its `NameBlock`. */
  readonly names: readonly { readonly name: string; readonly shared: SharedArrayBuffer }[];
  /** `name` is `PROXY/SHADOW`, by the threads' names. */
  readonly rings: readonly { readonly name: string; readonly shared: SharedArrayBuffer }[];
}

/** `noPlane` returns what `ObservedBlocks` has for a process without proxy threads, such as a replay. */
export function noPlane() {
  return {
    releases: [],
    routeCounts: [],
    heldBack: HeldBack.create(),
    threads: [],
    targets: new Map(),
    names: [],
    rings: [],
  };
}

/** The same with blocks opened for reading. */
export interface Observed {
  readonly plan: Plan;
  readonly startedUs: number;
  readonly engine: string;
  readonly versions: readonly ObservedVersion[];
  readonly mirrors: readonly ObservedMirror[];
  readonly releases: readonly ObservedRelease[];
  readonly heldBack: HeldBack;
  readonly routeCounts: readonly RouteCounts[];
  readonly threads: readonly ObservedThread[];
  readonly endpoints: readonly ObservedEndpoint[];
  readonly names: readonly ObservedName[];
  readonly rings: readonly ObservedRing[];
}

export interface ObservedVersion {
  readonly name: string;
  readonly role: Role;
  readonly counters: readonly VersionCounters[];
}

export interface ObservedMirror {
  readonly route: string;
  readonly to: string;
  readonly baselineOf: string | null;
  readonly isSink: boolean;
  readonly slot: number;
  readonly counters: readonly MirrorCounters[];
}

/** A primary that is counted by route, because the route moves from one version to another. */
export interface ObservedRelease {
  readonly route: string;
  readonly version: string;
  readonly counters: readonly VersionCounters[];
}

export interface ObservedThread {
  readonly kind: ThreadKind;
  readonly name: string;
  readonly counters: ThreadCounters;
}

/** One address of one endpoint. */
export interface ObservedEndpoint {
  readonly version: string;
  /** The endpoint as configured, without its scheme; the path of a socket. */
  readonly endpoint: string;
  readonly address: Address;
  /** Null when it is not checked. */
  readonly health: HealthBlock | null;
}

export interface ObservedName {
  readonly name: string;
  readonly block: NameBlock;
}

export interface ObservedRing {
  readonly name: string;
  usedBytes(): number;
}

/**
 * `openObserved` opens the blocks. `ringUsedBytes` reads a ring's control block, whose layout only core/ring
 * knows.
 */
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
      counters: blocks.map((block) => new VersionCounters(block)),
    })),
    mirrors: blocks.mirrors.map(({ route, to, baselineOf, isSink, slot, blocks }) => ({
      route,
      to,
      baselineOf,
      isSink,
      slot,
      counters: blocks.map((block) => new MirrorCounters(block)),
    })),
    releases: blocks.releases.map(({ route, version, blocks }) => ({
      route,
      version,
      counters: blocks.map((block) => new VersionCounters(block)),
    })),
    heldBack: new HeldBack(blocks.heldBack),
    routeCounts: blocks.routeCounts.map((shared) => new RouteCounts(shared)),
    threads: blocks.threads.map(({ kind, name, block }) => ({
      kind,
      name,
      counters: new ThreadCounters(block),
    })),
    endpoints: [...blocks.targets].flatMap(([version, targets]) =>
      targets.map(({ endpoint, address, health }) => ({
        version,
        endpoint: endpoint.address.kind === 'unix' ? `unix:${endpoint.address.path}` : endpoint.authority,
        address,
        health: health === null ? null : new HealthBlock(health),
      })),
    ),
    names: blocks.names.map(({ name, shared }) => ({ name, block: new NameBlock(shared) })),
    rings: blocks.rings.map(({ name, shared }) => ({ name, usedBytes: () => ringUsedBytes(shared) })),
  };
}
