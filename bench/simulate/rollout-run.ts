/**
 * One simulated rollout: requests fall by a law, are counted where proxy and shadow threads count them, and
 * the rollout is judged and advanced by the code that umbra runs.
 */

import type { RolloutPlan } from '../../core/plan.js';
import { Differs, End, MirrorCounters } from '../../core/record/mirror-counters.js';
import { VersionCounters } from '../../core/record/version-counters.js';
import { advance, inForce, releasedShare } from '../../core/rollout/advance.js';
import { alarmOf } from '../../core/rollout/alarm.js';
import { type ReleaseCounts, SideReader, sumReleases } from '../../core/rollout/release-counts.js';
import { ReleaseSeries } from '../../core/rollout/release-series.js';
import { isOver, type RolloutRecord } from '../../core/rollout/rollout-record.js';
import { judgeStep } from '../../core/rollout/step-judge.js';
import { BlockSeries } from '../../core/verdict/block-series.js';
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

/** `lookS`: seconds from one look to the next. umbra looks every second, which costs more to simulate. */
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
    const counts = traffic.second(atS, isMirrored, releasedShare(record), evidence);
    recent = [...recent, counts].slice(-recentS);
    if ((atS + 1) % lookS !== 0) continue;
    const nowMs = (atS + 1) * msPerS;
    const verdict = judgeStep(record, plan, record.step, {
      releases: evidence.releases.blocks,
      pairs: evidence.pairs.blocks,
      baseline: [],
      diffs: null,
    });
    const alarm = alarmOf(
      {
        old: 'v1',
        fresh: 'v2',
        look: counts,
        second: counts,
        seconds: sumReleases(recent),
        endpoints: 0,
        unhealthy: 0,
        guard: null,
      },
      plan.errorsMax,
    );
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

class RolloutTraffic {
  readonly #old = new VersionCounters(VersionCounters.create());
  readonly #fresh = new VersionCounters(VersionCounters.create());
  readonly #mirror = new MirrorCounters(MirrorCounters.create());
  readonly #oldReader = new SideReader();
  readonly #freshReader = new SideReader();
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

  begin(): Evidence {
    return { releases: new ReleaseSeries(), pairs: new BlockSeries() };
  }

  /** Counts the requests of one second, and adds them to the evidence in blocks of a quarter of a second. */
  second(atS: number, isMirrored: boolean, share: number, { releases, pairs }: Evidence): ReleaseCounts {
    if (atS % lawS === 0) this.#beginLaw();
    const all: ReleaseCounts[] = [];
    const quarters = 4;
    for (let quarter = 0; quarter < quarters; quarter++) {
      const fromS = atS + quarter / quarters;
      const count = this.#poisson(this.rate / quarters);
      for (let i = 0; i < count; i++) {
        const inLawS = (fromS % lawS) + i / count / quarters;
        this.#request(inLawS, isMirrored, share);
      }
      const endMs = (fromS + 1 / quarters) * msPerS;
      const counts = { old: this.#oldReader.read([this.#old]), fresh: this.#freshReader.read([this.#fresh]) };
      all.push(counts);
      if (!isMirrored) releases.add(endMs, counts);
      if (this.#pairReader.hasCounted([this.#mirror]))
        pairs.add(endMs, this.#pairReader.read([this.#mirror]));
    }
    return sumReleases(all);
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
    this.#answered(isFresh, isFresh ? freshFails : oldFails, isFresh ? freshUs : oldUs);
    if (isMirrored) this.#paired(oldFails, freshFails, oldUs, freshUs, differs);
    else if (isFresh && uniform() < safeShare) this.#paired(freshFails, oldFails, freshUs, oldUs, differs);
  }

  #answered(isFresh: boolean, fails: boolean, latencyUs: number): void {
    const counters = isFresh ? this.#fresh : this.#old;
    counters.requestStarted();
    counters.response(fails ? 500 : 200);
    counters.latency.record(latencyUs);
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
