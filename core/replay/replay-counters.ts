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
import { type ObservedMirror, openObserved } from '../report/observed.js';
import { type Reading, read } from '../report/reading.js';
import { PairHistory } from '../verdict/evidence.js';

export class ReplayCounters {
  /** What the recording says, of the exchanges that were played. */
  readonly recorded: VersionCounters;
  /** What came of it. */
  readonly played: VersionCounters;
  /** Its `queue` is how late requests went out. */
  readonly mirror: MirrorCounters;
  readonly #blocks = [VersionCounters.create(), VersionCounters.create(), MirrorCounters.create()] as const;

  readonly #observed: ObservedMirror;
  /** Pairs by blocks of time; `look` fills it. */
  readonly #history = new PairHistory();

  constructor() {
    this.recorded = new VersionCounters(this.#blocks[0]);
    this.played = new VersionCounters(this.#blocks[1]);
    this.mirror = new MirrorCounters(this.#blocks[2]);
    this.#observed = { route: '', to: '', baselineOf: null, isSink: false, slot: 0, counters: [this.mirror] };
    this.look();
  }

  /** Counts the pairs since the last look into a block of time. Call it a few times a second. */
  look(): void {
    this.#history.look([this.#observed], wallClockMs());
  }

  /** `plan`: one route with one mirror, from the recording to whom it is played to. */
  reading(plan: Plan, startedUs: number, nowUs: number): Reading {
    const [recorded, played] = plan.versions.map(({ name }) => name);
    const observed = openObserved(
      {
        plan,
        startedUs,
        engine: 'replay',
        versions: [
          { name: recorded, role: 'primary', blocks: [this.#blocks[0]] },
          { name: played, role: 'shadow', blocks: [this.#blocks[1]] },
        ],
        mirrors: [
          {
            route: plan.routes[0].name,
            to: played,
            baselineOf: null,
            isSink: false,
            slot: this.#observed.slot,
            blocks: [this.#blocks[2]],
          },
        ],
        heldBack: HeldBack.create(),
        threads: [],
        targets: new Map(),
        names: [],
        rings: [],
      },
      () => 0,
    );
    return read(observed, nowUs, noControlCounts, () =>
      this.#history.blocksOf(this.#observed, wallClockMs()),
    );
  }
}
