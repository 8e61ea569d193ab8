/**
 * The shared blocks of counters, which main keeps for the life of the process. A restarted thread continues
 * in the same block, and a version or mirror that left the configuration keeps its figures.
 */
import { mirrorsWithBaselines, type Plan, type RoutePlan, targetName } from '../../core/plan.js';
import { settleDeadProxy, settleDeadShadow, settleDeadVersion } from '../../core/record/law.js';
import { MirrorCounters } from '../../core/record/mirror-counters.js';
import { ThreadCounters, ThreadField } from '../../core/record/thread-counters.js';
import { VersionCounters } from '../../core/record/version-counters.js';
import type { DataThreadKind, ObservedBlocks } from '../../core/report/observed.js';
import type { Steps } from '../../core/steps.js';
import { type CountersShares, releaseKey } from '../protocol/messages.js';

type DataKind = DataThreadKind;

/** The blocks of one thread. */
interface ThreadBlocks {
  readonly kind: DataKind;
  readonly index: number;
  readonly thread: SharedArrayBuffer;
  /** Blocks by version name. */
  readonly versions: Map<string, SharedArrayBuffer>;
  /** Blocks by slot. */
  readonly mirrors: SharedArrayBuffer[];
  /** Blocks of primaries that are counted by route, by `releaseKey`; proxy threads alone have some. */
  readonly releases: Map<string, SharedArrayBuffer>;
}

interface ReleaseName {
  readonly route: string;
  readonly version: string;
}

interface MirrorName {
  readonly route: string;
  readonly to: string;
  readonly baselineOf: string | null;
  readonly isSink: boolean;
}

export class CounterBlocks {
  readonly #threads: ThreadBlocks[] = [];
  /** Names by slot. */
  #mirrorNames: readonly MirrorName[] = [];
  #primaries: ReadonlySet<string> = new Set();
  #shadows: ReadonlySet<string> = new Set();
  #hasSinks = false;
  /** Routes and versions by `releaseKey`. */
  #releases: ReadonlyMap<string, ReleaseName> = new Map();

  constructor(proxyThreads: number, shadowThreads: number, sinkThreads: number) {
    for (let index = 0; index < proxyThreads; index++) this.#threads.push(newBlocks('proxy', index));
    for (let index = 0; index < shadowThreads; index++) this.#threads.push(newBlocks('shadow', index));
    for (let index = 0; index < sinkThreads; index++) this.#threads.push(newBlocks('sink', index));
  }

  /**
   * `enter` makes every block that `plan` needs and does not have yet. They become visible in its last step.
   */
  *enter(plan: Plan): Steps<void> {
    const primaries = new Set(this.#primaries);
    const shadows = new Set(this.#shadows);
    const mirrorNames = [...this.#mirrorNames];
    let hasSinks = this.#hasSinks;
    const releases = new Map(this.#releases);
    for (const route of plan.routes) {
      for (const { version } of route.primaries) primaries.add(plan.versions[version].name);
      if (route.fallback !== null) primaries.add(plan.versions[route.fallback].name);
      for (const name of releasesOf(plan, route)) releases.set(releaseKey(name.route, name.version), name);
      for (const { mirror, baselineOf } of mirrorsWithBaselines(route)) {
        const to = targetName(plan, mirror);
        const isSink = mirror.sink !== null;
        if (!isSink) shadows.add(to);
        hasSinks ||= isSink;
        mirrorNames[mirror.slot] = {
          route: route.name,
          to,
          baselineOf: baselineOf === null ? null : plan.versions[baselineOf.to].name,
          isSink,
        };
      }
    }
    // Sinks are not versions.
    const namesOf = { proxy: primaries, shadow: shadows, sink: [] };
    for (const blocks of this.#threads) {
      for (const name of namesOf[blocks.kind]) {
        if (blocks.versions.has(name)) continue;
        yield;
        blocks.versions.set(name, VersionCounters.create());
      }
      for (const key of blocks.kind === 'proxy' ? releases.keys() : []) {
        if (blocks.releases.has(key)) continue;
        yield;
        blocks.releases.set(key, VersionCounters.create());
      }
      for (const slot of mirrorNames.keys()) {
        if (blocks.mirrors[slot] !== undefined) continue;
        yield;
        blocks.mirrors[slot] = MirrorCounters.create();
      }
    }
    this.#releases = releases;
    this.#primaries = primaries;
    this.#shadows = shadows;
    this.#mirrorNames = mirrorNames;
    this.#hasSinks = hasSinks;
  }

  /** Whether any plan so far had a mirror with a sink. */
  get hasSinks(): boolean {
    return this.#hasSinks;
  }

  /** `versionsWith` returns the number of version names after `enter(plan)`. */
  versionsWith(plan: Plan): number {
    const names = new Set([
      ...this.#primaries,
      ...this.#shadows,
      ...plan.versions.map((version) => version.name),
    ]);
    return names.size;
  }

  threadCounters(kind: DataKind, index: number): SharedArrayBuffer {
    return this.#blocks(kind, index).thread;
  }

  /**
   * `sharesFor` returns the blocks that the thread writes under `plan`. A version without a part in the
   * thread's role has none.
   */
  sharesFor(kind: DataKind, index: number, plan: Plan): CountersShares {
    const blocks = this.#blocks(kind, index);
    return {
      versions: plan.versions.map((version) => blocks.versions.get(version.name)),
      mirrors: blocks.mirrors,
      releases: blocks.releases,
    };
  }

  /**
   * `settle` balances the counters of a dead thread, whose blocks nobody writes, so that the accounting law
   * holds again.
   */
  settle(kind: DataKind, index: number): void {
    const blocks = this.#blocks(kind, index);
    for (const shared of [...blocks.versions.values(), ...blocks.releases.values()])
      settleDeadVersion(new VersionCounters(shared));
    for (const shared of blocks.mirrors) {
      const counters = new MirrorCounters(shared);
      if (kind === 'proxy') settleDeadProxy(counters);
      else settleDeadShadow(counters);
    }
    new ThreadCounters(blocks.thread).resetGauges();
  }

  /**
   * `restarted` counts a thread that failed and is being replaced. Call it while the thread is gone, like
   * `settle`.
   */
  restarted(kind: DataKind, index: number): void {
    new ThreadCounters(this.#blocks(kind, index).thread).add(ThreadField.restarts);
  }

  /** `terminated` counts a thread that is being terminated. The thread itself does not write this row. */
  terminated(kind: DataKind, index: number): void {
    new ThreadCounters(this.#blocks(kind, index).thread).add(ThreadField.terminations);
  }

  /** `observed` returns everything that the control thread reads of counters. */
  observed(): Pick<ObservedBlocks, 'versions' | 'mirrors' | 'releases' | 'threads'> {
    const versions: ObservedBlocks['versions'][number][] = [];
    for (const name of this.#primaries) {
      versions.push({ name, role: 'primary', blocks: this.#versionBlocks('proxy', name) });
    }
    for (const name of this.#shadows) {
      versions.push({ name, role: 'shadow', blocks: this.#versionBlocks('shadow', name) });
    }
    return {
      versions,
      mirrors: this.#mirrorNames.map(({ route, to, baselineOf, isSink }, slot) => ({
        route,
        to,
        baselineOf,
        isSink,
        slot,
        blocks: this.#threads.map((thread) => thread.mirrors[slot]),
      })),
      releases: [...this.#releases].map(([key, { route, version }]) => ({
        route,
        version,
        blocks: this.#threads.flatMap((thread) => thread.releases.get(key) ?? []),
      })),
      // A thread that was never needed is left out.
      threads: this.#threads
        .filter(({ kind }) => kind !== 'sink' || this.#hasSinks)
        .map(({ kind, index, thread }) => ({
          kind,
          name: `${kind}-${index}`,
          block: thread,
        })),
    };
  }

  #versionBlocks(kind: DataKind, name: string): SharedArrayBuffer[] {
    return this.#threads.flatMap((blocks) => {
      const shared = blocks.kind === kind ? blocks.versions.get(name) : undefined;
      return shared === undefined ? [] : [shared];
    });
  }

  #blocks(kind: DataKind, index: number): ThreadBlocks {
    const found = this.#threads.find((blocks) => blocks.kind === kind && blocks.index === index);
    if (found === undefined) throw new Error(`there is no ${kind} thread ${index}`);
    return found;
  }
}

/** The primaries that are counted by route: those of routes that fall back. */
function releasesOf({ versions }: Plan, { name, primaries, fallback }: RoutePlan): ReleaseName[] {
  if (fallback === null) return [];
  const indexes = new Set([fallback, ...primaries.map(({ version }) => version)]);
  return [...indexes].map((index) => ({ route: name, version: versions[index].name }));
}

function newBlocks(kind: DataKind, index: number): ThreadBlocks {
  return {
    kind,
    index,
    thread: ThreadCounters.create(),
    versions: new Map(),
    mirrors: [],
    releases: new Map(),
  };
}
