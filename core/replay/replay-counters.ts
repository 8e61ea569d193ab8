/**
 * The figures of a replay, in the counters of a live mirror, so that reports and the verdict read both in the
 * same way.
 */
import { wallClockMs } from '../clock.js';
import type { EndpointPair } from '../compare/endpoint-batch.js';
import type { Plan } from '../plan.js';
import { MirrorCounters } from '../record/mirror-counters.js';
import { VersionCounters } from '../record/version-counters.js';
import { noControlCounts } from '../report/control-counts.js';
import { noPlane, type ObservedBlocks, type ObservedMirror, openObserved } from '../report/observed.js';
import { type Reading, read } from '../report/reading.js';
import { EndpointBook } from '../verdict/endpoint-book.js';
import { PairHistory } from '../verdict/evidence.js';

/** The counters of one pass over a recording. */
export interface PlayCounters {
  readonly recorded: VersionCounters;
  readonly mirror: MirrorCounters;
  readonly baselineMirror: MirrorCounters;
  /** Counts one pair by the endpoint of its request, `GET /users/17`. */
  countByEndpoint(request: string, pair: EndpointPair): void;
}

export class ReplayCounters implements PlayCounters {
  readonly #blocks = {
    recorded: VersionCounters.create(),
    played: VersionCounters.create(),
    baseline: VersionCounters.create(),
    mirror: MirrorCounters.create(),
    baselineMirror: MirrorCounters.create(),
  } as const;
  /** The recorded responses to the exchanges that were replayed, or the responses of the primary's server. */
  readonly recorded = new VersionCounters(this.#blocks.recorded);
  /** The responses of the server under test. */
  readonly played = new VersionCounters(this.#blocks.played);
  /** The responses of the primary's version to the second copy, which measures noise. */
  readonly baseline = new VersionCounters(this.#blocks.baseline);
  /** Its `queue` is the delay of the replay itself: from when a request was due to when it was started. */
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
  /** Pairs by blocks of time, filled by `look`. */
  readonly #history = new PairHistory();
  readonly #endpoints = new EndpointBook();

  constructor() {
    this.#endpoints.follow(0, []);
    this.look();
  }

  /**
   * Counters of a pass in which only the primary's version is called, to learn noise. They count as the
   * baseline; the recorded responses are counted by the pass that compares.
   */
  get learning(): PlayCounters {
    return {
      recorded: new VersionCounters(VersionCounters.create()),
      mirror: this.baselineMirror,
      baselineMirror: new MirrorCounters(MirrorCounters.create()),
      countByEndpoint: () => {},
    };
  }

  countByEndpoint(request: string, { outcome, differs, primaryUs, shadowUs }: EndpointPair): void {
    this.#endpoints.counterOf(0, request)?.count(outcome, differs, primaryUs, shadowUs);
  }

  /** `look` adds the pairs since the last call to a block of time. Call it a few times a second. */
  look(): void {
    this.#history.look(this.#observed, wallClockMs());
  }

  /**
   * `reading` returns the figures. `plan` has one route with one mirror, from the primary to the server under
   * test. With `hasBaseline` a baseline is called too.
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
        ...noPlane(),
      },
      () => 0,
    );
    return read(observed, nowUs, noControlCounts, {
      blocksOf: ({ slot }) => this.#history.blocksOf(this.#observed[slot], wallClockMs()),
      endpointsOf: ({ slot }) => (slot === 0 ? this.#endpoints.read(slot) : []),
    });
  }
}
