/**
 * A verdict as text for a terminal: each check in one sentence, pairs that show what is wrong, and what was
 * not looked at. Pure.
 */
import { spanText } from '../report/figures.js';
import type { Block } from './block-series.js';
import { boundConfidence, zeroConfidence } from './looks.js';
import type { MirrorVerdict, Outcome, Verdict } from './verdict.js';

export const outcomeWords: Readonly<Record<Outcome, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  undecided: 'UNDECIDED',
};
const outcomeWidth = 11;
const nameWidth = 13;

/** `about` says where the figures come from, and of which time. */
export function verdictText(verdict: Verdict, about: string): string {
  const lines = [`${outcomeWords[verdict.outcome]}  ${about}`];
  if (verdict.mirrors.length === 0) lines.push('  no mirror is switched on, so there is nothing to judge');
  for (const mirror of verdict.mirrors) lines.push('', ...mirrorLines(mirror).map((line) => `  ${line}`));
  if (verdict.mirrors.length > 0) {
    const often = verdict.looks === 'once' ? 'one look' : 'any number of looks';
    lines.push(
      '',
      `  intervals are one-sided at ${boundConfidence * 100} %, for ${often}; a check fails only where equal versions would`,
      `  differ as much in fewer than 1 of ${Math.round(1 / (1 - zeroConfidence))} cases`,
    );
  }
  return `${lines.map(printable).join('\n')}\n`;
}

/** The lines of one mirror, without a margin. */
export function mirrorLines(mirror: MirrorVerdict): string[] {
  const { route, primary, shadow, checks, endpoints, examples, notes } = mirror;
  return [
    `${route}: ${shadow} (shadow) against ${primary} (primary)`,
    ...checks.map(
      ({ name, outcome, text }) =>
        `${outcomeWords[outcome].padEnd(outcomeWidth)}${name.padEnd(nameWidth)}${text}`,
    ),
    ...endpoints.map(({ check, endpoint, text }) => `endpoint   ${check}: ${endpoint}: ${text}`),
    ...examples.map(
      ({ id, request, place, primary: first, shadow: second }) =>
        `example    ${request} (id ${id}), ${place}: ${primary} ${first} | ${shadow} ${second}`,
    ),
    ...notes.map((note) => `note       ${note}`),
  ];
}

/** `blocksText` says of which time blocks are. */
export function blocksText(blocks: readonly Block[]): string {
  const last = blocks[blocks.length - 1];
  return last === undefined ? 'no time' : spanText((last.startMs + last.lengthMs - blocks[0].startMs) / 1000);
}

/** What services and clients sent must not steer a terminal. */
function printable(line: string): string {
  return line.replace(
    /\p{Cc}|\p{Cf}/gu,
    (char) => `\\u${char.codePointAt(0)!.toString(16).padStart(4, '0')}`,
  );
}
