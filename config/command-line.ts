/**
 * The command line. `config/commands` defines each command; its action is passed in, because config/ starts
 * nothing. The exit code is the command's result, or 2 for bad usage.
 */
import { Command, CommanderError } from 'commander';
import { type CommandActions, type CommandIo, type CommandName, commands } from './commands/index.js';
import { exitFailure, exitOk, exitUsage } from './exit-codes.js';
import { packageVersion } from './package-file.js';

/**
 * Time that open handles may keep the process alive after its command has ended and its output is written, in
 * milliseconds.
 */
const lingerMs = 1000;

/**
 * `main` runs the command of `argv`, sets `process.exitCode` and returns, so that logs are flushed. Handles
 * that are still open, for example a client's socket on a network that loses every packet, keep the process
 * alive for at most a second.
 */
export async function main(argv: readonly string[], actions: CommandActions): Promise<void> {
  process.exitCode = await runCommand(argv, actions, processIo);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  setTimeout(() => process.exit(), lingerMs).unref();
}

/** `runCommand` is `main` without the process: it returns the exit code. */
export async function runCommand(
  argv: readonly string[],
  actions: CommandActions,
  io: CommandIo,
): Promise<number> {
  let exitCode = exitOk;
  const program = newProgram(io);
  for (const [name, definition] of Object.entries(commands)) {
    // `CommandActions` pairs each definition with an action of its options. A union over names loses that
    // pairing.
    const action = actions[name as CommandName] as (options: unknown, io: CommandIo) => Promise<number>;
    definition.addTo(program, async (options: unknown) => {
      exitCode = await action(options, io);
    });
  }
  try {
    await program.parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === exitOk ? exitOk : exitUsage;
    io.err(`umbra: ${error instanceof Error ? error.message : String(error)}`);
    return exitFailure;
  }
}

const processIo: CommandIo = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

/**
 * `flushed` resolves when everything written before has left the process, or when the reader of a pipe is
 * gone.
 */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

function newProgram(io: CommandIo): Command {
  return new Command('umbra')
    .description(
      'A traffic-mirroring reverse proxy: every request goes to the primary version, a copy of a chosen share to the next one.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(run umbra --help for usage)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
    });
}
