/**
 * Which record of a rollout holds where two instances of a fleet have changed it at a time, or one of them
 * without the others. Pure.
 *
 * - A change of the record that it was made from holds.
 * - A change of any other record is refused, so no step is taken twice and no decision is overwritten.
 * - Only a rollback holds over every newer state of the same rollout that is not over: it was decided because
 *   the new version must not answer any longer, perhaps while the bucket could not be reached.
 */
import { historyMax, isOver, type RolloutRecord, revisionOf } from './rollout-record.js';

/** The record that a change was made from; null: the route had none. */
export type Basis = { readonly id: string; readonly revision: number } | null;

export function basisOf(record: RolloutRecord | null): Basis {
  return record === null ? null : { id: record.id, revision: revisionOf(record) };
}

/** `settled` returns the record that holds, or why `next` does not. */
export function settled(
  existing: RolloutRecord | null,
  next: RolloutRecord,
  basis: Basis,
): RolloutRecord | string {
  if (isSameBasis(basisOf(existing), basis)) return next;
  if (existing === null) return 'the rollout is not there any more';
  const { route, state } = existing;
  if (existing.id !== next.id) return `route ${route} has another rollout, which is ${state}`;
  const isBack = next.state === 'rolling-back' || next.state === 'rolled-back';
  if (!isBack || isOver(existing) || existing.state === 'rolling-back')
    return `another instance has changed the rollout of ${route} meanwhile: it is ${state}, step ${existing.step + 1}`;
  const last = { ...next.history[next.history.length - 1], step: existing.step };
  return {
    ...next,
    step: existing.step,
    revision: Math.max(revisionOf(existing), revisionOf(next)) + 1,
    history: [...existing.history, last].slice(-historyMax),
  };
}

function isSameBasis(a: Basis, b: Basis): boolean {
  return a === null || b === null ? a === b : a.id === b.id && a.revision === b.revision;
}
