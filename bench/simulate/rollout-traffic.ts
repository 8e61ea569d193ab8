/**
 * Simulated requests of one route while a rollout runs: which version answers each, when, and with what
 * pair. They are counted in the steps in which umbra keeps latencies, block by block.
 */
import { HIGHEST_US } from '../../core/record/hdr-layout.js';
import { RATIO_ONE } from '../../core/record/mirror-counters.js';
import { noSide, type ReleaseCounts, type SideCounts } from '../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../core/rollout/release-series.js';
import { BlockSeries, unitMs } from '../../core/verdict/block-series.js';
import { noPairs, type PairCounts } from '../../core/verdict/pair-counts.js';
import { DenseCounts, latencyScale, ratioScale, SlotCounts } from '../../core/verdict/slot-counts.js';
import { type Draws, type Law, stalls } from './laws.js';
import type { RolloutScenario } from './rollout-scenarios.js';

/** Errors that a request has at either version. */
const sharedErrors = 0.001;
/** The share of failing requests in a burst of errors. */
const burstErrors = 0.05;
/** The share of requests that change nothing, and so have pairs. */
const safeShare = 0.7;
/** A law's stalls are spread over this time, and then others fall. */
const lawS = 600;
/** How many times as long requests take while a version stalls. */
const stalledFactor = 10;
/** umbra's own delay in sending a copy. */
const delayUs = 80;
const msPerS = 1000;

export interface SimulatedEvidence {
  readonly releases: ReleaseSeries;
  readonly pairs: BlockSeries;
}

/** Counts what one version answers. */
class SimulatedVersion {
  #latency = new DenseCounts(latencyScale);
  #block = { ended: 0, errors: 0 };
  #second = { ended: 0, errors: 0 };

  answered(fails: boolean, latencyUs: number): void {
    this.#latency.record(latencyUs);
    this.#block.ended++;
    this.#second.ended++;
    if (!fails) return;
    this.#block.errors++;
    this.#second.errors++;
  }

  /** What ended since the last call. */
  takeBlock(): SideCounts {
    if (this.#block.ended === 0) return noSide;
    const taken = { ...noSide, ...this.#block, latency: this.#latency.read() };
    this.#latency = new DenseCounts(latencyScale);
    this.#block = { ended: 0, errors: 0 };
    return taken;
  }

  /** What ended since the last call, without latencies: guard rails look at numbers alone. */
  takeSecond(): SideCounts {
    const taken = { ...noSide, ...this.#second };
    this.#second = { ended: 0, errors: 0 };
    return taken;
  }
}

/** Counts pairs as they end. */
class SimulatedPairs {
  #primary = new DenseCounts(latencyScale);
  #shadow = new DenseCounts(latencyScale);
  #ratio = new DenseCounts(ratioScale);
  #counts = { bothOk: 0, shadowErrors: 0, primaryErrors: 0, bothErrors: 0, different: 0 };

  ended(
    primaryFails: boolean,
    shadowFails: boolean,
    primaryUs: number,
    shadowUs: number,
    differs: boolean,
  ): void {
    const counts = this.#counts;
    if (primaryFails && shadowFails) counts.bothErrors++;
    else if (shadowFails) counts.shadowErrors++;
    else if (primaryFails) counts.primaryErrors++;
    else {
      counts.bothOk++;
      if (differs) counts.different++;
      this.#primary.record(primaryUs);
      this.#shadow.record(shadowUs);
      this.#ratio.record(Math.min(HIGHEST_US, Math.round((shadowUs / Math.max(1, primaryUs)) * RATIO_ONE)));
    }
  }

  /** Null where no pair ended since the last call. */
  take(): PairCounts | null {
    const { bothOk, shadowErrors, primaryErrors, bothErrors } = this.#counts;
    const eligible = bothOk + shadowErrors + primaryErrors + bothErrors;
    if (eligible === 0) return null;
    const queue = new SlotCounts(Uint16Array.of(latencyScale.slotOf(delayUs)), Float64Array.of(eligible));
    const taken = {
      ...noPairs,
      ...this.#counts,
      eligible,
      ratio: this.#ratio.read(),
      primary: this.#primary.read(),
      shadow: this.#shadow.read(),
      queue,
    };
    this.#primary = new DenseCounts(latencyScale);
    this.#shadow = new DenseCounts(latencyScale);
    this.#ratio = new DenseCounts(ratioScale);
    this.#counts = { bothOk: 0, shadowErrors: 0, primaryErrors: 0, bothErrors: 0, different: 0 };
    return taken;
  }
}

export class RolloutTraffic {
  readonly #old = new SimulatedVersion();
  readonly #fresh = new SimulatedVersion();
  readonly #pairs = new SimulatedPairs();
  readonly #pair = new Float64Array(2);
  #moment: ReturnType<Law['begin']> | null = null;
  #oldFails: (atS: number) => boolean = () => false;
  #freshFails: (atS: number) => boolean = () => false;
  #freshStalls: (atS: number) => boolean = () => false;
  /** Requests that v2 failed and v1 would not have, of all. */
  harmed = 0;
  requests = 0;

  constructor(
    readonly draws: Draws,
    readonly law: Law,
    readonly scenario: RolloutScenario,
    readonly rate: number,
  ) {}

  /** What was counted before belongs to no step. */
  begin(): SimulatedEvidence {
    this.#old.takeBlock();
    this.#fresh.takeBlock();
    this.#pairs.take();
    return { releases: new ReleaseSeries(), pairs: new BlockSeries() };
  }

  /**
   * Counts the requests of one second, and returns how many ended and failed. Adds them to the evidence at
   * the end of each block and where it is judged, which makes the blocks that umbra makes.
   */
  second(
    atS: number,
    isMirrored: boolean,
    share: number,
    { releases, pairs }: SimulatedEvidence,
    isJudged: boolean,
  ): ReleaseCounts {
    if (atS % lawS === 0) this.#beginLaw();
    const ofReleases = isMirrored ? pairs.lengthMs : (releases.blocks[0]?.lengthMs ?? unitMs);
    const parts = ofReleases < msPerS ? msPerS / unitMs : 1;
    for (let part = 0; part < parts; part++) {
      const fromS = atS + part / parts;
      const count = this.#poisson(this.rate / parts);
      for (let i = 0; i < count; i++) this.#request((fromS % lawS) + i / count / parts, isMirrored, share);
      const endMs = (fromS + 1 / parts) * msPerS;
      const isDue = (lengthMs: number) => isJudged || endMs % lengthMs === 0;
      if (!isMirrored && isDue(ofReleases))
        releases.add(endMs, { old: this.#old.takeBlock(), fresh: this.#fresh.takeBlock() });
      const ended = isDue(pairs.lengthMs) ? this.#pairs.take() : null;
      if (ended !== null) pairs.add(endMs, ended);
    }
    return { old: this.#old.takeSecond(), fresh: this.#fresh.takeSecond() };
  }

  #beginLaw(): void {
    this.#moment = this.law.begin(this.draws, lawS);
    if (this.scenario.stalls === true) this.#freshStalls = stalls(this.draws, lawS, 40, 2);
    const { errorBursts } = this.scenario;
    if (errorBursts === undefined) return;
    const burst = (): ((atS: number) => boolean) => stalls(this.draws, lawS, 60, 2);
    this.#oldFails = burst();
    this.#freshFails = errorBursts === 'own' ? burst() : this.#oldFails;
  }

  #poisson(mean: number): number {
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.draws.normal()));
  }

  #request(atS: number, isMirrored: boolean, share: number): void {
    const { uniform } = this.draws;
    const { errors = 0, ownErrors = 0, different = 0, slower = 1, hiddenErrors = 0 } = this.scenario;
    this.requests++;
    const isFresh = share > 0 && (share >= 1 || uniform() < share);
    const isSafe = uniform() < safeShare;
    this.#moment!(atS, this.#pair);
    const both = uniform() < sharedErrors;
    const oldFails = both || this.#chance(ownErrors) || (this.#oldFails(atS) && uniform() < burstErrors);
    const freshFails =
      both ||
      this.#chance(ownErrors) ||
      (this.#freshFails(atS) && uniform() < burstErrors) ||
      this.#chance(errors) ||
      (isFresh && !isSafe && this.#chance(hiddenErrors));
    const oldUs = Math.round(this.#pair[0]);
    const freshUs = Math.round(this.#pair[1] * slower * (this.#freshStalls(atS) ? stalledFactor : 1));
    if (isFresh && freshFails && !oldFails) this.harmed++;
    if (isFresh) this.#fresh.answered(freshFails, freshUs);
    else this.#old.answered(oldFails, oldUs);
    if (!isMirrored && !(isFresh && isSafe)) return;
    const differs = this.#chance(different);
    if (isMirrored) this.#pairs.ended(oldFails, freshFails, oldUs, freshUs, differs);
    else this.#pairs.ended(freshFails, oldFails, freshUs, oldUs, differs);
  }

  #chance(share: number): boolean {
    return share > 0 && this.draws.uniform() < share;
  }
}
