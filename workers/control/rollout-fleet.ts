import type { Standing } from '../../core/rollout/fleet-book.js';
import type { ReleaseCounts } from '../../core/rollout/release-counts.js';
import type { RolloutRecord } from '../../core/rollout/rollout-record.js';
import type { ShownRollout } from '../../core/rollout/shown-rollout.js';
import type { StepEvidence } from '../../core/rollout/step-judge.js';

/** What a rollout needs of its fleet. `StepExchange` has it over NATS. */
export interface RolloutFleet {
  readonly leads: boolean;
  /** The name of the instance that leads; null: unknown. */
  readonly leader: string | null;
  readonly name: string;
  /** How the members stand to a record, for the leader; null: the bucket was not read lately. */
  standing(record: RolloutRecord): Standing | null;
  /** The same for people, however long ago the bucket was read; null: it never was. */
  lastStanding(record: RolloutRecord): Standing | null;
  /** What all instances counted, with `own` of this one. */
  evidence(record: RolloutRecord, own: StepEvidence): StepEvidence;
  /** What the other instances answered in the last few seconds. */
  seconds(record: RolloutRecord): ReleaseCounts;
  /** What the leader shows of a record; null: it has sent nothing lately. */
  shown(record: RolloutRecord): ShownRollout | null;
  /** Another report is due: a record was taken. */
  soon(): void;
}
