/**
 * A command defines its operands and flags once, and the type of its options follows from them. `commander`
 * parses; only this file and `command-line.ts` use it.
 */
import { Argument, Command, CommanderError, Option } from 'commander';

/**
 * Converts the text of a flag or operand to its value. It throws `InvalidArgumentError` with what was
 * expected.
 */
export type Parse<T> = (text: string) => T;

/** An operand (`<url>`) of a command. `T` is the type of its value. */
export interface Operand<T> {
  readonly argument: Argument;
  readonly absent: T;
}

/** A flag (`--rate <n>`) of a command. `absent` is the value when it is not given. */
export interface Flag<T> {
  readonly option: Option;
  readonly absent: T;
}

/** Reports bad usage that involves several flags: it prints `error: MESSAGE` and ends with exit code 2. */
export type Misuse = (message: string) => never;

/** A command as the command line uses it. */
export interface CommandDefinition<Options> {
  /** The word after `umbra`. */
  readonly name: string;
  /** Adds the command to `program`; `act` receives the options of each call. */
  addTo(program: Command, act: (options: Options) => Promise<void>): void;
}

/** The options that the action of a command receives. */
export type OptionsOf<D> = D extends CommandDefinition<infer Options> ? Options : never;

type Operands = Readonly<Record<string, Operand<unknown>>>;
type Flags = Readonly<Record<string, Flag<unknown>>>;
type Values<Parts> = {
  readonly [Name in keyof Parts]: Parts[Name] extends { readonly absent: infer T } ? T : never;
};

interface Parts<O extends Operands, F extends Flags> {
  readonly name: string;
  /** One line for `umbra --help`. */
  readonly summary: string;
  /** Operands in their order on the command line. */
  readonly operands?: O;
  /** Flags in their order in the help text. */
  readonly flags: F;
  /** Names of flags that exclude each other. */
  readonly exclusive?: readonly (keyof F & string)[];
}

/**
 * `defineCommand` defines a command. `complete` checks rules over several flags, and converts the values to
 * the options.
 */
export function defineCommand<
  const F extends Flags,
  Options,
  const O extends Operands = Record<never, never>,
>(
  parts: Parts<O, F> & { complete(values: Values<O & F>, misuse: Misuse): Options },
): CommandDefinition<Options>;
/** Without `complete` the options are the values of all operands and flags. */
export function defineCommand<const F extends Flags, const O extends Operands = Record<never, never>>(
  parts: Parts<O, F>,
): CommandDefinition<Values<O & F>>;
export function defineCommand(
  parts: Parts<Operands, Flags> & {
    complete?: (values: Values<Operands & Flags>, misuse: Misuse) => unknown;
  },
): CommandDefinition<unknown> {
  const { name, summary, operands = {}, flags, exclusive = [], complete = (values) => values } = parts;
  return {
    name,
    addTo(program, act) {
      const command = new Command(name).copyInheritedSettings(program).description(summary);
      command.showHelpAfterError(`(run ${program.name()} ${name} --help for usage)`);
      for (const { argument } of Object.values(operands)) command.addArgument(argument);
      for (const { option } of Object.values(flags)) command.addOption(option);
      exclude(exclusive.map((key) => flags[key].option));
      const misuse: Misuse = (message) => command.error(`error: ${message}`);
      command.action(() =>
        act(complete({ ...operandValues(command, operands), ...flagValues(command, flags) }, misuse)),
      );
      program.addCommand(command);
    },
  };
}

/**
 * `optionsOf` returns the options that the words after `umbra NAME` stand for, or null where the command does
 * not accept them.
 */
export function optionsOf<Options>(
  definition: CommandDefinition<Options>,
  words: readonly string[],
): Options | null {
  let found: Options | null = null;
  const program = new Command('umbra').exitOverride().configureOutput({ writeErr: () => {} });
  definition.addTo(program, async (options) => {
    found = options;
  });
  try {
    program.parse([definition.name, ...words], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return null;
    throw error;
  }
  return found;
}

/** `flag` defines a flag with a value. Without `initial` its value is null when it is absent. */
export function flag<T>(term: string, help: string, parse: Parse<T>): Flag<T | null>;
/** `initialText` is the default as help shows it, in the form in which a user would type it. */
export function flag<T>(
  term: string,
  help: string,
  parse: Parse<T>,
  initial: NoInfer<T>,
  initialText: string,
): Flag<T>;
export function flag<T>(
  term: string,
  help: string,
  parse: Parse<T>,
  initial: T | null = null,
  initialText?: string,
): Flag<T | null> {
  const option = new Option(term, help).argParser(parse);
  return {
    option: initialText === undefined ? option : option.default(initial, initialText),
    absent: initial,
  };
}

/** `requiredFlag` defines a flag that must be given. */
export function requiredFlag<T>(term: string, help: string, parse: Parse<T>): Flag<T> {
  const option = new Option(term, help).argParser(parse).makeOptionMandatory();
  return { option, absent: undefined as never };
}

/** `toggle` defines a flag without a value, which is false when it is absent. */
export function toggle(term: string, help: string): Flag<boolean> {
  return { option: new Option(term, help), absent: false };
}

/**
 * `repeatedFlag` defines a flag that may be given several times; its value is the list in order. A term
 * `<files...>` takes several values at once.
 */
export function repeatedFlag<T>(term: string, help: string, parse: Parse<T>): Flag<readonly T[]> {
  const append = (text: string, before: readonly T[] = []) => [...before, parse(text)];
  return { option: new Option(term, help).argParser<readonly T[]>(append), absent: [] };
}

/** `orEnvironment` lets the value of `given` come from an environment variable. */
export function orEnvironment<T>(given: Flag<T>, variable: string): Flag<T> {
  given.option.env(variable);
  return given;
}

export function operand<T>(term: `<${string}>`, help: string, parse: Parse<T>): Operand<T> {
  return { argument: new Argument(term, help).argParser(parse), absent: undefined as never };
}

/** `optionalOperand` defines an operand whose value is null when it is absent. */
export function optionalOperand<T>(term: `[${string}]`, help: string, parse: Parse<T>): Operand<T | null> {
  return { argument: new Argument(term, help).argParser(parse), absent: null };
}

/** `operandList` takes all remaining operands. */
export function operandList(
  term: `<${string}...>` | `[${string}...]`,
  help: string,
): Operand<readonly string[]> {
  return { argument: new Argument(term, help), absent: [] };
}

function exclude(options: readonly Option[]): void {
  for (const [at, option] of options.entries())
    option.conflicts(options.slice(0, at).map((other) => other.attributeName()));
}

function operandValues(command: Command, operands: Operands): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(operands).map(([key, { absent }], at) => [key, command.processedArgs[at] ?? absent]),
  );
}

/**
 * `flagValues` separates `--fleet` and `--no-fleet`, which share one value in commander: `false` after the
 * latter.
 */
function flagValues(command: Command, flags: Flags): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).map(([key, { option, absent }]) => {
      const given: unknown = command.getOptionValue(option.attributeName());
      if (option.negate) return [key, given === false];
      return [key, given === undefined || given === false ? absent : given];
    }),
  );
}
