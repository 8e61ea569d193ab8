/**
 * What the leader of a fleet shows of a rollout to the other instances, so that each of them can be asked:
 * its verdict, and which record each instance has taken. Pure.
 */
import { expect } from '../report/raw-reading.js';
import type { FleetMember, Presence, Standing } from './fleet-book.js';
import { type RolloutRecord, type RolloutState, revisionOf } from './rollout-record.js';
import type { StepVerdict } from './step-judge.js';

/** Names are those of `/api/rollouts`: add, never rename. */
export interface MemberView {
  readonly name: string;
  readonly presence: Presence;
  /** Seconds since its last report; 0 while it is there. */
  readonly silentS: number;
  /** The step that it has taken, from 1; null: it has reported none. */
  readonly step: number | null;
  readonly state: RolloutState | null;
}

export interface ShownRollout {
  readonly route: string;
  readonly id: string;
  readonly revision: number;
  readonly verdict: StepVerdict;
  /** What the rollout waits for in the fleet; '': nothing. */
  readonly waits: string;
  readonly members: readonly MemberView[];
}

/** A rollout as an instance shows its fleet. */
export interface FleetView {
  /** Null: nobody, or unknown. */
  readonly leader: string | null;
  /** What the rollout waits for in the fleet; '': nothing. */
  readonly waits: string;
  /** This instance has decided something that the others don't know yet, because NATS can't be reached. */
  readonly alone: boolean;
  /** The latest report of the leader; empty: it sent none, or the rollout is over. */
  readonly members: readonly MemberView[];
}

export interface FleetShown {
  readonly leader: string;
  readonly rollouts: readonly ShownRollout[];
}

const msPerS = 1000;
const format = 1;

/** `shownRollout` returns what the leader `name` shows. Examples of pairs stay with it. */
export function shownRollout(
  record: RolloutRecord,
  verdict: StepVerdict,
  standing: Standing,
  name: string,
): ShownRollout {
  const { route, id, step, state } = record;
  const own: MemberView = { name, presence: 'live', silentS: 0, step: step + 1, state };
  return {
    route,
    id,
    revision: revisionOf(record),
    verdict: { ...verdict, example: null },
    waits: standing.absent ?? '',
    members: [own, ...standing.members.map(viewOf)].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function viewOf({ name, presence, silentMs, step }: FleetMember): MemberView {
  const silentS = presence === 'live' ? 0 : Math.round(silentMs / msPerS);
  return { name, presence, silentS, step: step === null ? null : step.step + 1, state: step?.state ?? null };
}

export function encodeShown(shown: FleetShown): object {
  return { format, ...shown };
}

/** `decodeShown` throws an Error of a few words where this release does not know what `json` says. */
export function decodeShown(json: unknown): FleetShown {
  const given = (json ?? {}) as FleetShown & { readonly format?: unknown };
  if (given.format !== format) throw new Error('these are not rollouts of a fleet of this release');
  expect(given, { leader: '', rollouts: [] });
  const { leader, rollouts } = given;
  for (const one of rollouts) {
    expect(one, { route: '', id: '', revision: 0, verdict: {}, waits: '', members: [] });
    expect(one.verdict, { outcome: '', checks: [], requests: 0, seconds: 0 });
    for (const member of one.members) expect(member, { name: '', presence: '', silentS: 0 });
  }
  return { leader, rollouts };
}
