/** A rollout as text for a terminal. Pure. */

import { printable } from '../../core/printable.js';
import { spanText } from '../../core/report/figures.js';
import { membersText } from '../../core/report/rollout-note.js';
import type { RolloutBody, StepBody } from '../admin/rollout-body.js';

const barWidth = 24;
const outcomeWidth = 11;
const nameWidth = 13;

/** The lines of one rollout, without line ends. */
export function rolloutLines(body: RolloutBody): string[] {
  const { route, from, to, state, reason, example, verdict } = body;
  const lines = [
    `${route}: ${from} -> ${to}, ${state}${placeText(body)}`,
    `  steps      ${body.steps.map((step, at) => stepText(step, at, body)).join(', ')}`,
    `  because    ${reason}`,
    ...(example === '' ? [] : [`  example    ${example}`]),
    ...verdict.checks.map(
      ({ name, of, outcome, text }) =>
        `  ${outcome.toUpperCase().padEnd(outcomeWidth)}${name.padEnd(nameWidth)}${text}${of === 'pairs' ? ' (pairs)' : ''}`,
    ),
    ...(verdict.missing === '' ? [] : [`  waits for  ${verdict.missing}`]),
    ...fleetLines(body),
  ];
  return lines.map(printable);
}

function fleetLines({ fleet }: RolloutBody): string[] {
  if (fleet == null) return [];
  const { leader, waits, alone, members } = fleet;
  const led = leader === null ? 'nobody leads' : `led by ${leader}`;
  return [
    `  fleet      ${[led, membersText(members)].filter((text) => text !== '').join('; ')}`,
    ...(waits === '' ? [] : [`  fleet      waits for: ${waits}`]),
    ...(alone ? ['  fleet      this instance decided alone; the others follow when NATS is back'] : []),
  ];
}

export function historyLines({ route, from, to, id, history }: RolloutBody): string[] {
  return [
    `${route}: ${from} -> ${to} (${id})`,
    ...history.flatMap(({ at, state, step, by, reason, example }) => [
      `  ${at}  ${state.padEnd(13)}step ${step}  ${by}: ${reason}`,
      ...(example === '' ? [] : [`    example: ${example}`]),
    ]),
  ].map(printable);
}

/** One line of progress: `[######----] 25 %  step 4 of 6, 1 min 2 s of 5 min`. */
export function progressText(body: RolloutBody): string {
  const { percent, state, verdict } = body;
  const full = Math.round((percent / 100) * barWidth);
  const bar = `${'#'.repeat(full)}${'-'.repeat(barWidth - full)}`;
  const open = verdict.checks.filter(({ outcome, isOptional }) => outcome !== 'pass' && !isOptional);
  const waits = open.length === 0 ? '' : `, undecided: ${open.map(({ name }) => name).join(', ')}`;
  return printable(`[${bar}] ${percent} %  ${state}${placeText(body)}${waits}`);
}

function placeText({ state, step, steps, elapsedS, watchS }: RolloutBody): string {
  if (state === 'released' || state === 'rolled-back') return '';
  const current = steps[step - 1];
  const least = state === 'watching' ? Math.max(watchS, current.atLeastS) : current.atLeastS;
  return `, step ${step} of ${steps.length} (${nameOf(current)}), ${spanText(elapsedS)} of ${state === 'watching' ? '' : 'at least '}${spanText(least)}`;
}

function stepText(step: StepBody, at: number, { step: current, state }: RolloutBody): string {
  const name = nameOf(step);
  if (state === 'released' || at < current - 1) return `${name} done`;
  return at === current - 1 && state !== 'rolled-back' ? `[${name}]` : name;
}

function nameOf({ kind, percent }: StepBody): string {
  return kind === 'mirror' ? `mirror ${percent} %` : `${percent} %`;
}
