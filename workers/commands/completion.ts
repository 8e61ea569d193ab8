/** `umbra completion SHELL`. */
import { completionScript } from '../../config/command-line/completion.js';
import { describeCommands } from '../../config/command-line/describe.js';
import type { CompletionOptions } from '../../config/commands/completion.js';
import type { CommandIo } from '../../config/commands/index.js';
import { exitOk } from '../../config/exit-codes.js';

/** Resolves with the exit code 0. */
export async function completionCommand({ shell }: CompletionOptions, io: CommandIo): Promise<number> {
  io.out(completionScript(shell, describeCommands()).trimEnd());
  return exitOk;
}
