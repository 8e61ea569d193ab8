/** What a replay counts, in the ledgers of a live mirror, so that every report and the verdict read it as they read one. */
import { HeldBack } from '../mirror/held-back.js';
import type { Plan } from '../plan.js';
import { MirrorLedger } from '../record/mirror-ledger.js';
import { VersionLedger } from '../record/version-ledger.js';
import { openObserved } from '../report/observed.js';
import { type Reading, read } from '../report/reading.js';

export class ReplayLedgers {
  /** What the recording says, of the exchanges that were played. */
  readonly recorded: VersionLedger;
  /** What came of it. */
  readonly played: VersionLedger;
  /** Its `queue` is how late requests went out. */
  readonly mirror: MirrorLedger;
  readonly #blocks = [VersionLedger.create(), VersionLedger.create(), MirrorLedger.create()] as const;

  constructor() {
    this.recorded = new VersionLedger(this.#blocks[0]);
    this.played = new VersionLedger(this.#blocks[1]);
    this.mirror = new MirrorLedger(this.#blocks[2]);
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
            slot: 0,
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
    return read(observed, nowUs);
  }
}
