/** Describes the commands, for the pages and scripts that are generated from them. */
import { Command } from 'commander';
import { commands } from '../commands/index.js';

export interface FlagDescription {
  /** The flag as typed, with the name of its value: `-c, --config <file>`. */
  readonly term: string;
  /** `-c`, or null when it has no short form. */
  readonly short: string | null;
  /** `--config`. */
  readonly long: string;
  readonly takesValue: boolean;
  readonly help: string;
  /** The default as typed, or null. */
  readonly initial: string | null;
  /** The environment variable that replaces the flag, or null. */
  readonly variable: string | null;
}

export interface CommandDescription {
  readonly name: string;
  readonly summary: string;
  /** `<url>`, `[file]`, `<files...>`. */
  readonly operands: readonly { readonly term: string; readonly help: string }[];
  readonly flags: readonly FlagDescription[];
}

/** `describeCommands` returns all commands in the order of `umbra --help`. */
export function describeCommands(): readonly CommandDescription[] {
  const program = new Command('umbra');
  for (const definition of Object.values(commands)) definition.addTo(program, async () => {});
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    operands: command.registeredArguments.map((argument) => {
      const name = argument.variadic ? `${argument.name()}...` : argument.name();
      return { term: argument.required ? `<${name}>` : `[${name}]`, help: argument.description };
    }),
    flags: command.options.map((option) => ({
      term: option.flags,
      short: option.short ?? null,
      long: option.long!,
      takesValue: option.required || option.optional,
      help: option.description,
      initial: option.defaultValueDescription ?? null,
      variable: option.envVar ?? null,
    })),
  }));
}
