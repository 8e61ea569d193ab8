/** `umbra.1`, out of what commands say of themselves (man(7)). */
import type { CommandDescription } from '../config/command-line/describe.js';
import { exitCodes } from '../config/exit-codes.js';

export function manPage(commands: readonly CommandDescription[], version: string, timeS: number): string {
  const date = new Date(timeS * 1000).toISOString().slice(0, 10);
  const lines = [
    `.TH UMBRA 1 "${date}" "umbra ${version}" "User Commands"`,
    '.SH NAME',
    'umbra \\- a traffic\\-mirroring reverse proxy',
    '.SH SYNOPSIS',
    '.B umbra',
    '.I command',
    '[\\fIarguments\\fR]',
    '.SH DESCRIPTION',
    'umbra sends every request to the released version of a service and a copy of it to the next one.',
    'It compares the responses, and no client notices.',
    '.SH COMMANDS',
    ...commands.flatMap(section),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(({ code, meaning }) => item(String(code), meaning)),
    '.SH FILES',
    ...item('/etc/umbra/umbra.yaml', 'The configuration of the service.'),
    ...item('/var/log/umbra', 'Access logs, recordings and histogram logs of the service.'),
  ];
  return `${lines.join('\n')}\n`;
}

function section({ name, summary, operands, flags }: CommandDescription): string[] {
  const words = [name, ...operands.map(({ term }) => term)];
  return [
    `.SS ${escaped(words.join(' '))}`,
    escaped(summary),
    ...operands.flatMap(({ term, help }) => item(term, help)),
    ...flags.flatMap(({ term, help, initial, variable }) => {
      const notes = [
        ...(initial === null ? [] : [`The default is ${initial}.`]),
        ...(variable === null ? [] : [`The environment variable is ${variable}.`]),
      ];
      return item(term, [help, ...notes].join('\n'));
    }),
  ];
}

function item(term: string, text: string): string[] {
  return ['.TP', `.B ${escaped(term)}`, escaped(text)];
}

/** A backslash, a hyphen, and a full stop or a quote at the start of a line have a meaning in roff. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}
