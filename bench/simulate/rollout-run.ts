/**
 * One simulated rollout: requests fall by a law, and the rollout is judged and advanced by the code that
 * umbra runs.
 */

import type { RolloutPlan } from '../../core/plan.js';
import { advance, inForce, releasedShare } from '../../core/rollout/advance.js';
import { alarmOf } from '../../core/rollout/alarm.js';
import { type ReleaseCounts, sumReleases } from '../../core/rollout/release-counts.js';
import { isOver, type RolloutRecord } from '../../core/rollout/rollout-record.js';
import { judgeStep, type StepVerdict } from '../../core/rollout/step-judge.js';
import type { Draws, Law } from './laws.js';
import type { RolloutScenario } from './rollout-scenarios.js';
import { RolloutTraffic } from './rollout-traffic.js';

const recentS = 5;
const msPerS = 1000;
const undecided: StepVerdict = { outcome: 'undecided', checks: [], requests: 0, seconds: 0, example: null };

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

/** So long after its begin a step is judged every second, as umbra does. */
const oftenS = 60;

/**
 * `lookS`: seconds from one judgement to the next after the first minute of a step. umbra judges every
 * second, which costs more to simulate. Guard rails are asked every second.
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
  let beganS = 0;
  for (; !isOver(record) && record.state !== 'held'; atS++) {
    const { kind } = plan.steps[record.step];
    const isMirrored = kind === 'mirror';
    const isJudged = atS - beganS < oftenS || (atS + 1) % lookS === 0;
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
      beganS = atS;
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
