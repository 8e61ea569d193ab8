/** A rollout in one line, for `umbra status`, `umbra top` and reports. Pure. */
import { printable } from '../printable.js';
import { spanText } from './figures.js';

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
  /** Absent in notes of earlier releases. */
  readonly id?: string;
  readonly revision?: number;
  readonly startedMs?: number;
  /** The instances of a fleet; absent or empty: there is none, or nothing is known of them. */
  readonly members?: readonly NoteMember[];
}

/** What one instance of a fleet has of a rollout. */
export interface NoteMember {
  readonly name: string;
  /** `live`, `silent`, `lost` or `left`. */
  readonly presence: string;
  readonly silentS: number;
  /** The step that it has taken, from 1; null: unknown. */
  readonly step: number | null;
  readonly state: string | null;
}

const namesMax = 10;

/** `step 3: edge-1, edge-2; step 2: edge-3; edge-4 silent for 8 s`. */
export function membersText(members: readonly NoteMember[]): string {
  const bySteps = new Map<string, string[]>();
  const others: string[] = [];
  for (const { name, presence, silentS, step, state } of members) {
    if (presence === 'silent' || presence === 'lost')
      others.push(`${name} ${presence === 'silent' ? 'silent for' : 'not heard for'} ${spanText(silentS)}`);
    if (presence !== 'live') continue;
    const place = step === null ? 'no step' : `step ${step}${state === 'running' ? '' : ` (${state})`}`;
    bySteps.set(place, [...(bySteps.get(place) ?? []), name]);
  }
  const groups = [...bySteps].sort(([, a], [, b]) => b.length - a.length);
  return [...groups.map(([place, names]) => `${place}: ${namesText(names)}`), ...others].join('; ');
}

function namesText(names: readonly string[]): string {
  const more = names.length - namesMax;
  return `${names.slice(0, namesMax).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * `mergeRolloutNotes` makes one note of those of the instances of a fleet: the newest state of each route's
 * rollout, with the step of each instance.
 */
export function mergeRolloutNotes(
  all: readonly { readonly member: NoteMember; readonly rollouts: readonly RolloutNote[] }[],
): RolloutNote[] {
  const routes = new Set(all.flatMap(({ rollouts }) => rollouts.map(({ route }) => route)));
  return [...routes].map((route) => {
    const found = all.flatMap(({ member, rollouts }) => {
      const note = rollouts.find((one) => one.route === route);
      return note === undefined ? [] : [{ member, note }];
    });
    const newest = found.reduce((a, b) => (isNewer(b.note, a.note) ? b : a)).note;
    const members = found.map(({ member, note }) => {
      const isSame = note.id === newest.id;
      return { ...member, step: isSame ? note.step : null, state: isSame ? note.state : null };
    });
    return { ...newest, members };
  });
}

/** A later rollout of a route began later, and the revision rises with each change of its record. */
function isNewer(a: RolloutNote, b: RolloutNote): boolean {
  const [startedA, startedB] = [a.startedMs ?? 0, b.startedMs ?? 0];
  return startedA === startedB ? (a.revision ?? 0) > (b.revision ?? 0) : startedA > startedB;
}

/** States in which a person may have to decide something. */
const waitingStates = ['held', 'paused', 'rolling-back'];

/** `rolloutNoteLines` returns the lines of each rollout that is not over. */
export function rolloutNoteLines(notes: readonly RolloutNote[]): string[] {
  return notes
    .filter(({ over }) => !over)
    .flatMap((note) => {
      const { members = [] } = note;
      return members.length === 0 ? [lineOf(note)] : [lineOf(note), printable(`  ${membersText(members)}`)];
    });
}

function lineOf({ route, from, to, state, step, steps, percent, reason }: RolloutNote): string {
  const why = waitingStates.includes(state) ? `: ${reason}` : '';
  const place = `step ${step} of ${steps}, ${to} answers ${percent} %`;
  return printable(`rollout of ${route}: ${from} -> ${to}, ${place}, ${state}${why}`);
}
