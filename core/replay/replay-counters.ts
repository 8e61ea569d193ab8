/**
 * What a replay counts, in the counters of a live mirror, so that every report and the verdict read it as
 * they read one.
 */
import { wallClockMs } from '../clock.js';
import { HeldBack } from '../mirror/held-back.js';
import type { Plan } from '../plan.js';
import { MirrorCounters } from '../record/mirror-counters.js';
import { VersionCounters } from '../record/version-counters.js';
import { noControlCounts } from '../report/control-counts.js';
import { type ObservedBlocks, type ObservedMirror, openObserved } from '../report/observed.js';
import { type Reading, read } from '../report/reading.js';
import { EndpointBook } from '../verdict/endpoint-book.js';
import { PairHistory } from '../verdict/evidence.js';

/** What one pass over a recording counts in. */
export interface PlayCounters {
  readonly recorded: VersionCounters;
  readonly mirror: MirrorCounters;
  readonly baselineMirror: MirrorCounters;
  /** Counts one pair by the endpoint of its request; `outcome` is an index of `pairOutcomes`. */
  countByEndpoint(
    request: string,
    outcome: number,
    differs: number,
    primaryUs: number,
    shadowUs: number,
  ): void;
}

export class ReplayCounters implements PlayCounters {
  readonly #blocks = {
    recorded: VersionCounters.create(),
    played: VersionCounters.create(),
    baseline: VersionCounters.create(),
    mirror: MirrorCounters.create(),
    baselineMirror: MirrorCounters.create(),
  } as const;
  /** What the recording says of the exchanges that were played, or what the primary's server answered. */
  readonly recorded = new VersionCounters(this.#blocks.recorded);
  /** What the server under test answered. */
  readonly played = new VersionCounters(this.#blocks.played);
  /** What the primary's version answered when it was asked for noise. */
  readonly baseline = new VersionCounters(this.#blocks.baseline);
  /** Its `queue` is how late the replayer itself was: from when a request was due to when it was taken up. */
  readonly mirror = new MirrorCounters(this.#blocks.mirror);
  readonly baselineMirror = new MirrorCounters(this.#blocks.baselineMirror);
  readonly #observed: readonly ObservedMirror[] = [this.mirror, this.baselineMirror].map(
    (counters, slot): ObservedMirror => ({
      route: '',
      to: '',
      baselineOf: null,
      isSink: false,
      slot,
      counters: [counters],
    }),
  );
  /** Pairs by blocks of time; `look` fills it. */
  readonly #history = new PairHistory();
  readonly #endpoints = new EndpointBook();

  constructor() {
    this.#endpoints.follow(0, []);
    this.look();
  }

  /**
   * `learning` is for a pass in which the primary's version alone is asked, to learn noise: it counts as the
   * baseline, and what the recording says is counted by the pass that compares.
   */
  get learning(): PlayCounters {
    return {
      recorded: new VersionCounters(VersionCounters.create()),
      mirror: this.baselineMirror,
      baselineMirror: new MirrorCounters(MirrorCounters.create()),
      countByEndpoint: () => {},
    };
  }

  countByEndpoint(
    request: string,
    outcome: number,
    differs: number,
    primaryUs: number,
    shadowUs: number,
  ): void {
    this.#endpoints.counterOf(0, request)?.count(outcome, differs, primaryUs, shadowUs);
  }

  /** Counts the pairs since the last look into a block of time. Call it a few times a second. */
  look(): void {
    this.#history.look(this.#observed, wallClockMs());
  }

  /**
   * `plan`: one route with one mirror, from the primary to the server under test. `hasBaseline`: one is asked
   * too.
   */
  reading(plan: Plan, startedUs: number, nowUs: number, hasBaseline = false): Reading {
    const [primary, played] = plan.versions.map(({ name }) => name);
    const route = plan.routes[0].name;
    const blocks = this.#blocks;
    const versions: ObservedBlocks['versions'] = [
      { name: primary, role: 'primary', blocks: [blocks.recorded] },
      { name: played, role: 'shadow', blocks: [blocks.played] },
      ...(hasBaseline ? [{ name: primary, role: 'shadow' as const, blocks: [blocks.baseline] }] : []),
    ];
    const mirror = { route, to: played, baselineOf: null, isSink: false, slot: 0, blocks: [blocks.mirror] };
    const baseline = { ...mirror, to: primary, baselineOf: played, slot: 1, blocks: [blocks.baselineMirror] };
    const observed = openObserved(
      {
        plan,
        startedUs,
        engine: 'replay',
        versions,
        mirrors: hasBaseline ? [mirror, baseline] : [mirror],
        heldBack: HeldBack.create(),
        threads: [],
        targets: new Map(),
        names: [],
        rings: [],
      },
      () => 0,
    );
    return read(observed, nowUs, noControlCounts, {
      blocksOf: ({ slot }) => this.#history.blocksOf(this.#observed[slot], wallClockMs()),
      endpointsOf: ({ slot }) => (slot === 0 ? this.#endpoints.read(slot) : []),
    });
  }
}
