/**
 * Guard rails: what ends a rollout at once, without waiting for a test. They look at the last few seconds.
 * Pure.
 */
import { countText, shareText } from '../report/figures.js';
import type { ReleaseCounts } from './release-counts.js';

export interface AlarmInput {
  readonly old: string;
  readonly fresh: string;
  /** Counts of the last look, of the last second, and of the last few seconds. */
  readonly look: ReleaseCounts;
  readonly second: ReleaseCounts;
  readonly seconds: ReleaseCounts;
  /** Endpoints of the new version, and how many of them checks found unhealthy. */
  readonly endpoints: number;
  readonly unhealthy: number;
  /** The guard of the route held copies back because the primary got worse; null: it did not. */
  readonly guard: string | null;
}

/** Requests that found no endpoint: fewer may be chance. */
const unreachableMin = 3;
/** Fewer requests have no reliable share of errors. */
const requestsMin = 20;
/** The old version fails less than this part of what the new one fails; else both share the cause. */
const oldPart = 0.5;

/** `alarmOf` returns why the new version must not answer any longer, or null. */
export function alarmOf(input: AlarmInput, errorsMax: number): string | null {
  const { old, fresh, look, second, seconds, endpoints, unhealthy, guard } = input;
  if (endpoints > 0 && unhealthy >= endpoints) {
    return `${fresh} has no usable endpoint: checks found all ${endpoints} of them unhealthy`;
  }
  for (const { fresh: counts } of [look, second]) {
    const { unreachable, ended } = counts;
    if (unreachable >= unreachableMin && unreachable * 2 >= ended)
      return `${fresh} can not be reached: ${countText(unreachable)} of the last ${countText(ended)} requests found no endpoint`;
  }
  const { errors, ended } = seconds.fresh;
  const oldShare = seconds.old.ended === 0 ? 0 : seconds.old.errors / seconds.old.ended;
  if (ended >= requestsMin && errors / ended > errorsMax && oldShare < (errors / ended) * oldPart) {
    return `${fresh} failed ${countText(errors)} of ${countText(ended)} requests of the last seconds (${shareText(errors / ended)}, allowed ${shareText(errorsMax)}), ${old} ${shareText(oldShare)}`;
  }
  return guard;
}
