/** A rollout in one line, for `umbra status`, `umbra top` and reports. Pure. */
import { printable } from '../printable.js';

/** Names are a contract with `/api/status`: add, never rename. */
export interface RolloutNote {
  readonly route: string;
  readonly from: string;
  readonly to: string;
  /** One of core/rollout/rollout-record. */
  readonly state: string;
  /** Counted from 1. */
  readonly step: number;
  readonly steps: number;
  /** Percentage of the route's requests that the new version answers. */
  readonly percent: number;
  /** Why it is in this state. */
  readonly reason: string;
  readonly over: boolean;
}

/** States in which a person may have to decide something. */
const waitingStates = ['held', 'paused', 'rolling-back'];

/** `rolloutNoteLines` returns a line for each rollout that is not over. */
export function rolloutNoteLines(notes: readonly RolloutNote[]): string[] {
  return notes.filter(({ over }) => !over).map(lineOf);
}

function lineOf({ route, from, to, state, step, steps, percent, reason }: RolloutNote): string {
  const why = waitingStates.includes(state) ? `: ${reason}` : '';
  const place = `step ${step} of ${steps}, ${to} answers ${percent} %`;
  return printable(`rollout of ${route}: ${from} -> ${to}, ${place}, ${state}${why}`);
}
