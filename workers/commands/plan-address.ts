/** A configuration that is named by a `nats-kv://` address, read for a start or a check. */
import { formatPlanAddress, type NatsKey, parsePlanAddress } from '../../config/nats-address.js';
import { Refusal } from '../../config/units.js';
import { limits } from '../../core/limits.js';
import { type PlanRead, readPlan } from '../fleet/plan-source.js';

const checkWaitMs = 0;

export interface PlanAtStart {
  readonly place: NatsKey;
  /** The address, its credentials hidden. */
  readonly name: string;
  readonly read: Extract<PlanRead, { ok: true }>;
}

/**
 * Waits `limits.planWaitMs` for the server. Else returns what to report, and whether the server was the
 * reason.
 */
export async function planAtStart(
  address: string,
  say: (line: string) => void,
): Promise<PlanAtStart | Extract<PlanRead, { ok: false }>> {
  const place = parsePlanAddress(address);
  if (place instanceof Refusal) return { ok: false, unreachable: false, reason: place.reason };
  const read = await readPlan(place, limits.planWaitMs, (why) =>
    say(`${why}; waiting for it for ${limits.planWaitMs / 1000} s`),
  );
  return read.ok ? { place, name: formatPlanAddress(place), read } : read;
}

export async function planText(address: string): Promise<string | { reason: string }> {
  const place = parsePlanAddress(address);
  if (place instanceof Refusal) return { reason: place.reason };
  const read = await readPlan(place, checkWaitMs, () => {});
  return read.ok ? read.text : { reason: read.reason };
}
