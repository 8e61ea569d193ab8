/**
 * The state of one rollout, as it is kept over restarts and handed to another instance. It is plain data and
 * JSON. `core/rollout/advance` makes the next one from it.
 */
import type { RolloutPlan } from '../plan.js';

export type RolloutState =
  /** A step is in force and is judged. */
  | 'running'
  /** A person paused it, or changed the route by hand. Nothing is judged. */
  | 'paused'
  /** A step was not decided in its longest time. It is judged on, and continues by itself once it is sure. */
  | 'held'
  /** Everything is released, and the old version still gets copies. */
  | 'watching'
  /** The route is being given back to the old version. */
  | 'rolling-back'
  | 'rolled-back'
  | 'released';

/** Who decided. `fleet`: an instance did not take a step. */
export type Decider = 'verdict' | 'guard' | 'time' | 'user' | 'change' | 'fleet';

export interface Transition {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly state: RolloutState;
  readonly step: number;
  readonly by: Decider;
  readonly reason: string;
  /** A pair that shows why; '' where there is none. */
  readonly example: string;
}

/** What was live on the route before the rollout. */
export interface RouteBefore {
  /** By version; null: those of the configuration. */
  readonly weights: Readonly<Record<string, number>> | null;
  /** By target; a mirror that is not named is as in the configuration. */
  readonly mirrors: Readonly<Record<string, MirrorBefore>>;
}

export interface MirrorBefore {
  readonly enabled?: boolean;
  readonly percent?: number;
  readonly methods?: 'all' | 'safe';
}

export interface RolloutRecord {
  readonly format: 1;
  readonly id: string;
  /** Rises with each change of the record. Absent in records of earlier releases. */
  readonly revision?: number;
  readonly route: string;
  readonly from: string;
  readonly to: string;
  readonly plan: RolloutPlan;
  readonly before: RouteBefore;
  readonly state: RolloutState;
  /** Index into the plan's steps. */
  readonly step: number;
  /** Since when every thread follows the state and step; null: not yet. Wall clock, milliseconds. */
  readonly inForceMs: number | null;
  readonly startedMs: number;
  /** Null while it runs. */
  readonly endedMs: number | null;
  /** While paused: the route was changed by hand, so it is not what the step says. */
  readonly changedByHand: boolean;
  /** Oldest first, at most `historyMax`. */
  readonly history: readonly Transition[];
}

export const historyMax = 100;

export function isOver({ state }: Pick<RolloutRecord, 'state'>): boolean {
  return state === 'rolled-back' || state === 'released';
}

export function revisionOf({ revision = 0 }: Pick<RolloutRecord, 'revision'>): number {
  return revision;
}

/**
 * `evidenceKey` returns a text that is the same for all instances as long as what they count belongs to one
 * step that is in force.
 */
export function evidenceKey({
  id,
  step,
  inForceMs,
}: Pick<RolloutRecord, 'id' | 'step' | 'inForceMs'>): string {
  return `${id}/${step}/${inForceMs ?? ''}`;
}

/** `parseRecord` returns a kept record, or null where `value` is none that this release knows. */
export function parseRecord(value: unknown): RolloutRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const record = value as RolloutRecord;
  const isKnown =
    record.format === 1 &&
    typeof record.id === 'string' &&
    typeof record.route === 'string' &&
    typeof record.from === 'string' &&
    typeof record.to === 'string' &&
    Array.isArray(record.plan?.steps) &&
    Number.isInteger(record.step) &&
    record.plan.steps[record.step] !== undefined &&
    rolloutStates.includes(record.state) &&
    Array.isArray(record.history) &&
    typeof record.before?.mirrors === 'object';
  return isKnown ? record : null;
}

export const rolloutStates: readonly RolloutState[] = [
  'running',
  'paused',
  'held',
  'watching',
  'rolling-back',
  'rolled-back',
  'released',
];
