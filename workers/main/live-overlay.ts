/** Joins live changes and a configuration to the plan that runs. Pure but for the slots that it takes. */
import { compileLiveMirror } from '../../config/live-mirror.js';
import type { LoadedConfig } from '../../config/load.js';
import { type MirrorSlots, MirrorSlotsFullError } from '../../config/slots.js';
import { withLive } from '../../core/live/live-plan.js';
import type { LiveState } from '../../core/live/live-state.js';
import { describeMirror } from '../../core/live/live-text.js';
import { reconcile } from '../../core/live/reconcile.js';
import type { Plan } from '../../core/plan.js';

/** A configuration as loaded, and its plan without live changes. */
export interface Configured {
  readonly config: LoadedConfig;
  readonly plan: Plan;
}

export interface Joined {
  /** The live changes that hold under the configuration. */
  readonly state: LiveState;
  readonly plan: Plan;
  /** A line on each live change that does not, and why. */
  readonly ended: readonly string[];
}

export function joinLive(live: LiveState, { config, plan }: Configured, slots: MirrorSlots): Joined {
  const { state: still, ended } = reconcile(live, plan);
  const { state, unfitting } = fitting(still, { config, plan }, slots);
  const joined = withLive(plan, state, (mirror) => compileLiveMirror(config, plan, slots, mirror));
  return { state, plan: joined, ended: [...ended, ...unfitting] };
}

/** `fitting` leaves out added mirrors for which there is no slot. */
function fitting(state: LiveState, { config, plan }: Configured, slots: MirrorSlots) {
  const unfitting: string[] = [];
  const mirrors = state.mirrors.filter((mirror) => {
    if (mirror.file !== null) return true;
    try {
      compileLiveMirror(config, plan, slots, mirror);
      return true;
    } catch (error) {
      if (!(error instanceof MirrorSlotsFullError)) throw error;
      unfitting.push(`${describeMirror(mirror)} ended: ${error.message}`);
      return false;
    }
  });
  return { state: { ...state, mirrors }, unfitting };
}
