/** The text of a plan that is in a bucket, read once, for a start or a check. */
import { formatPlanAddress, type NatsKey } from '../../config/nats-address.js';
import { limits } from '../../core/limits.js';
import { openBucket } from '../nats/bucket.js';
import { connectNats, natsReason } from '../nats/connect.js';
import type { SharedLive } from '../protocol/live-change.js';
import { liveKey } from './live-sharer.js';

export type PlanRead =
  | {
      readonly ok: true;
      readonly text: string;
      readonly revision: number;
      /** The live changes beside it. */
      readonly live: SharedLive;
    }
  /** `unreachable`: nothing is known of the plan; else it is not there, or not one. */
  | { readonly ok: false; readonly unreachable: boolean; readonly reason: string };

const retryMs = 500;

/** Tries for `waitMs` to reach the server; `onWait` is called when it is not there at once. Never rejects. */
export async function readPlan(
  place: NatsKey,
  waitMs: number,
  onWait: (why: string) => void,
): Promise<PlanRead> {
  const endMs = performance.now() + waitMs;
  for (let attempt = 0; ; attempt++) {
    try {
      return await readOnce(place);
    } catch (error) {
      const reason = natsReason(error);
      if (performance.now() + retryMs > endMs) return { ok: false, unreachable: true, reason };
      if (attempt === 0) onWait(reason);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

async function readOnce(place: NatsKey): Promise<PlanRead> {
  const connection = await connectNats(place.nats, process.env);
  try {
    const bucket = await openBucket(connection, place.bucket);
    const entry = (await bucket?.get(place.key)) ?? null;
    const name = formatPlanAddress(place);
    if (bucket === null) return { ok: false, unreachable: false, reason: `${name}: there is no such bucket` };
    if (entry?.operation !== 'PUT')
      return { ok: false, unreachable: false, reason: `${name}: there is no such key` };
    if (entry.value.length > limits.configBytes)
      return { ok: false, unreachable: false, reason: `${name}: is larger than ${limits.configBytes} bytes` };
    const live = await bucket.get(liveKey(place.key));
    const hasLive = live?.operation === 'PUT';
    return {
      ok: true,
      text: entry.string(),
      revision: entry.revision,
      live: {
        place: `${name}.live`,
        text: hasLive ? live.string() : null,
        revision: hasLive ? live.revision : 0,
      },
    };
  } finally {
    await connection.close();
  }
}
