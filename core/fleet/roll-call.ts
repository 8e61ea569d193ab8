/** Reports which members of a fleet are present, and which differ from the others. Pure. */

import { Histogram } from '../record/histogram.js';
import { countText, durationText, spanText } from '../report/figures.js';
import type { Reading } from '../report/reading.js';
import { mergeRolloutNotes, type RolloutNote } from '../report/rollout-note.js';
import type { Member } from './member.js';

/** A member, and the age of its last snapshot. */
export interface SeenMember extends Member {
  readonly ageMs: number;
}

/** Below this age a late snapshot means nothing: the network, the server and two clocks are in between. */
const staleMsMin = 5000;
const staleIntervals = 3;

export function isStale({ ageMs, intervalMs, left }: SeenMember): boolean {
  return !left && ageMs > Math.max(staleMsMin, staleIntervals * intervalMs);
}

export function stateOf(member: SeenMember): 'left' | 'stale' | 'serving' {
  if (member.left) return 'left';
  return isStale(member) ? 'stale' : 'serving';
}

/** `rolloutsOf` returns the rollouts of a fleet, each with the step of every member. */
export function rolloutsOf(members: readonly SeenMember[]): RolloutNote[] {
  return mergeRolloutNotes(
    members.map((member) => {
      const { name, ageMs, rollouts } = member;
      const presence = ({ left: 'left', stale: 'silent', serving: 'live' } as const)[stateOf(member)];
      const silentS = presence === 'live' ? 0 : Math.round(ageMs / 1000);
      return { member: { name, presence, silentS, step: null, state: null }, rollouts };
    }),
  );
}

/**
 * `rollCallNotes` returns a line for each member that is stale, has left, or has another configuration than
 * most.
 */
export function rollCallNotes(members: readonly SeenMember[]): string[] {
  const usual = usualOf(members);
  return members.flatMap((member) => {
    const ago = spanText(member.ageMs / 1000);
    return [
      ...(isStale(member)
        ? [`${member.name} was last heard ${ago} ago; its counts until then are included`]
        : []),
      ...(member.left ? [`${member.name} left ${ago} ago; its counts are included`] : []),
      ...(isAsUsual(member, usual)
        ? []
        : [`${member.name} runs another configuration (${planText(member)})`]),
    ];
  });
}

/**
 * `rollCallLines` returns a line for each member. `windows` has the figures of each one in the shown time, by
 * id.
 */
export function rollCallLines(
  members: readonly SeenMember[],
  windows: ReadonlyMap<string, Reading>,
): string[] {
  const usual = usualOf(members);
  const row = (cells: readonly string[]): string =>
    `${cells[0].slice(0, 20).padEnd(21)}${cells
      .slice(1, 5)
      .map((cell) => cell.padStart(10))
      .join('')}  ${cells[5]}`;
  return [
    row(['INSTANCE', 'UP', 'PLAN', 'REQ/S', 'P99', 'STATE']),
    ...members.map((member) => {
      const reading = windows.get(member.id) ?? member.reading;
      const primaries = reading.versions.filter(({ role }) => role === 'primary');
      const requests = primaries.reduce((sum, { counts }) => sum + counts.requests, 0);
      const latency = primaries.reduce((all, { counts }) => all.add(counts.latency), Histogram.read([]));
      const state = stateOf(member);
      return row([
        member.name,
        spanText(member.reading.uptimeS),
        member.revision === null ? `gen ${member.reading.generation}` : `rev ${member.revision}`,
        countText(requests / Math.max(reading.uptimeS, 0.001)),
        latency.count === 0 ? '-' : durationText(latency.percentileUs(99)),
        `${state}${isAsUsual(member, usual) ? '' : ', differs'}`,
      ]);
    }),
  ];
}

/** `rollCallFacts` returns the facts of each member for a report. */
export function rollCallFacts(members: readonly SeenMember[]): [name: string, value: string][] {
  return members.map((member) => {
    const requests = member.reading.versions
      .filter(({ role }) => role === 'primary')
      .reduce((sum, { counts }) => sum + counts.requests, 0);
    const state = member.left ? ', left' : isStale(member) ? ', stale' : '';
    return [
      `instance ${member.name}`,
      `running for ${spanText(member.reading.uptimeS)}, ${planText(member)}, ${countText(requests)} requests${state}`,
    ];
  });
}

function planText({ revision, reading }: Member): string {
  return revision === null
    ? `generation ${reading.generation}`
    : `generation ${reading.generation}, revision ${revision}`;
}

function usualOf(members: readonly SeenMember[]): string | undefined {
  return mostCommon(members.map(({ configuration }) => configuration).filter((one) => one !== ''));
}

/** `isAsUsual` is also true for a process without a configuration. */
function isAsUsual({ configuration }: Member, usual: string | undefined): boolean {
  return configuration === '' || configuration === usual;
}

/** `mostCommon` returns the most common value, and the first of equally common ones. */
function mostCommon(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce<[string, number] | undefined>(
    (best, one) => (best === undefined || one[1] > best[1] ? one : best),
    undefined,
  )?.[0];
}
