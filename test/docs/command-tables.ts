/** The tables of docs/commands.md, out of what commands say of themselves. */
import type { CommandDescription, FlagDescription } from '../../config/command-line/describe.js';
import { describeCommands } from '../../config/command-line/describe.js';
import { exitCodes } from '../../config/exit-codes.js';
import type { DocTable } from '../support/doc-table.js';

export function commandTables(): DocTable[] {
  return [
    {
      name: 'exit codes',
      columns: ['code', 'meaning'],
      rows: exitCodes.map(({ code, meaning }) => [String(code), meaning]),
    },
    ...describeCommands().map(tableOf),
  ];
}

function tableOf({ name, operands, flags }: CommandDescription): DocTable {
  return {
    name: `umbra ${name}`,
    columns: ['argument', 'meaning', 'default'],
    rows: [
      ...operands.map(({ term, help }) => [`\`${term}\``, withoutDefault(help), defaultIn(help)]),
      ...flags.map((flag) => [`\`${flag.term}\``, flag.help, initialOf(flag)]),
    ],
  };
}

function initialOf({ initial, variable }: FlagDescription): string {
  const parts = [variable === null ? '' : `\`$${variable}\``, initial === null ? '' : `\`${initial}\``];
  return parts.filter((part) => part !== '').join(', else ');
}

const inHelp = / \(default: (.+)\)$/;

function withoutDefault(help: string): string {
  return help.replace(inHelp, '');
}

function defaultIn(help: string): string {
  const found = inHelp.exec(help)?.[1];
  return found === undefined ? '' : `\`${found}\``;
}
