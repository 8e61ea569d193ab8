/**
 * One simulated rollout: requests fall by a law, are counted where proxy and shadow threads count them, and
 * the rollout is judged and advanced by the code that umbra runs.
 */

import type { RolloutPlan } from '../../core/plan.js';
import { Differs, End, MirrorCounters } from '../../core/record/mirror-counters.js';
import { VersionCounters } from '../../core/record/version-counters.js';
import { advance, inForce, releasedShare } from '../../core/rollout/advance.js';
import { alarmOf } from '../../core/rollout/alarm.js';
import {
  noSide,
  type ReleaseCounts,
  type SideCounts,
  SideReader,
  sumReleases,
} from '../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../core/rollout/release-series.js';
import { isOver, type RolloutRecord } from '../../core/rollout/rollout-record.js';
import { judgeStep, type StepVerdict } from '../../core/rollout/step-judge.js';
import { BlockSeries, unitMs } from '../../core/verdict/block-series.js';
import { PairReader } from '../../core/verdict/pair-reader.js';
import { type Draws, type Law, stalls } from './laws.js';
import type { RolloutScenario } from './rollout-scenarios.js';

/** Errors that a request has at either version. */
const sharedErrors = 0.001;
/** The share of requests that change nothing, and so have pairs. */
const safeShare = 0.7;
/** A law's stalls are spread over this time, and then others fall. */
const lawS = 600;
/** A rollout that is not over by then, or that is held before, is counted as held. */
const longestS = 4000;
const recentS = 5;
const msPerS = 1000;
const undecided: StepVerdict = { outcome: 'undecided', checks: [], requests: 0, example: null };

export type RolloutEnd = 'released' | 'rolled-back' | 'held';

export interface RolloutResult {
  readonly end: RolloutEnd;
  /** The step at which it ended. */
  readonly step: number;
  readonly reason: string;
  /** The share of all requests that v2 failed and v1 would not have. */
  readonly harmed: number;
  readonly lastedS: number;
}

/**
 * `lookS`: seconds from one judgement to the next. umbra judges every second, which costs more to simulate.
 * Guard rails are asked every second.
 */
export function runRollout(
  draws: Draws,
  law: Law,
  scenario: RolloutScenario,
  plan: RolloutPlan,
  rate: number,
  lookS: number,
): RolloutResult {
  const traffic = new RolloutTraffic(draws, law, scenario, rate);
  let record = begun(plan);
  let evidence = traffic.begin();
  let recent: ReleaseCounts[] = [];
  let atS = 0;
  for (; atS < longestS && !isOver(record) && record.state !== 'held'; atS++) {
    const { kind } = plan.steps[record.step];
    const isMirrored = kind === 'mirror';
    const isJudged = (atS + 1) % lookS === 0;
    const counts = traffic.second(atS, isMirrored, releasedShare(record), evidence, isJudged);
    recent = [...recent, counts].slice(-recentS);
    const nowMs = (atS + 1) * msPerS;
    const verdict = isJudged
      ? judgeStep(record, plan, record.step, {
          releases: evidence.releases.blocks,
          pairs: evidence.pairs.blocks,
          baseline: [],
          diffs: null,
        })
      : undecided;
    const alarm = alarmOf(
      {
        old: 'v1',
        fresh: 'v2',
        look: counts,
        second: counts,
        seconds: sumReleases(recent),
        endpoints: 0,
        unhealthy: 0,
        isAlone: releasedShare(record) === 1,
        guard: null,
      },
      plan.errorsMax,
    );
    if (!isJudged && alarm === null) continue;
    const next = inForce(advance(record, { nowMs, verdict, alarm, byHand: null }), nowMs);
    if (next.step !== record.step || (next.state === 'watching' && record.state !== 'watching')) {
      evidence = traffic.begin();
      recent = [];
    }
    record = next;
  }
  const end = record.state === 'released' || record.state === 'rolled-back' ? record.state : 'held';
  const last = record.history[record.history.length - 1];
  return {
    end,
    step: record.step,
    reason: last.reason,
    harmed: traffic.harmed / traffic.requests,
    lastedS: atS,
  };
}

function begun(plan: RolloutPlan): RolloutRecord {
  const start = { atMs: 0, state: 'running', step: 0, by: 'user', reason: 'simulated', example: '' } as const;
  return {
    format: 1,
    id: 'simulated',
    route: 'r',
    from: 'v1',
    to: 'v2',
    plan,
    before: { weights: null, mirrors: {} },
    state: 'running',
    step: 0,
    inForceMs: 0,
    startedMs: 0,
    endedMs: null,
    changedByHand: false,
    history: [start],
  };
}

interface Evidence {
  readonly releases: ReleaseSeries;
  readonly pairs: BlockSeries;
}

/** Counts what one version answers. */
class SimulatedVersion {
  readonly #counters = new VersionCounters(VersionCounters.create());
  readonly #reader = new SideReader();
  #ended = 0;
  #errors = 0;

  answered(fails: boolean, latencyUs: number): void {
    this.#counters.requestStarted();
    this.#counters.response(fails ? 500 : 200);
    this.#counters.latency.record(latencyUs);
    this.#ended++;
    if (fails) this.#errors++;
  }

  read(): SideCounts {
    return this.#reader.read([this.#counters]);
  }

  /** What ended since `forget`, without latencies. */
  get tally(): SideCounts {
    return { ...noSide, ended: this.#ended, errors: this.#errors };
  }

  forget(): void {
    this.#ended = 0;
    this.#errors = 0;
  }
}

class RolloutTraffic {
  readonly #old = new SimulatedVersion();
  readonly #fresh = new SimulatedVersion();
  readonly #mirror = new MirrorCounters(MirrorCounters.create());
  readonly #pairReader = new PairReader();
  readonly #pair = new Float64Array(2);
  #moment: ReturnType<Law['begin']> | null = null;
  #oldFails: (atS: number) => boolean = () => false;
  #freshFails: (atS: number) => boolean = () => false;
  harmed = 0;
  requests = 0;

  constructor(
    readonly draws: Draws,
    readonly law: Law,
    readonly scenario: RolloutScenario,
    readonly rate: number,
  ) {}

  /** What was counted before belongs to no step. */
  begin(): Evidence {
    const evidence = { releases: new ReleaseSeries(), pairs: new BlockSeries() };
    this.#readReleases();
    this.#pairReader.read([this.#mirror]);
    return evidence;
  }

  /**
   * Counts the requests of one second, and returns how many ended and failed. Adds them to the evidence four
   * times a second as umbra does; where blocks are longer, at the end of each and where it is judged, which
   * makes the same blocks and costs less.
   */
  second(
    atS: number,
    isMirrored: boolean,
    share: number,
    { releases, pairs }: Evidence,
    isJudged: boolean,
  ): ReleaseCounts {
    if (atS % lawS === 0) this.#beginLaw();
    const ofReleases = isMirrored ? pairs.lengthMs : (releases.blocks[0]?.lengthMs ?? unitMs);
    const parts = ofReleases < msPerS ? msPerS / unitMs : 1;
    this.#old.forget();
    this.#fresh.forget();
    for (let part = 0; part < parts; part++) {
      const fromS = atS + part / parts;
      const count = this.#poisson(this.rate / parts);
      for (let i = 0; i < count; i++) this.#request((fromS % lawS) + i / count / parts, isMirrored, share);
      const endMs = (fromS + 1 / parts) * msPerS;
      const isDue = (lengthMs: number) => isJudged || endMs % lengthMs === 0;
      if (!isMirrored && isDue(ofReleases)) releases.add(endMs, this.#readReleases());
      if (isDue(pairs.lengthMs) && this.#pairReader.hasCounted([this.#mirror]))
        pairs.add(endMs, this.#pairReader.read([this.#mirror]));
    }
    return { old: this.#old.tally, fresh: this.#fresh.tally };
  }

  #readReleases(): ReleaseCounts {
    return { old: this.#old.read(), fresh: this.#fresh.read() };
  }

  #beginLaw(): void {
    this.#moment = this.law.begin(this.draws, lawS);
    const { errorBursts } = this.scenario;
    if (errorBursts === undefined) return;
    const burst = (): ((atS: number) => boolean) => stalls(this.draws, lawS, 60, 2);
    this.#oldFails = burst();
    if (errorBursts === 'own') this.#freshFails = burst();
    else {
      const both = this.#oldFails;
      this.#freshFails = both;
    }
  }

  #poisson(mean: number): number {
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.draws.normal()));
  }

  #request(atS: number, isMirrored: boolean, share: number): void {
    const { uniform } = this.draws;
    const { errors = 0, ownErrors = 0, different = 0, slower } = this.scenario;
    this.requests++;
    this.#moment!(atS, this.#pair);
    const both = uniform() < sharedErrors;
    const burstErrors = 0.05;
    const oldFails =
      both || (ownErrors > 0 && uniform() < ownErrors) || (this.#oldFails(atS) && uniform() < burstErrors);
    const freshFails =
      both ||
      (ownErrors > 0 && uniform() < ownErrors) ||
      (this.#freshFails(atS) && uniform() < burstErrors) ||
      (errors > 0 && uniform() < errors);
    const oldUs = this.#pair[0];
    const freshUs = this.#pair[1] * (slower === undefined ? 1 : slower(this.draws));
    const differs = different > 0 && uniform() < different ? Differs.BODY : 0;
    const isFresh = share > 0 && (share >= 1 || uniform() < share);
    if (isFresh && freshFails && !oldFails) this.harmed++;
    if (isFresh) this.#fresh.answered(freshFails, freshUs);
    else this.#old.answered(oldFails, oldUs);
    if (isMirrored) this.#paired(oldFails, freshFails, oldUs, freshUs, differs);
    else if (isFresh && uniform() < safeShare) this.#paired(freshFails, oldFails, freshUs, oldUs, differs);
  }

  #paired(
    primaryFails: boolean,
    shadowFails: boolean,
    primaryUs: number,
    shadowUs: number,
    differs: number,
  ): void {
    const counters = this.#mirror;
    counters.eligible();
    counters.sent();
    counters.completed();
    counters.queue.record(80);
    counters.pairEnded(primaryFails ? End.ERROR : End.OK, shadowFails ? End.ERROR : End.OK);
    if (!primaryFails && !shadowFails) counters.pairMeasured(primaryUs, shadowUs, differs, true);
  }
}
