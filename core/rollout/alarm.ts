/**
 * Guard rails: what ends a rollout at once, without waiting for the verdict of the step. They look at the
 * last few seconds alone, so a share of errors must be surely above its bound there. Pure.
 */
import { countText, shareText } from '../report/figures.js';
import type { ReleaseCounts, SideCounts } from './release-counts.js';

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
  /** The old version answers no request of the route in this step, so it can't be compared. */
  readonly isAlone: boolean;
  /** The guard of the route held copies back because the primary got worse; null: it did not. */
  readonly guard: string | null;
}

/** Requests that found no endpoint: fewer may be chance. */
const unreachableMin = 3;
/** Fewer requests have no reliable share of errors. */
const requestsMin = 20;
/** The old version fails less than this part of what the new one fails; else both share the cause. */
const oldPart = 0.5;
/**
 * A share at the bound ends a rollout by chance this often. The test is made four times a second for hours,
 * so it must be rare: a burst of a version that is allowed its errors is in few requests, and 7 of 52 are
 * no proof of more than 10 %.
 */
const chanceOfAlarm = 1e-6;
/** How often an old version that fails as much as the new one seems by chance to fail less. */
const chanceOfBetter = 1e-3;

/** `alarmOf` returns why the new version must not answer any longer, or null. */
export function alarmOf(input: AlarmInput, errorsMax: number): string | null {
  const { old, fresh, look, second, seconds, endpoints, unhealthy, isAlone, guard } = input;
  if (endpoints > 0 && unhealthy >= endpoints) {
    return `${fresh} has no usable endpoint: checks found all ${endpoints} of them unhealthy`;
  }
  for (const { fresh: counts } of [look, second]) {
    const { unreachable, ended } = counts;
    if (unreachable >= unreachableMin && unreachable * 2 >= ended)
      return `${fresh} can not be reached: ${countText(unreachable)} of the last ${countText(ended)} requests found no endpoint`;
  }
  const { fresh: now, old: before } = seconds;
  const share = now.errors / now.ended;
  if (
    now.ended >= requestsMin &&
    isAbove(now, errorsMax, chanceOfAlarm) &&
    (isAlone || (before.errors / before.ended < share * oldPart && isBelow(before, share, chanceOfBetter)))
  ) {
    const oldText = isAlone ? '' : `, ${old} ${shareText(before.errors / before.ended)}`;
    return `${fresh} failed ${countText(now.errors)} of ${countText(now.ended)} requests of the last seconds (${shareText(share)}, allowed ${shareText(errorsMax)})${oldText}`;
  }
  return guard;
}

type Failed = Pick<SideCounts, 'errors' | 'ended'>;

function isAbove({ errors, ended }: Failed, share: number, chance: number): boolean {
  return errors / ended > share && surprise(errors / ended, share) * ended >= -Math.log(chance);
}

function isBelow({ errors, ended }: Failed, share: number, chance: number): boolean {
  return errors / ended < share && surprise(errors / ended, share) * ended >= -Math.log(chance);
}

/**
 * The relative entropy of two shares, in nats: so many requests with the first share, times this, are the
 * logarithm of a bound on the probability that the second share is the true one. Source: H. Chernoff, "A
 * measure of asymptotic efficiency for tests of a hypothesis based on the sum of observations", Annals of
 * Mathematical Statistics 23 (1952); W. Hoeffding, Journal of the American Statistical Association 58 (1963).
 */
function surprise(measured: number, share: number): number {
  const part = (of: number, by: number): number => (of === 0 ? 0 : of * Math.log(of / by));
  return part(measured, share) + part(1 - measured, 1 - share);
}
