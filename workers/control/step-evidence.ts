/**
 * Gathers what is counted during one step of a rollout: both versions as primaries of the route, and the
 * pairs of the mirror. Reads shared memory alone. Control thread.
 */
import { type DiffsView, subtractDiffs } from '../../core/report/diffs.js';
import type { Observed, ObservedMirror } from '../../core/report/observed.js';
import { type ReleaseCounts, SideReader, sumReleases } from '../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../core/rollout/release-series.js';
import type { RolloutRecord } from '../../core/rollout/rollout-record.js';
import type { StepEvidence } from '../../core/rollout/step-judge.js';
import { wantedRoute } from '../../core/rollout/wanted.js';
import { BlockSeries } from '../../core/verdict/block-series.js';
import { PairReader } from '../../core/verdict/pair-reader.js';

/** Looks in a second, and how many looks are recent. */
const secondLooks = 4;
const recentLooks = 20;

class MirrorPairs {
  readonly #reader = new PairReader();
  readonly series = new BlockSeries();

  constructor(
    readonly to: string,
    readonly baselineOf: string | null,
  ) {}

  look(mirrors: readonly ObservedMirror[], route: string, wallMs: number, isFirst: boolean): void {
    const found = mirrors.find(
      (one) => one.route === route && one.to === this.to && one.baselineOf === this.baselineOf,
    );
    if (found === undefined || found.isSink || !this.#reader.hasCounted(found.counters)) return;
    const pairs = this.#reader.read(found.counters);
    if (!isFirst) this.series.add(wallMs, pairs);
  }
}

export class StepCounts {
  readonly #old = new SideReader();
  readonly #fresh = new SideReader();
  readonly #releases = new ReleaseSeries();
  readonly #pairs: MirrorPairs | null;
  readonly #baseline: MirrorPairs | null;
  readonly #diffsBefore: DiffsView;
  readonly #isReleased: boolean;
  #recent: ReleaseCounts[] = [];

  /** What was counted before belongs to no step. */
  constructor(
    readonly record: RolloutRecord,
    observed: Observed,
    diffs: DiffsView,
    wallMs: number,
  ) {
    const { mirror } = wantedRoute(record);
    this.#pairs = mirror === null ? null : new MirrorPairs(mirror.to, null);
    this.#baseline = mirror === null ? null : this.#baselineOf(observed, mirror.to);
    this.#isReleased = record.plan.steps[record.step].kind === 'release';
    this.#diffsBefore = diffs;
    this.#look(observed, wallMs, true);
  }

  look(observed: Observed, wallMs: number): void {
    this.#look(observed, wallMs, false);
  }

  /** Counts of the last look, of the last second, and of the last few. */
  get recent(): {
    readonly look: ReleaseCounts;
    readonly second: ReleaseCounts;
    readonly seconds: ReleaseCounts;
  } {
    return {
      look: sumReleases(this.#recent.slice(-1)),
      second: sumReleases(this.#recent.slice(-secondLooks)),
      seconds: sumReleases(this.#recent),
    };
  }

  evidence(diffs: DiffsView): StepEvidence {
    return {
      releases: this.#releases.blocks,
      pairs: this.#pairs?.series.blocks ?? [],
      baseline: this.#baseline?.series.blocks ?? [],
      diffs: subtractDiffs(diffs, this.#diffsBefore),
    };
  }

  #baselineOf({ mirrors }: Observed, to: string): MirrorPairs | null {
    const { route } = this.record;
    const found = mirrors.find((one) => one.route === route && one.baselineOf === to);
    return found === undefined ? null : new MirrorPairs(found.to, to);
  }

  #look(observed: Observed, wallMs: number, isFirst: boolean): void {
    const { route, from, to } = this.record;
    const countersOf = (version: string) =>
      observed.releases.find((one) => one.route === route && one.version === version)?.counters ?? [];
    const counts = { old: this.#old.read(countersOf(from)), fresh: this.#fresh.read(countersOf(to)) };
    this.#pairs?.look(observed.mirrors, route, wallMs, isFirst);
    this.#baseline?.look(observed.mirrors, route, wallMs, isFirst);
    if (isFirst) return;
    this.#recent = [...this.#recent, counts].slice(-recentLooks);
    if (this.#isReleased) this.#releases.add(wallMs, counts);
  }
}
